#include "simulate/latent_projection.hpp"

#include <Eigen/Dense>

#include "simulate/tile_kernels.hpp"

namespace rankflow::simulate {

template <class T>
const T* LatentProjection<T>::column(std::int64_t tile, int index) const {
  return index < network_.rank ? network_.m.tile(tile, index)
                               : network_.input_weights.tile(tile, index - network_.rank);
}

template <class T>
LatentProjection<T>::LatentProjection(const model::Network<T>& network, const parallel::Communicator& comm)
    : network_(network), comm_(comm), columns_(network.rank + network.inputs) {
  const auto size = static_cast<std::size_t>(columns_);
  parallel::ReproducibleSum sums(size * size);
  for (std::int64_t tile = 0; tile < network.partition.tiles(); ++tile) {
    const auto count = tile_weights(network, tile).count;
    for (int a = 0; a < columns_; ++a)
      for (int b = 0; b < columns_; ++b)
        sums.add(static_cast<std::size_t>(a) * size + static_cast<std::size_t>(b),
                 static_cast<double>(tile_dot(column(tile, a), column(tile, b), count)));
  }
  Eigen::MatrixXd gram(columns_, columns_);
  sums.reduce(comm, std::span(gram.data(), size * size));
  const Eigen::MatrixXd inverse = gram.completeOrthogonalDecomposition().pseudoInverse();
  coordinates_.resize(static_cast<std::size_t>(network.rank) * size);
  for (int r = 0; r < network.rank; ++r)
    for (int c = 0; c < columns_; ++c)
      coordinates_[static_cast<std::size_t>(r) * size + static_cast<std::size_t>(c)] = inverse(r, c);
}

template <class T>
template <class TileOf>
void LatentProjection<T>::project_tiles(int states, TileOf&& tile_of, std::span<double> z) const {
  const auto size = static_cast<std::size_t>(columns_);
  const auto count = static_cast<std::size_t>(states) * size;
  if (!sums_ || sums_->count() != count) sums_.emplace(count);
  overlaps_.resize(count);
  for (std::int64_t tile = 0; tile < network_.partition.tiles(); ++tile) {
    const auto neurons = tile_weights(network_, tile).count;
    for (int s = 0; s < states; ++s)
      for (int k = 0; k < columns_; ++k)
        sums_->add(static_cast<std::size_t>(s) * size + static_cast<std::size_t>(k),
                   static_cast<double>(tile_dot(tile_of(s, tile), column(tile, k), neurons)));
  }
  sums_->reduce(comm_, overlaps_);
  for (std::size_t s = 0; s < static_cast<std::size_t>(states); ++s) {
    for (std::size_t r = 0; r < static_cast<std::size_t>(network_.rank); ++r) {
      double coordinate = 0;
      for (std::size_t c = 0; c < size; ++c) coordinate += coordinates_[r * size + c] * overlaps_[s * size + c];
      z[s * static_cast<std::size_t>(network_.rank) + r] = coordinate;
    }
  }
}

template <class T>
void LatentProjection<T>::project(std::span<const model::NeuronArray<T>* const> states, std::span<double> z) const {
  project_tiles(
      static_cast<int>(states.size()),
      [&](int state, std::int64_t tile) { return states[static_cast<std::size_t>(state)]->tile(tile, 0); }, z);
}

template <class T>
void LatentProjection<T>::project_columns(const model::NeuronArray<T>& states, int first, int count,
                                          std::span<double> z) const {
  project_tiles(
      count, [&](int state, std::int64_t tile) { return states.tile(tile, first + state); }, z);
}

template class LatentProjection<double>;
template class LatentProjection<float>;

}  // namespace rankflow::simulate
