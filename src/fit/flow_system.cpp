#include "fit/flow_system.hpp"

#include "core/error.hpp"
#include "model/network_io.hpp"

namespace rankflow::fit {
namespace {

constexpr const char* system_group = "/system";

template <class T>
T system_attribute(const io::File& file, const std::string& name) {
  const auto found = file.attribute(system_group, name);
  const auto* value = found ? std::get_if<T>(&*found) : nullptr;
  if (value == nullptr)
    throw InputDataError("'{}': the attribute '{}' of {} is missing or of another type", file.name(), name,
                         system_group);
  return *value;
}

}  // namespace

io::Attributes FlowSystem::attributes() const {
  return {{"rank", std::int64_t{rank}},
          {"inputs", std::int64_t{inputs}},
          {"has_bias", std::int64_t{has_bias ? 1 : 0}},
          {"activation", model::activation_name(activation)},
          {"tau", tau},
          {"decay", decay},
          {"input_path", std::string(input_path == config::InputPath::raw ? "raw" : "filtered")}};
}

FlowSystem FlowSystem::read(const io::File& file) {
  FlowSystem system;
  system.rank = static_cast<int>(system_attribute<std::int64_t>(file, "rank"));
  system.inputs = static_cast<int>(system_attribute<std::int64_t>(file, "inputs"));
  system.has_bias = system_attribute<std::int64_t>(file, "has_bias") != 0;
  system.activation = model::activation_of_name(system_attribute<std::string>(file, "activation"),
                                                fmt::format("group '{}' of file '{}'", system_group, file.name()));
  system.tau = system_attribute<double>(file, "tau");
  system.decay = system_attribute<double>(file, "decay");
  if (system_attribute<std::string>(file, "input_path") == "raw") system.input_path = config::InputPath::raw;
  if (system.rank < 1 || system.inputs < 0 || !(system.tau > 0) || !(system.decay >= 0 && system.decay < 1))
    throw InputDataError("'{}': {} says rank {}, {} inputs, tau {} s, decay {}: no network is like that", file.name(),
                         system_group, system.rank, system.inputs, system.tau, system.decay);
  return system;
}

}  // namespace rankflow::fit
