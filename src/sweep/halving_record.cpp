#include "sweep/halving_record.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

std::string name_of_report(std::int64_t number) {
  return fmt::format("{:06d}", number);
}

struct StoredReport {
  RungReport report;
  std::int64_t epochs;
};

StoredReport parse_report(const std::string& text, const std::string& name) {
  const auto value = config::parse_value(text);
  const auto* id = value && value->find("id") != nullptr ? value->find("id")->as<std::string>() : nullptr;
  const auto* rung = value && value->find("rung") != nullptr ? value->find("rung")->as<std::int64_t>() : nullptr;
  const auto* epochs = value && value->find("epochs") != nullptr ? value->find("epochs")->as<std::int64_t>() : nullptr;
  const auto* metric = value && value->find("value") != nullptr ? value->find("value")->as<double>() : nullptr;
  if (id == nullptr || rung == nullptr || epochs == nullptr || metric == nullptr || *rung < 0)
    throw InputOutputError("'{}' is no report of a case at a rung: {}; remove the folder halving to decide anew", name,
                           text);
  return {{*id, static_cast<std::size_t>(*rung), *metric}, *epochs};
}

}  // namespace

HalvingRecord::HalvingRecord(const Plan& plan)
    : plan_(plan), files_(plan.directory / "halving"), halving_(plan.rungs.size(), plan.reduction, plan.maximise) {
  for (const auto& one : plan.cases) ids_.insert(one.id);
}

bool HalvingRecord::read_next() {
  const auto name = name_of_report(known_ + 1);
  const auto snapshot = files_.read(name);
  if (!snapshot) return false;
  const auto [report, epochs] = parse_report(snapshot->text, (files_.path() / name).string());
  // The sweep file may have changed since: what other cases, or fits of other lengths, were worth says nothing here.
  if (ids_.contains(report.id) && report.rung < plan_.rungs.size() && plan_.rungs[report.rung] == epochs)
    halving_.report(report);
  ++known_;
  return true;
}

void HalvingRecord::update() {
  while (read_next()) {
  }
}

void HalvingRecord::report(const std::string& id, std::int64_t epochs, double value) {
  const auto found = std::ranges::find(plan_.rungs, epochs);
  if (found == plan_.rungs.end()) throw InternalError("case {} reports after {} epochs, which is no rung", id, epochs);
  const auto rung = static_cast<std::int64_t>(found - plan_.rungs.begin());
  const auto text =
      config::inline_toml({config::Table{{"id", {id}}, {"rung", {rung}}, {"epochs", {epochs}}, {"value", {value}}}});
  do {
    update();
  } while (!files_.publish(name_of_report(known_ + 1), text));
  update();
}

std::int64_t HalvingRecord::pause_of(const std::string& id) const {
  const auto rungs = halving_.rungs_of(id);
  return rungs < plan_.rungs.size() ? plan_.rungs[rungs] : 0;
}

}  // namespace rankflow::sweep
