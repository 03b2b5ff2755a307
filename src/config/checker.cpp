#include "config/checker.hpp"

#include "core/error.hpp"

namespace rankflow::config {

std::string dotted(std::string_view prefix, std::string_view key) {
  if (prefix.empty()) return std::string(key);
  return fmt::format("{}.{}", prefix, key);
}

bool Places::given(const std::string& key) const {
  const auto found = origins_.find(key);
  return found != origins_.end() && found->second.known();
}

std::string Places::location(const Origin& origin) const {
  if (!origin.set.empty()) return "--set " + origin.set;
  if (origin.line <= 0) return source_;
  return fmt::format("{}:{}", origin.file.empty() ? source_ : origin.file, origin.line);
}

std::string Places::location(std::string key) const {
  while (!given(key)) {
    const auto dot = key.rfind('.');
    if (dot == std::string::npos) return source_;
    key.resize(dot);
  }
  return location(origins_.at(key));
}

std::map<std::string, std::string> Places::summary() const {
  std::map<std::string, std::string> result;
  for (const auto& [key, origin] : origins_)
    result[key] = !origin.known() ? "default" : origin.set.empty() ? location(origin) : "--set";
  return result;
}

bool Checker::given(std::string_view key) const {
  return places_->given(dotted(prefix_, key));
}

void Checker::raise(std::string_view key, const std::string& message) const {
  const auto full = dotted(prefix_, key);
  throw ConfigurationError("{}: '{}'{}: {}", places_->location(full), full, given(key) ? "" : " (not given)", message);
}

}  // namespace rankflow::config
