#include "smc/resampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "parallel/draws.hpp"
#include "smc/low_rank_step.hpp"

namespace rankflow::smc {

using config::Resampling;

ResamplingPositions::ResamplingPositions(Resampling scheme, std::int64_t slots) : scheme_(scheme) {
  const bool one = scheme == Resampling::systematic;
  uniforms_.resize(one ? 1 : static_cast<std::size_t>(slots) + 1);
}

void ResamplingPositions::draw(const parallel::Stream& stream, std::uint32_t trial, std::uint32_t step,
                               std::int64_t drawn) {
  drawn_ = drawn;
  const parallel::Draw draw{.trial = trial, .step = step};
  switch (scheme_) {
    case Resampling::systematic:
      parallel::uniform<double>(stream, draw, 0, uniforms_);
      return;
    case Resampling::stratified:
      parallel::uniform<double>(stream, draw, 0, {uniforms_.data(), static_cast<std::size_t>(drawn)});
      return;
    case Resampling::multinomial:
    case Resampling::residual:
      break;
  }
  // Cumulated exponentials over their total are sorted uniforms (Devroye 1986, section V.2).
  const std::span<double> spacings(uniforms_.data(), static_cast<std::size_t>(drawn) + 1);
  parallel::exponential<double>(stream, draw, 0, spacings);
  double total = 0;
  for (double& value : spacings) value = (total += value);
  for (double& value : spacings) value /= total;
}

std::int64_t ResamplingPositions::below(double cumulated) const {
  std::int64_t count = 0;
  below({&cumulated, 1}, {&count, 1});
  return count;
}

void ResamplingPositions::below(std::span<const double> cumulated, std::span<std::int64_t> counts) const {
  const auto each = [&](const auto& count) {
    std::transform(cumulated.begin(), cumulated.end(), counts.begin(), count);
  };
  const auto drawn = static_cast<double>(drawn_);
  switch (scheme_) {
    case Resampling::systematic:
      return each([this, drawn](double share) {
        const double above = std::ceil(share * drawn - uniforms_[0]);
        return static_cast<std::int64_t>(std::clamp(above, 0.0, drawn));
      });
    case Resampling::stratified:
      return each([this, drawn](double share) {
        const double scaled = share * drawn;
        const auto whole = static_cast<std::int64_t>(scaled);
        if (whole >= drawn_) return drawn_;
        const double offset = uniforms_[static_cast<std::size_t>(whole)];
        return whole + (static_cast<double>(whole) + offset < scaled ? 1 : 0);
      });
    case Resampling::multinomial:
    case Resampling::residual:
      break;
  }
  const auto begin = uniforms_.begin(), end = begin + drawn_;
  each([&](double share) { return std::lower_bound(begin, end, share) - begin; });
}

void block_offspring(const ResamplingPositions& positions, std::span<const double> weights, const BlockShare& share,
                     std::span<std::int64_t> first_slots) {
  double total = 0;
  std::size_t last = 0;  // the last particle with a weight takes the block's last slots, whatever rounding says
  std::array<double, block_lanes> cumulated;
  for (std::size_t lane = 0; lane < weights.size(); ++lane) {
    cumulated[lane] = total += weights[lane];
    if (weights[lane] > 0) last = lane;
  }
  for (std::size_t lane = 0; lane < last; ++lane)
    cumulated[lane] = share.mass_before + share.mass * (cumulated[lane] / total);
  first_slots[0] = share.first_slot;
  positions.below({cumulated.data(), last}, first_slots.subspan(1, last));
  for (std::int64_t& slot : first_slots.subspan(1, last)) slot = std::clamp(slot, share.first_slot, share.end_slot);
  std::ranges::fill(first_slots.subspan(last + 1), share.end_slot);
}

}  // namespace rankflow::smc
