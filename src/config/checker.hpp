#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/value.hpp"

namespace rankflow::config {

/// Where each key's value came from: dotted keys, entries of lists by index (inputs.0.amplitude).
class Places {
 public:
  explicit Places(std::string source) : source_(std::move(source)) {}

  const std::string& source() const noexcept { return source_; }
  void record(const std::string& key, const Origin& origin) { origins_[key] = origin; }
  void record_default(const std::string& key) { origins_[key] = Origin{}; }
  bool given(const std::string& key) const;
  /// "file.toml:12", "--set key=value", or the file's name for a default.
  std::string location(const Origin& origin) const;
  /// Location of the key, else of the nearest table around it.
  std::string location(std::string key) const;
  /// Dotted key -> "file.toml:12", "--set" or "default".
  std::map<std::string, std::string> summary() const;

 private:
  std::string source_;
  std::map<std::string, Origin> origins_;
};

/// Handed to `void validate(const Checker&) const` of an options struct, after all keys were read.
class Checker {
 public:
  Checker(std::string prefix, const Places& places) : prefix_(std::move(prefix)), places_(&places) {}

  /// Throws ConfigurationError that names the place of `key`, which is relative to the struct's table.
  template <class... Args>
  [[noreturn]] void fail(std::string_view key, fmt::format_string<Args...> format, Args&&... args) const {
    raise(key, fmt::format(format, std::forward<Args>(args)...));
  }
  /// Whether the key stands in the file or in a --set, rather than having its default. In the resolved
  /// text every key is given that has a value: do not refuse a default value because it is given.
  bool given(std::string_view key) const;

 private:
  [[noreturn]] void raise(std::string_view key, const std::string& message) const;

  std::string prefix_;
  const Places* places_;
};

/// "table.key", or "key" in the top table.
std::string dotted(std::string_view prefix, std::string_view key);

}  // namespace rankflow::config
