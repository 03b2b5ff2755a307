#include "sweep/make_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/ranges.h>

#include "config/overrides.hpp"
#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"
#include "core/suggestion.hpp"
#include "sweep/expansion.hpp"
#include "sweep/metrics.hpp"

namespace rankflow::sweep {
namespace {

void assign(config::Value& tree, const Setting& setting, const std::string& who) {
  for (const auto& [key, value] : setting)
    if (key != ranks_key) config::set_value(tree, key, value, who);
}

config::Value base_tree(const Description& description) {
  const auto name = description.base.string();
  auto tree = config::parse_document(config::read_text_file(name), name);
  assign(tree, description.fixed, description.source.string() + ": [sweep.set]");
  return tree;
}

int ranks_of(const Setting& setting, const Description& description) {
  auto ranks = description.ranks;
  for (const auto* part : {&description.fixed, &setting})
    if (const auto found = std::ranges::find(*part, ranks_key, &Assignment::key); found != part->end())
      ranks = read_ranks(found->value, fmt::format("{}: 'ranks'", description.source.string()));
  return ranks;
}

std::string ranks_name(int ranks) {
  return ranks == ranks_to_measure ? "\"measured\"" : std::to_string(ranks);
}

/// Makes cases of settings and seeds.
class CaseMaker {
 public:
  CaseMaker(const Description& description, const config::Value& base) : description_(description), base_(base) {}

  /// `seed`: empty for the base's.
  Case make(const Setting& setting, std::optional<std::int64_t> seed) {
    auto tree = base_;
    const auto text = setting_text(setting);
    assign(tree, setting, description_.source.string() + ": " + text);
    if (seed) config::set_value(tree, "run.seed", {*seed}, description_.source.string());
    const auto resolved = with_context(fmt::format("checking the case with {}", text),
                                       [&] { return description_.kind.resolve(tree, description_.base.string()); });
    require_metric(resolved, text);
    if (!epochs_) epochs_ = resolved.epochs;
    if (description_.options.sweep.halving && *epochs_ != resolved.epochs)
      throw ConfigurationError(
          "{}: [sweep.halving] compares cases after equal numbers of epochs, but they train for {} and for {} "
          "(with {}); fix training.epochs, or leave [sweep.halving] out",
          description_.source.string(), *epochs_, resolved.epochs, text);
    Case one{.id = case_id(description_.kind.name(), resolved.identity),
             .driver = description_.kind.name(),
             .varied = {},
             .seed = resolved.seed,
             .ranks = ranks_of(setting, description_),
             .configuration = resolved.configuration};
    if (!ranks_) ranks_ = one.ranks;
    if (description_.options.sweep.halving && *ranks_ != one.ranks)
      throw ConfigurationError(
          "{}: [sweep.halving] compares all cases with one another, and any worker resumes them, but their ranks are "
          "{} "
          "and {} (with {}); give all the same 'ranks', or leave [sweep.halving] out",
          description_.source.string(), ranks_name(*ranks_), ranks_name(one.ranks), text);
    for (const auto& [key, value] : setting)
      if (key != ranks_key) one.varied.emplace_back(key, config::inline_toml(value));
    require_new(one.id, fmt::format("{}{}", text, seed ? fmt::format(", seed {}", *seed) : ""));
    return one;
  }

  /// Of every case that was made.
  std::int64_t epochs() const { return epochs_.value_or(0); }

 private:
  void require_new(const std::string& id, const std::string& text) {
    const auto [earlier, fresh] = seen_.try_emplace(id, text);
    if (fresh) return;
    throw ConfigurationError(
        "{}: two cases are one and the same run: the one with {}, and the one with {}; leave one out (number of ranks, "
        "wall time and checkpoint interval change no result)",
        description_.source.string(), earlier->second, text);
  }

  void require_metric(const Resolved& resolved, const std::string& text) const {
    const auto& metric = description_.options.sweep.metric;
    if (metric.find("held_out") == std::string::npos || resolved.held_out) return;
    throw ConfigurationError(
        "{}: 'sweep.metric' = \"{}\", but the case with {} holds no data back "
        "(training.validation_fraction = 0); hold some back, or rank by \"log_likelihood\"",
        description_.source.string(), metric, text);
  }

  const Description& description_;
  const config::Value& base_;
  std::unordered_map<std::string, std::string> seen_;
  std::optional<std::int64_t> epochs_;
  std::optional<int> ranks_;  ///< of the first case
};

const std::vector<MetricListing>& metrics_of(config::SweepDriver driver) {
  switch (driver) {
    case config::SweepDriver::fit_vsmc:
      return fit_metrics();
    case config::SweepDriver::fit_flow:
      return flow_metrics();
    case config::SweepDriver::simulate:
      return run_metrics();
    case config::SweepDriver::generate_recording:
      return recording_metrics();
  }
  throw InternalError("unknown driver of a sweep");
}

void require_known_metric(const Description& description) {
  const auto& metric = description.options.sweep.metric;
  std::vector<std::string> names;
  for (const auto& listing : metrics_of(description.options.sweep.driver)) names.push_back(listing.name);
  const bool counter = metric.starts_with("integrator_") && !description.kind.name().starts_with("fit ");
  if (metric.empty() || counter || std::ranges::find(names, metric) != names.end()) return;
  throw ConfigurationError("{}: 'sweep.metric' = \"{}\": '{}' produces no such metric; it has: {}.{}",
                           description.source.string(), metric, description.kind.name(), fmt::join(names, ", "),
                           did_you_mean(metric, names));
}

/// Every setting with the first seed, then with the second, …: an early look shows all settings.
std::vector<std::optional<std::int64_t>> seeds_of(const Description& description, const CaseValues& values) {
  std::vector<std::optional<std::int64_t>> seeds;
  if (description.seeds) {
    seeds.assign(description.seeds->begin(), description.seeds->end());
  } else if (description.replicates) {
    const auto* first = values.find({}, "run.seed");
    const auto begin = first != nullptr && first->as<std::int64_t>() != nullptr ? *first->as<std::int64_t>() : 1;
    for (std::int64_t i = 0; i < *description.replicates; ++i) seeds.emplace_back(begin + i);
  } else {
    seeds.emplace_back();
  }
  return seeds;
}

/// Epochs at which cases are compared: first, first × reduction, … below the end of the training.
std::vector<std::int64_t> rungs_of(const Description& description, std::int64_t epochs) {
  const auto& sweep = description.options.sweep;
  if (!sweep.halving) return {};
  const auto name = description.source.string();
  if (description.kind.name() != "fit vsmc")
    throw ConfigurationError("{}: [sweep.halving] stops trainings of 'fit vsmc' early, not those of '{}'; leave it out",
                             name, description.kind.name());
  if (sweep.metric.find("log_likelihood") == std::string::npos)
    throw ConfigurationError(
        "{}: [sweep.halving] needs a metric that tells how good an unfinished fit is; give sweep.metric = "
        "\"held_out_log_likelihood\", found \"{}\"",
        name, sweep.metric);
  if (sweep.halving->first >= epochs)
    throw ConfigurationError("{}: 'sweep.halving.first' = {} must be below training.epochs = {}", name,
                             sweep.halving->first, epochs);
  std::vector<std::int64_t> rungs;
  for (auto rung = sweep.halving->first; rung < epochs; rung *= sweep.halving->reduction) rungs.push_back(rung);
  return rungs;
}

/// Whether fewer than one case is left after the last rung when each rung lets one of `reduction` go on.
bool is_too_small_to_halve(const Plan& plan) {
  auto left = std::ssize(plan.cases);
  for (std::size_t rung = 0; rung < plan.rungs.size(); ++rung) left /= plan.reduction;
  return left == 0;
}

}  // namespace

Planned plan_sweep(const std::filesystem::path& sweep_file, const std::vector<std::string>& sets,
                   const std::filesystem::path& directory) {
  const auto description = read_description(sweep_file, sets);
  require_known_metric(description);
  const auto base = base_tree(description);
  const CaseValues values(description.kind, base);
  auto expansion = expand(description, values);
  const auto& sweep = description.options.sweep;
  Planned planned{.plan = {.directory = directory.empty() ? description.directory
                                                          : std::filesystem::absolute(directory).lexically_normal(),
                           .source = description.source,
                           .metric = sweep.metric,
                           .maximise = sweep.direction == config::SweepDirection::maximise,
                           .timeout = sweep.timeout,
                           .stale_after = sweep.stale_after,
                           .attempts = sweep.attempts,
                           .rungs = {},
                           .reduction = sweep.halving ? sweep.halving->reduction : config::HalvingOptions{}.reduction,
                           .submit = sweep.submit,
                           .cases = {}},
                  .settings = expansion.settings.size(),
                  .excluded = static_cast<std::size_t>(expansion.excluded),
                  .notes = std::move(expansion.notes)};
  CaseMaker maker(description, base);
  for (const auto& seed : seeds_of(description, values))
    for (const auto& setting : expansion.settings) planned.plan.cases.push_back(maker.make(setting, seed));
  planned.plan.rungs = rungs_of(description, maker.epochs());
  if (is_too_small_to_halve(planned.plan))
    planned.notes.push_back(fmt::format(
        "[sweep.halving]: {} cases are too few for {} rungs that one of {} goes on from, which takes {}^{}; one case "
        "only is trained to its end. Give more cases, a larger 'first' or a smaller 'reduction'",
        planned.plan.cases.size(), planned.plan.rungs.size(), planned.plan.reduction, planned.plan.reduction,
        planned.plan.rungs.size()));
  return planned;
}

Plan make_plan(const std::filesystem::path& sweep_file, const std::vector<std::string>& sets,
               const std::filesystem::path& directory) {
  return plan_sweep(sweep_file, sets, directory).plan;
}

}  // namespace rankflow::sweep
