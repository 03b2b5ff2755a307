#pragma once
#include <cstdint>
#include <vector>

#include "io/hdf5_file.hpp"

namespace rankflow::fit {

/// Latents that a run saved, with the inputs of the same rows.
struct SavedLatents {
  std::int64_t trials = 0;  ///< B
  std::int64_t rows = 0;    ///< T
  int rank = 0;             ///< R
  int inputs = 0;           ///< I; 0 when none were saved
  std::vector<double> z;    ///< [B, T, R]
  std::vector<double> u;    ///< [B, T, I]
  double interval = 0;      ///< between rows, s
};

/// Reads /trajectory of a run, the same on every rank. Collective. Throws InputDataError for a file of another kind,
/// for fewer than two rows, and for rows that are not evenly spaced.
SavedLatents read_saved_latents(const io::File& file);

}  // namespace rankflow::fit
