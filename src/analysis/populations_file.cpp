#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/flow_field_file.hpp"
#include "analysis/populations_report.hpp"

namespace rankflow::analysis {
namespace {

/// A dataset that rank 0 writes whole.
void write_whole(io::File& file, const std::string& path, const io::Shape& shape,
                 const std::vector<std::string>& dimensions, const std::string& units, const std::string& long_name,
                 const std::vector<double>& values) {
  file.create_dataset({.path = path, .shape = shape, .dimensions = dimensions, .units = units, .long_name = long_name});
  file.write_all<double>(path, values);
}

void write_mixture(io::File& file, const Populations& found) {
  const auto count = static_cast<std::uint64_t>(found.count());
  const auto variables = static_cast<std::uint64_t>(found.mixture.variables());
  std::vector<double> means;
  std::vector<double> covariances;
  for (std::size_t k = 0; k < found.members.size(); ++k) {
    means.insert(means.end(), found.mixture.means[k].begin(), found.mixture.means[k].end());
    const auto& covariance = found.mixture.covariances[k];
    covariances.insert(covariances.end(), covariance.data(), covariance.data() + covariance.size());
  }
  write_whole(file, "/populations/weight", {count}, {"population"}, "1", "share of the mixture", found.mixture.weights);
  write_whole(file, "/populations/mean", {count, variables}, {"population", "variable"}, "1", "mean of (m, n, b, d)",
              means);
  write_whole(file, "/populations/covariance", {count, variables, variables},
              {"population", "variable", "other_variable"}, "1", "covariance of (m, n, b, d)", covariances);
  write_whole(file, "/populations/members", {count}, {"population"}, "1", "neurons labelled so",
              {found.members.begin(), found.members.end()});
}

void write_labels(io::File& file, const parallel::Partition& partition, const Populations& found) {
  const auto all = static_cast<std::uint64_t>(partition.global_count());
  const io::Shape offset{static_cast<std::uint64_t>(partition.begin())};
  const io::Shape extent{static_cast<std::uint64_t>(partition.count())};
  file.create_dataset({.path = "/populations/label",
                       .shape = {all},
                       .dimensions = {"neuron"},
                       .type = io::Type::u8,
                       .long_name = "population of each neuron, counted from 0"});
  file.write_rows("/populations/label", offset, extent, std::span<const std::uint8_t>(found.labels).first(extent[0]));
  file.create_dataset({.path = "/populations/certainty",
                       .shape = {all},
                       .dimensions = {"neuron"},
                       .units = "1",
                       .long_name = "posterior probability of each neuron's label"});
  file.write_rows("/populations/certainty", offset, extent, std::span<const double>(found.certainty).first(extent[0]));
}

void write_curve(io::File& file, const MixtureSelection& selection) {
  const auto count = static_cast<std::uint64_t>(selection.scores.size());
  const auto column = [&](const std::string& name, const std::string& units, const std::string& long_name,
                          double HeldOutScore::*value) {
    std::vector<double> values;
    for (const auto& score : selection.scores) values.push_back(score.*value);
    write_whole(file, "/cross_validation/" + name, {count}, {"components"}, units, long_name, values);
  };
  file.create_group("/cross_validation");
  file.set_attributes("/cross_validation", {{"chosen", static_cast<std::int64_t>(selection.chosen)},
                                            {"best", static_cast<std::int64_t>(selection.best)},
                                            {"one_standard_error", static_cast<std::int64_t>(selection.one_error)}});
  column("log_likelihood", "nat", "held-out log-likelihood per neuron of 1, 2, … populations",
         &HeldOutScore::log_likelihood);
  column("standard_error", "nat", "its standard error", &HeldOutScore::standard_error);
  column("shortfall", "nat", "how much it is below the best number's", &HeldOutScore::shortfall);
  column("shortfall_error", "nat", "standard error of the shortfall, neuron by neuron", &HeldOutScore::shortfall_error);
  column("bic", "nat", "Bayesian information criterion of a fit to all neurons", &HeldOutScore::bic);
}

/// Fixed points that are left, or those of the whole network.
void write_points(io::File& file, const std::string& group, int rank, const FixedPointReport& report) {
  file.create_group(group);
  file.set_attribute(group, "fixed_points", static_cast<std::int64_t>(report.points.size()));
  if (report.points.empty()) return;
  std::vector<double> places;
  std::vector<double> stable;
  for (const auto& point : report.points) {
    places.insert(places.end(), point.place.begin(), point.place.end());
    stable.push_back(point.linear.verdict == Stability::stable ? 1 : 0);
  }
  const auto count = static_cast<std::uint64_t>(report.points.size());
  write_whole(file, group + "/latent", {count, static_cast<std::uint64_t>(rank)}, {"fixed_point", "rank"}, "1",
              "latent state of each fixed point", places);
  write_whole(file, group + "/stable", {count}, {"fixed_point"}, "", "1: stable", stable);
}

void write_silencing(io::File& file, const model::Network<double>& network, const SilencingReport& report) {
  const auto count = static_cast<std::uint64_t>(report.change.size());
  write_whole(file, "/silencing/change", {count}, {"population"}, "1",
              "relative change of the flow when the population is silenced", report.change);
  if (report.whole) write_points(file, "/silencing/none", network.rank, *report.whole);
  for (std::size_t p = 0; p < report.without.size(); ++p)
    write_points(file, fmt::format("/silencing/population_{}", p), network.rank, report.without[p]);
  write_grid(file, report.grid);
  write_field(file, report.grid, "whole", "flow F of the whole network", report.flow.total);
  for (std::size_t p = 0; p < report.flow.drive.size(); ++p)
    write_field(file, report.grid, fmt::format("drive_{}", p),
                fmt::format("part of F that population {} makes: F less this is the flow without it", p),
                report.flow.drive[p]);
}

}  // namespace

void write_populations(io::File& file, const model::Network<double>& network, const Populations& found,
                       const SilencingReport& silencing) {
  file.create_group("/populations");
  file.set_attributes("/populations", {{"variables", fmt::format("{}", fmt::join(found.variables, "\n"))},
                                       {"log_likelihood", found.log_likelihood},
                                       {"mean_certainty", found.mean_certainty},
                                       {"converged", std::int64_t{found.converged ? 1 : 0}}});
  write_mixture(file, found);
  write_labels(file, network.partition, found);
  if (found.selection) write_curve(file, *found.selection);
  write_silencing(file, network, silencing);
}

}  // namespace rankflow::analysis
