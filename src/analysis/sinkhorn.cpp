#include "analysis/sinkhorn.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/sinkhorn_relaxation.hpp"
#include "analysis/sinkhorn_transport.hpp"
#include "core/error.hpp"

namespace rankflow::analysis {
namespace {

/// Single precision cannot tell less misplaced mass than this from rounding.
constexpr double single_precision_residual = 2e-3;
constexpr int iterations_of_each = 6;
/// Diameters over blur: up to the first, exponents are known to 2e-3 in single precision, up to the second to 1e-4 in
/// double.
constexpr double single_precision_ratio = 500, largest_ratio = 1e6;

void require_cloud(const PointCloud& cloud, const char* which) {
  if (cloud.count < 1 || cloud.dimensions < 1)
    throw InputDataError("the {} distribution has no points: a distance needs at least one neuron in each network",
                         which);
  for (const double value : cloud.values)
    if (!std::isfinite(value))
      throw InputDataError("the {} distribution holds a value that is not finite ({}); look for it with 'inspect'",
                           which, value);
}

void require_usable(const PointCloud& x, const PointCloud& y, const SinkhornOptions& options) {
  require_cloud(x, "first");
  require_cloud(y, "second");
  if (x.dimensions != y.dimensions)
    throw InputDataError(
        "the distributions have {} and {} dimensions: networks of different rank or inputs have no distance",
        x.dimensions, y.dimensions);
  if (!(options.blur > 0) || !(options.tolerance > 0) || options.most < 1)
    throw ConfigurationError(
        "blur, tolerance and iterations of a Sinkhorn divergence must be positive, found {}, {}, {}", options.blur,
        options.tolerance, options.most);
}

/// Exponents are squared distances over the penalty: they must be known to a fraction of 1.
void require_resolvable(double diameter, double blur) {
  if (diameter <= largest_ratio * blur) return;
  throw InputDataError(
      "the distributions spread over {:.3g}, more than {:.0e} times blur ({:.3g}), which a Sinkhorn divergence cannot "
      "resolve; look for neurons far out with 'inspect', or raise compare.blur",
      diameter, largest_ratio, blur);
}

/// Middle and diagonal of the box around both clouds.
std::pair<std::vector<double>, double> surround(const PointCloud& x, const PointCloud& y) {
  std::vector<double> middle;
  double square = 0;
  for (int k = 0; k < x.dimensions; ++k) {
    double low = x.values[static_cast<std::size_t>(k)];
    double high = low;
    for (const auto* cloud : {&x, &y})
      for (std::int64_t i = 0; i < cloud->count; ++i) {
        low = std::min(low, cloud->point(i)[static_cast<std::size_t>(k)]);
        high = std::max(high, cloud->point(i)[static_cast<std::size_t>(k)]);
      }
    middle.push_back(low + 0.5 * (high - low));
    square += (high - low) * (high - low);
  }
  return {std::move(middle), std::sqrt(square)};
}

/// Penalties from the clouds' size down to the final one, by factors of 4 (halves of a length). A few iterations with
/// each save most of those with the last.
std::vector<double> penalties(double diameter, double blur) {
  std::vector<double> steps;
  for (double length = diameter; length > blur; length /= 2)
    steps.insert(steps.end(), iterations_of_each, length * length);
  return steps;
}

/// potential += factor (updated − potential).
void relax(Potential& potential, const Potential& updated, double factor) {
  for (std::size_t i = 0; i < potential.size(); ++i) potential[i] += factor * (updated[i] - potential[i]);
}

/// OT between two clouds: rows and columns in turn.
template <class T>
class CrossTransport {
 public:
  CrossTransport(const PointCloud& x, const PointCloud& y, std::span<const double> middle,
                 const parallel::Communicator& comm)
      : to_rows_(x, y, middle, comm),
        to_columns_(y, x, middle, comm),
        rows_(static_cast<std::size_t>(x.count)),
        columns_(static_cast<std::size_t>(y.count)) {}

  /// One iteration; returns the mass that was misplaced before it, in rows and in columns.
  double improve(double epsilon, double factor, Potential& f, Potential& g) {
    to_rows_.apply(epsilon, g, rows_);
    double residual = misplaced(f, rows_, epsilon);
    relax(f, rows_, factor);
    to_columns_.apply(epsilon, f, columns_);
    residual += misplaced(g, columns_, epsilon);
    relax(g, columns_, factor);
    return residual;
  }
  /// The last iteration is a plain one: columns are right then and the rows tell the residual.
  double finish(double epsilon, Potential& f, Potential& g) {
    improve(epsilon, 1.0, f, g);
    to_rows_.apply(epsilon, g, rows_);
    return misplaced(f, rows_, epsilon);
  }

 private:
  SoftMinimum<T> to_rows_, to_columns_;
  Potential rows_, columns_;
};

/// OT of a cloud with itself: one potential, averaged with its own update, which converges within a few iterations.
template <class T>
class SelfTransport {
 public:
  SelfTransport(const PointCloud& x, std::span<const double> middle, const parallel::Communicator& comm)
      : update_(x, x, middle, comm), updated_(static_cast<std::size_t>(x.count)) {}

  double improve(double epsilon, Potential& f) {
    update_.apply(epsilon, f, updated_);
    const double residual = misplaced(f, updated_, epsilon);
    for (std::size_t i = 0; i < f.size(); ++i) f[i] = 0.5 * (f[i] + updated_[i]);
    return residual;
  }

 private:
  SoftMinimum<T> update_;
  Potential updated_;
};

/// Iterates until `residual` is small; returns {residual, iterations}.
template <class Improve>
std::pair<double, std::int64_t> iterate(double tolerance, std::int64_t most, const Improve& improve) {
  double residual = 0;
  for (std::int64_t k = 1; k <= most; ++k) {
    residual = improve();
    if (residual <= tolerance) return {residual, k};
  }
  return {residual, most};
}

/// The way to the last iterations, in single precision where that is enough.
template <template <class> class Solver, class Steps, class... Given>
std::pair<double, std::int64_t> approach(double diameter, const SinkhornOptions& options, const Steps& steps,
                                         const Given&... given) {
  if (diameter <= single_precision_ratio * options.blur) {
    Solver<float> coarse(given...);
    return steps(coarse);
  }
  Solver<double> coarse(given...);
  return steps(coarse);
}

Transport cross(const PointCloud& x, const PointCloud& y, std::span<const double> middle, double diameter,
                const SinkhornOptions& options, const parallel::Communicator& comm) {
  const double penalty = options.blur * options.blur;
  Potential f(static_cast<std::size_t>(x.count), 0.0);
  Potential g(static_cast<std::size_t>(y.count), 0.0);
  Relaxation relaxation;
  const auto improve = [&](auto& solver) {
    const double residual = solver.improve(penalty, relaxation.factor(), f, g);
    relaxation.observe(residual);
    return residual;
  };
  const auto rough = approach<CrossTransport>(
      diameter, options,
      [&](auto& coarse) {
        for (const double step : penalties(diameter, options.blur)) coarse.improve(step, 1.0, f, g);
        return iterate(std::max(options.tolerance, single_precision_residual), options.most,
                       [&] { return improve(coarse); });
      },
      x, y, middle, comm);
  CrossTransport<double> fine(x, y, middle, comm);
  const auto found =
      iterate(options.tolerance, std::max<std::int64_t>(1, options.most - rough.second), [&] { return improve(fine); });
  const double residual = fine.finish(penalty, f, g);
  return {.value = average_of(f) + average_of(g), .residual = residual, .iterations = rough.second + found.second};
}

Transport self(const PointCloud& x, std::span<const double> middle, double diameter, const SinkhornOptions& options,
               const parallel::Communicator& comm) {
  const double penalty = options.blur * options.blur;
  Potential f(static_cast<std::size_t>(x.count), 0.0);
  const auto rough = approach<SelfTransport>(
      diameter, options,
      [&](auto& coarse) {
        for (const double step : penalties(diameter, options.blur)) coarse.improve(step, f);
        return iterate(std::max(options.tolerance, single_precision_residual), options.most,
                       [&] { return coarse.improve(penalty, f); });
      },
      x, middle, comm);
  SelfTransport<double> fine(x, middle, comm);
  const auto found = iterate(options.tolerance, std::max<std::int64_t>(1, options.most - rough.second),
                             [&] { return fine.improve(penalty, f); });
  return {.value = 2 * average_of(f), .residual = found.first, .iterations = rough.second + found.second};
}

Transport transport(const PointCloud& x, const PointCloud& y, std::span<const double> middle, double diameter,
                    const SinkhornOptions& options, const parallel::Communicator& comm) {
  return options.schedule == SinkhornSchedule::geomloss ? geomloss_transport(x, y, middle, diameter, options, comm)
                                                        : cross(x, y, middle, diameter, options, comm);
}

Transport transport_to_itself(const PointCloud& x, std::span<const double> middle, double diameter,
                              const SinkhornOptions& options, const parallel::Communicator& comm) {
  return options.schedule == SinkhornSchedule::geomloss ? geomloss_transport(x, x, middle, diameter, options, comm)
                                                        : self(x, middle, diameter, options, comm);
}

}  // namespace

SinkhornResult sinkhorn_divergence(const PointCloud& x, const PointCloud& y, const SinkhornOptions& options,
                                   const parallel::Communicator& comm) {
  require_usable(x, y, options);
  const auto [middle, diameter] = surround(x, y);
  require_resolvable(diameter, options.blur);
  const auto between = transport(x, y, middle, diameter, options, comm);
  const auto first = transport_to_itself(x, middle, diameter, options, comm);
  const auto second = transport_to_itself(y, middle, diameter, options, comm);
  const double residual = std::max({between.residual, first.residual, second.residual});
  const double found = between.value - 0.5 * (first.value + second.value);
  // The exact divergence is never below 0; iterations that stopped early are, by up to their error.
  const bool converging = options.schedule == SinkhornSchedule::converged;
  return {.divergence = converging ? std::max(found, 0.0) : found,
          .residual = residual,
          .iterations = std::max({between.iterations, first.iterations, second.iterations}),
          .converged = residual <= options.tolerance};
}

}  // namespace rankflow::analysis
