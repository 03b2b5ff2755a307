#include "sweep/outcome.hpp"

#include <algorithm>
#include <array>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

constexpr std::array all_statuses{Status::done, Status::halted, Status::failed, Status::timeout, Status::dead};

template <class T>
T member(const config::Value& root, const char* key, const std::filesystem::path& file) {
  const auto* value = root.find(key);
  if (value == nullptr || value->as<T>() == nullptr)
    throw InputOutputError("'{}' is no record of a case: {} is missing or of another type", file.string(), key);
  return *value->as<T>();
}

Status status_named(const std::string& name, const std::filesystem::path& file) {
  const auto* found = std::ranges::find_if(all_statuses, [&](Status status) { return name_of(status) == name; });
  if (found == all_statuses.end())
    throw InputOutputError("'{}' is no record of a case: status '{}' is unknown", file.string(), name);
  return *found;
}

}  // namespace

std::string name_of(Status status) {
  switch (status) {
    case Status::done:
      return "done";
    case Status::halted:
      return "halted";
    case Status::failed:
      return "failed";
    case Status::timeout:
      return "timeout";
    case Status::dead:
      return "dead";
  }
  throw InternalError("unknown status {}", static_cast<int>(status));
}

std::string text_of(const Outcome& outcome) {
  config::Table metrics;
  for (const auto& [name, value] : outcome.metrics) metrics.push_back({name, {value}});
  return config::document_toml({config::Table{{"status", {name_of(outcome.status)}},
                                              {"exit_code", {std::int64_t{outcome.exit_code}}},
                                              {"message", {outcome.message}},
                                              {"seconds", {outcome.seconds}},
                                              {"sessions", {outcome.sessions}},
                                              {"deaths", {outcome.deaths}},
                                              {"ranks", {std::int64_t{outcome.ranks}}},
                                              {"host", {outcome.host}},
                                              {"finished", {outcome.finished}},
                                              {"metrics", {metrics}}}});
}

Outcome parse_outcome(const std::string& text, const std::filesystem::path& file) {
  config::Value root;
  try {
    root = config::parse_document(text, file.string());
  } catch (const ConfigurationError& error) {
    throw InputOutputError("the record is damaged: {}", error.what());
  }
  Outcome outcome{.status = status_named(member<std::string>(root, "status", file), file),
                  .exit_code = static_cast<int>(member<std::int64_t>(root, "exit_code", file)),
                  .message = member<std::string>(root, "message", file),
                  .seconds = member<double>(root, "seconds", file),
                  .sessions = member<std::int64_t>(root, "sessions", file),
                  .deaths = member<std::int64_t>(root, "deaths", file),
                  .ranks = static_cast<int>(member<std::int64_t>(root, "ranks", file)),
                  .host = member<std::string>(root, "host", file),
                  .finished = member<std::string>(root, "finished", file),
                  .metrics = {}};
  for (const auto& [name, value] : member<config::Table>(root, "metrics", file))
    if (const auto* number = value.as<double>()) outcome.metrics[name] = *number;
  return outcome;
}

}  // namespace rankflow::sweep
