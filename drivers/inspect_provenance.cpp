#include "inspect_provenance.hpp"

#include <set>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/compare_options.hpp"
#include "config/evaluate_options.hpp"
#include "config/filter_options.hpp"
#include "config/fit_flow_options.hpp"
#include "config/fit_vsmc_options.hpp"
#include "config/fixed_points_options.hpp"
#include "config/generate_options.hpp"
#include "config/import_options.hpp"
#include "config/load.hpp"
#include "config/populations_options.hpp"
#include "config/sample_options.hpp"
#include "config/simulate_options.hpp"
#include "core/console.hpp"
#include "io/checkpoint_store.hpp"
#include "io/provenance.hpp"

namespace rankflow::drivers {
namespace {

/// A line "key = value" of a document and the table it stands in; entries of lists are numbered.
struct Line {
  std::string table;  ///< as in "inputs."
  std::string entry;  ///< as in "0.", or empty
  std::string text;
};

std::vector<Line> lines_of(const std::string& toml) {
  std::vector<Line> lines;
  std::istringstream text(toml);
  Line place;
  std::map<std::string, int> entries;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('[')) {
      const bool list = line.starts_with("[[");
      const auto begin = line.find_first_not_of('[');
      place.table = line.substr(begin, line.find(']') - begin) + ".";
      place.entry = list ? fmt::format("{}.", entries[place.table]++) : "";
    } else if (!line.empty()) {
      lines.push_back({place.table, place.entry, line});
    }
  }
  return lines;
}

/// Defaults of every table, those that a configuration may leave out included.
std::set<std::string> default_lines() {
  config::SimulateOptions simulate;
  simulate.inputs.emplace_back();
  simulate.network.populations.emplace_back();
  simulate.observation.emplace();
  simulate.stop.emplace();
  config::GenerateNetworkOptions network;
  config::ImportRecordingOptions recording;
  config::EvaluateRunOptions evaluate;
  config::FitVsmcOptions fit;
  config::FitFlowOptions flow;
  config::SampleOptions sample;
  config::FilterOptions filter;
  config::AnalyzeFixedPointsOptions fixed_points;
  config::AnalyzePopulationsOptions populations;
  config::CompareNetworksOptions compare;
  std::set<std::string> lines;
  for (const auto& toml :
       {config::resolved_toml(simulate), config::resolved_toml(network), config::resolved_toml(recording),
        config::resolved_toml(evaluate), config::resolved_toml(fit), config::resolved_toml(flow),
        config::resolved_toml(sample), config::resolved_toml(filter), config::resolved_toml(fixed_points),
        config::resolved_toml(populations), config::resolved_toml(compare)})
    for (const auto& line : lines_of(toml)) lines.insert(line.table + line.text);
  return lines;
}

/// The configuration without the lines that say what is the default anyway.
std::string differences(const std::string& configuration) {
  constexpr std::size_t longest = 120;
  const auto defaults = default_lines();
  std::string out;
  for (const auto& [table, entry, text] : lines_of(configuration)) {
    if (defaults.contains(table + text)) continue;
    const auto shown = text.size() > longest ? text.substr(0, longest) + " …" : text;
    out += fmt::format("  {}{}{}\n", table, entry, shown);
  }
  return out.empty() ? "  all defaults\n" : out;
}

std::string seconds_text(const io::File& file) {
  const auto value = file.attribute("/provenance", "wall_seconds");
  const auto* seconds = value ? std::get_if<double>(&*value) : nullptr;
  return seconds == nullptr ? "?" : duration_text(*seconds);
}

/// The command that makes files of this type.
std::string command_of(const std::string& file_type) {
  if (file_type == io::name_of(io::FileType::fit)) return "fit vsmc";
  return file_type == io::name_of(io::FileType::recording) ? "generate recording" : "simulate";
}

}  // namespace

std::string text_of(const io::Attribute& attribute) {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::vector<double>>) {
          return fmt::format("[{}]", fmt::join(value, ", "));
        } else {
          return fmt::format("{}", value);
        }
      },
      attribute);
}

std::string attribute_text(const io::File& file, const std::string& group, const std::string& name,
                           const std::string& otherwise) {
  if (group != "/" && !file.has_group(group)) return otherwise;
  const auto value = file.attribute(group, name);
  return value ? text_of(*value) : otherwise;
}

std::string provenance_text(const io::File& file) {
  if (!file.has_group("/provenance")) return {};
  const auto get = [&](const char* name) { return attribute_text(file, "/provenance", name, "?"); };
  const auto end = get("end_time");
  std::string out = fmt::format("made by rankflow {} (git {}) on {} rank(s) of host {}\n", get("code_version"),
                                get("git_hash"), get("ranks"), get("host"));
  out += fmt::format("started {}, {}, {} of wall time, resumed {} time(s)\n", get("start_time"),
                     end.empty() ? "no end recorded" : "ended " + end, seconds_text(file), get("resumes"));
  out += fmt::format("seed {}\n", get("seed"));
  out += "configuration, where it differs from the defaults (in full: attribute 'configuration' of /provenance)\n";
  return out + differences(get("configuration"));
}

std::string unfinished_text(const io::File& file, const std::filesystem::path& path) {
  if (!file.has_group("/provenance")) return {};
  if (attribute_text(file, "/provenance", "status", "") == io::name_of(io::Status::complete)) return {};
  if (attribute_text(file, "/provenance", "status", "") == io::name_of(io::Status::failed))
    return fmt::format("it failed, and would again, because {}\n", attribute_text(file, "/provenance", "failure", "?"));
  const io::CheckpointStore store(path, file.comm(), "");
  const auto sequences = store.sequences();
  if (sequences.empty())
    return "unfinished, without a checkpoint: if it does not run any more, start it again (--resume does so too)\n";
  std::string out;
  for (const auto sequence : sequences) {
    std::error_code gone;
    const auto bytes = std::filesystem::file_size(store.file_of(sequence), gone);
    out += fmt::format("checkpoint {} ({})\n", store.file_of(sequence).string(),
                       gone ? "?" : bytes_text(static_cast<double>(bytes)));
  }
  return out + fmt::format("to go on: rankflow {} CONFIGURATION.toml -o {} --resume   (on any number of ranks)\n",
                           command_of(attribute_text(file, "/", "file_type", "")), path.string());
}

}  // namespace rankflow::drivers
