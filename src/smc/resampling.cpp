#include "smc/resampling.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/draws.hpp"

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
  const double scaled = cumulated * static_cast<double>(drawn_);
  switch (scheme_) {
    case Resampling::systematic:
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(scaled - uniforms_[0])), 0, drawn_);
    case Resampling::stratified: {
      const auto whole = static_cast<std::int64_t>(scaled);
      if (whole >= drawn_) return drawn_;
      const double offset = uniforms_[static_cast<std::size_t>(whole)];
      return whole + (static_cast<double>(whole) + offset < scaled ? 1 : 0);
    }
    case Resampling::multinomial:
    case Resampling::residual:
      break;
  }
  const auto end = uniforms_.begin() + drawn_;
  return std::lower_bound(uniforms_.begin(), end, cumulated) - uniforms_.begin();
}

void block_offspring(const ResamplingPositions& positions, std::span<const double> weights, const BlockShare& share,
                     std::span<std::int64_t> first_slots) {
  double total = 0;
  std::size_t last = 0;  // the last particle with a weight takes the block's last slots, whatever rounding says
  for (std::size_t lane = 0; lane < weights.size(); ++lane) {
    total += weights[lane];
    if (weights[lane] > 0) last = lane;
  }
  double cumulated = 0;
  first_slots[0] = share.first_slot;
  for (std::size_t lane = 0; lane < weights.size(); ++lane) {
    cumulated += weights[lane];
    const double position = share.mass_before + share.mass * (cumulated / total);
    first_slots[lane + 1] =
        lane >= last ? share.end_slot : std::clamp(positions.below(position), share.first_slot, share.end_slot);
  }
}

}  // namespace rankflow::smc
