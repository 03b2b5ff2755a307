#include <chrono>
#include <span>
#include <utility>

#include "analysis/fixed_points.hpp"
#include "analysis/fixed_points_file.hpp"
#include "analysis_command.hpp"
#include "config/fixed_points_options.hpp"
#include "io/output_file.hpp"
#include "network_input.hpp"

namespace rankflow::drivers {
namespace {

using Loaded = config::Loaded<config::AnalyzeFixedPointsOptions>;

/// One progress line per stage that takes longer than a moment.
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
      start_ = Clock::now();
    }
    if (!drawn_ && Clock::now() - start_ < moment) return;
    if (!std::exchange(drawn_, true)) console_.begin_progress(stage, done);
    console_.progress(done);
  }
  void finish() {
    if (std::exchange(drawn_, false)) console_.end_progress();
    stage_.clear();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds moment{2};

  Console& console_;
  std::string stage_;
  Clock::time_point start_{};
  bool drawn_ = false;
};

/// All neurons on every rank: lines and starts are shared out, not neurons.
model::Network<double> whole_network(const std::string& path) {
  const parallel::Communicator alone;
  return read_network_input(path, alone).network;
}

void write(const Arguments& arguments, const Loaded& loaded, const analysis::LatentMap& map,
           const analysis::FixedPointReport& report, double seconds, const parallel::Communicator& comm) {
  comm.broadcast(std::span(&seconds, 1));  // attributes are the same on every rank
  auto output = io::OutputFile::create(comm, arguments.output, io::FileType::analysis,
                                       {.configuration = loaded.resolved,
                                        .seed = static_cast<std::uint64_t>(loaded.options.run.seed),
                                        .more = {{"network", arguments.input}, {"search_seconds", seconds}}});
  analysis::write_fixed_points(output.file(), map, report);
  output.finish();
}

}  // namespace

std::string analyze_fixed_points_keys() {
  return keys_text<config::AnalyzeFixedPointsOptions>();
}

ExitCode analyze_fixed_points(const Arguments& arguments, const Surroundings& surroundings) {
  const auto loaded = config::load_text<config::AnalyzeFixedPointsOptions>("", "the command line", arguments.sets);
  return with_context("analyzing " + arguments.input, [&] {
    check_result(arguments.output, io::FileType::analysis, {arguments.input}, surroundings.comm);
    const analysis::LatentMap map(whole_network(arguments.input), loaded.options.fixed_points);
    const auto seed = static_cast<std::uint64_t>(loaded.options.run.seed);
    if (arguments.dry_run) {
      surroundings.console.print(
          loaded.resolved + "\n" +
          analysis::fixed_points_plan(map, loaded.options.fixed_points, seed, surroundings.comm.size()));
      return ExitCode::done;
    }
    const auto start = std::chrono::steady_clock::now();
    StageLine line(surroundings.console);
    const auto report =
        analysis::find_fixed_points(map, loaded.options.fixed_points, seed, surroundings.comm,
                                    [&](const std::string& stage, double done) { line.update(stage, done); });
    line.finish();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    surroundings.console.print(analysis::fixed_points_text(map, report));
    surroundings.console.info("searched for {:.3g} s on {} rank(s)", seconds, surroundings.comm.size());
    if (!arguments.output.empty()) write(arguments, loaded, map, report, seconds, surroundings.comm);
    return ExitCode::done;
  });
}

}  // namespace rankflow::drivers
