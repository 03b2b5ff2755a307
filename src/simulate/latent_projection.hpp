#pragma once
#include <optional>
#include <span>
#include <vector>

#include "model/network.hpp"
#include "parallel/communicator.hpp"
#include "parallel/reproducible_sum.hpp"

namespace rankflow::simulate {

/// Latents of potentials: least-squares coordinates of x on span(m, b), the part along m. Equal to the latent
/// state of the reduced dynamics when x lies in that span (Beiran et al. 2021, sec. 2.2). Columns that are
/// linearly dependent share the coordinate of smallest norm.
template <class T>
class LatentProjection {
 public:
  /// Collective. `network` and `comm` must outlive the projection.
  LatentProjection(const model::Network<T>& network, const parallel::Communicator& comm);

  /// Latents of single-column states, [states, R]. Collective.
  void project(std::span<const model::NeuronArray<T>* const> states, std::span<double> z) const;
  /// Latents of the columns [first, first + count) of one array, [count, R]. Collective.
  void project_columns(const model::NeuronArray<T>& states, int first, int count, std::span<double> z) const;

 private:
  template <class TileOf>
  void project_tiles(int states, TileOf&& tile_of, std::span<double> z) const;
  const T* column(std::int64_t tile, int index) const;

  const model::Network<T>& network_;
  const parallel::Communicator& comm_;
  int columns_;                      ///< R + I
  std::vector<double> coordinates_;  ///< [R, R + I]: inverse Gram matrix, rows of m
  // Work space: projections are made at every saved row, with a threshold at every step.
  mutable std::optional<parallel::ReproducibleSum> sums_;
  mutable std::vector<double> overlaps_;
};

}  // namespace rankflow::simulate
