#include <chrono>

#include "analysis/connectivity_distance_report.hpp"
#include "analysis_command.hpp"
#include "config/compare_options.hpp"
#include "io/output_file.hpp"
#include "network_input.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::CompareNetworksOptions>;

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
  return keys_text<config::CompareNetworksOptions>();
}

ExitCode compare(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load_text<config::CompareNetworksOptions>("", "the command line", arguments.sets);
  return with_context("comparing " + arguments.input + " with " + arguments.data, [&] {
    check_result(arguments.output, io::FileType::comparison, {arguments.input, arguments.data}, surroundings.comm);
    const auto start = std::chrono::steady_clock::now();
    const auto first = read_network_input(arguments.input, surroundings.comm);
    const auto second = read_network_input(arguments.data, surroundings.comm);
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
