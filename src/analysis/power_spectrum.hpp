#pragma once
#include <cstdint>
#include <vector>

#include "analysis/series.hpp"

namespace rankflow::analysis {

/// Normalised power of each channel at the frequencies 0, 1/T, 2/T, … cycles per step.
struct PowerSpectrum {
  std::int64_t length = 0;                ///< T
  std::int64_t bins = 0;                  ///< floor(T/2): the last bin of the transform is left out
  std::int64_t channels = 0;              ///< D
  std::vector<double> density = {};       ///< [channel, bin]; NaN for a channel without a usable trial
  std::vector<std::int64_t> trials = {};  ///< [channel], trials that were complete and not constant
};

/// Per channel and trial: z-score over time, squared modulus of the Fourier transform; mean over trials; convolution
/// with a Gaussian of `smoothing` bins (cut at 4 standard deviations, ends repeated); the last bin is dropped and the
/// rest divided by its sum (Pals et al. 2024, after Mikhaeil et al. 2022 and Brenner et al. 2022; they divide first,
/// which leaves equal spectra a distance of the root of the last bin's share). Trials with a missing or without any
/// varying sample are left out per channel.
PowerSpectrum power_spectrum(const Series& series, double smoothing);

/// Hellinger distance sqrt(1 − Σ sqrt(p q)) of each channel; NaN where either is. Throws InternalError when shapes
/// differ.
std::vector<double> hellinger_distances(const PowerSpectrum& p, const PowerSpectrum& q);

}  // namespace rankflow::analysis
