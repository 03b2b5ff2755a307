#include "model/activation.hpp"

namespace rankflow::model {
namespace {

template <class T, class Function>
void map_tile(const T* x, const T* bias, T* out, std::int64_t count, Function function) {
  using Batch = xsimd::batch<T>;
  for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(Batch::size)) {
    const Batch d = bias == nullptr ? Batch(T(0)) : Batch::load_aligned(bias + i);
    function(Batch::load_aligned(x + i), d).store_aligned(out + i);
  }
}

}  // namespace

template <class T>
void tile_rates(Activation kind, const T* x, const T* bias, T* rates, std::int64_t count) {
  with_activation(kind, [&](auto phi) {
    map_tile(x, bias, rates, count, [](const auto& s, const auto& d) { return decltype(phi)::rate(s, d); });
  });
}

template <class T>
void tile_slopes(Activation kind, const T* x, const T* bias, T* slopes, std::int64_t count) {
  with_activation(kind, [&](auto phi) {
    map_tile(x, bias, slopes, count, [](const auto& s, const auto& d) { return decltype(phi)::slope(s, d); });
  });
}

template void tile_rates(Activation, const float*, const float*, float*, std::int64_t);
template void tile_rates(Activation, const double*, const double*, double*, std::int64_t);
template void tile_slopes(Activation, const float*, const float*, float*, std::int64_t);
template void tile_slopes(Activation, const double*, const double*, double*, std::int64_t);

}  // namespace rankflow::model
