#include "filter_settings.hpp"

#include "config/leaf_reader.hpp"

namespace rankflow::drivers {

config::ArraySource data_source(const std::string& text) {
  config::ArraySource source;
  config::set_file(source, text, "");
  source.given = true;
  return source;
}

config::Loaded<config::FilterOptions> filter_settings(const Arguments& arguments, const fit::LoadedFit& fit,
                                                      const std::vector<std::string>& sets) {
  auto defaults = fit::filter_defaults(fit);
  if (!arguments.data.empty()) {
    const auto named = data_source(arguments.data);
    const bool recording = named.member.empty();
    defaults.data.file = recording ? named.path : "";
    defaults.data.arrays = {};
    if (!recording) defaults.data.arrays.observations = named;
    defaults.data.bin_width = recording ? 0 : fit.bin_width;
    defaults.data.trials.clear();
  }
  return config::load_text<config::FilterOptions>(config::resolved_toml(defaults), arguments.input, sets);
}

}  // namespace rankflow::drivers
