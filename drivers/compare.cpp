#include <chrono>

#include "analysis/connectivity_distance_report.hpp"
#include "arguments.hpp"
#include "config/compare_options.hpp"
#include "config/load.hpp"
#include "fit/fit_file.hpp"
#include "io/earlier_output.hpp"
#include "io/output_file.hpp"
#include "model/network_io.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::CompareNetworksOptions>;

/// A network with the file it came from.
struct Opened {
  io::File file;
  model::Network<double> network;
};

Opened open(const std::string& path, const parallel::Communicator& comm) {
  return with_context("reading " + path, [&] {
    auto file = io::File::open(comm, path);
    if (file.has_group("/provenance")) fit::require_model(file);  // networks by other hands have none
    auto network = model::read_network<double>(io::NetworkFile::open(comm, path));
    return Opened{std::move(file), std::move(network)};
  });
}

void write(const Arguments& arguments, const Loaded& loaded, const analysis::NetworkComparison& found,
           const parallel::Communicator& comm) {
  auto output = io::OutputFile::create(comm, arguments.output, io::FileType::comparison,
                                       {.configuration = loaded.resolved,
                                        .seed = static_cast<std::uint64_t>(loaded.options.compare.seed),
                                        .more = {{"first", arguments.input}, {"second", arguments.data}}});
  analysis::write_comparison(output.file(), found);
  output.finish();
}

}  // namespace

std::string compare_keys() {
  std::string text = "keys of --set\n";
  for (const auto& table : config::list_tables<config::CompareNetworksOptions>())
    for (const auto& key : table.keys) text += fmt::format("  {}.{}: {}\n", table.name, key.key, key.doc);
  return text + "ranges and defaults: rankflow reference";
}

ExitCode compare(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load_text<config::CompareNetworksOptions>("", "the command line", arguments.sets);
  return with_context("comparing " + arguments.input + " with " + arguments.data, [&] {
    if (!arguments.output.empty())
      io::check_output({.path = arguments.output,
                        .type = io::FileType::comparison,
                        .inputs = {arguments.input, arguments.data},
                        .may_overwrite = false},
                       surroundings.comm);
    const auto start = std::chrono::steady_clock::now();
    const auto first = open(arguments.input, surroundings.comm);
    const auto second = open(arguments.data, surroundings.comm);
    const auto found = analysis::compare_networks({first.network, first.file}, {second.network, second.file},
                                                  loaded.options, surroundings.comm);
    surroundings.console.print(analysis::comparison_text(found));
    surroundings.console.info("compared in {:.3g} s on {} rank(s)",
                              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                              surroundings.comm.size());
    if (!arguments.output.empty()) write(arguments, loaded, found, surroundings.comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
