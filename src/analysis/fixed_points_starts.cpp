#include "analysis/fixed_points_starts.hpp"

#include <span>

#include "parallel/draws.hpp"

namespace rankflow::analysis {

RandomStarts::RandomStarts(std::uint64_t seed, StartUse use, std::uint32_t step, Eigen::VectorXd centre,
                           Eigen::VectorXd spread)
    : stream_(seed, parallel::Purpose::fixed_point_starts),
      draw_{.trial = 0, .step = step, .index = static_cast<std::uint32_t>(use)},
      centre_(std::move(centre)),
      spread_(std::move(spread)) {}

Eigen::VectorXd RandomStarts::start(std::int64_t number) const {
  Eigen::VectorXd z(centre_.size());
  const auto first = static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(z.size());
  parallel::normal<double>(stream_, draw_, first, std::span(z.data(), static_cast<std::size_t>(z.size())));
  return centre_ + spread_.cwiseProduct(z);
}

}  // namespace rankflow::analysis
