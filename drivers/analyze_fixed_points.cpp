#include "analysis/fixed_points.hpp"
#include "analysis/fixed_points_file.hpp"
#include "arguments.hpp"
#include "config/fixed_points_options.hpp"
#include "config/load.hpp"
#include "io/output_file.hpp"
#include "model/network_io.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::AnalyzeFixedPointsOptions>;

/// One progress line per stage.
class StageLine {
 public:
  explicit StageLine(Console& console) : console_(console) {}
  StageLine(const StageLine&) = delete;
  StageLine& operator=(const StageLine&) = delete;
  ~StageLine() { finish(); }

  void update(const std::string& stage, double done) {
    if (stage != stage_) {
      finish();
      stage_ = stage;
      console_.begin_progress(stage);
    }
    console_.progress(done);
  }
  void finish() {
    if (!stage_.empty()) console_.end_progress();
    stage_.clear();
  }

 private:
  Console& console_;
  std::string stage_;
};

/// All neurons on every rank: lines and starts are shared out, not neurons.
model::Network<double> whole_network(const std::string& path) {
  const parallel::Communicator alone;
  return model::read_network<double>(io::NetworkFile::open(alone, path));
}

void write(const Arguments& arguments, const Loaded& loaded, const analysis::LatentMap& map,
           const analysis::FixedPointReport& report, const parallel::Communicator& comm) {
  auto output = io::OutputFile::create(comm, arguments.output, io::FileType::analysis,
                                       {.configuration = loaded.resolved,
                                        .seed = static_cast<std::uint64_t>(loaded.options.run.seed),
                                        .more = {{"network", arguments.input}}});
  analysis::write_fixed_points(output.file(), map, report);
  output.finish();
}

}  // namespace

std::string analyze_fixed_points_keys() {
  std::string text = "keys of --set\n";
  for (const auto& table : config::list_tables<config::AnalyzeFixedPointsOptions>())
    for (const auto& key : table.keys) text += fmt::format("  {}.{}: {}\n", table.name, key.key, key.doc);
  return text + "ranges and defaults: rankflow reference";
}

ExitCode analyze_fixed_points(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load_text<config::AnalyzeFixedPointsOptions>("", "the command line", arguments.sets);
  return with_context("analyzing " + arguments.input, [&] {
    const analysis::LatentMap map(whole_network(arguments.input), loaded.options.fixed_points);
    const auto seed = static_cast<std::uint64_t>(loaded.options.run.seed);
    if (arguments.dry_run) {
      surroundings.console.print(
          loaded.resolved + "\n" +
          analysis::fixed_points_plan(map, loaded.options.fixed_points, seed, surroundings.comm.size()));
      return ExitCode::done;
    }
    StageLine line(surroundings.console);
    const auto report =
        analysis::find_fixed_points(map, loaded.options.fixed_points, seed, surroundings.comm,
                                    [&](const std::string& stage, double done) { line.update(stage, done); });
    line.finish();
    surroundings.console.print(analysis::fixed_points_text(map, report));
    if (!arguments.output.empty()) write(arguments, loaded, map, report, surroundings.comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
