#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "simulate/tile_kernels.hpp"
#include "simulate/tiled_vector_content.hpp"

namespace rankflow::simulate::tiled {
namespace {

using Batch = xsimd::batch<double>;
using parallel::tile_size;
constexpr std::int64_t lanes = 16;  ///< what tile_dot asks for; padding is 0 and adds nothing

std::int64_t padded(std::int64_t items) {
  return (items + lanes - 1) / lanes * lanes;
}

/// Sum over all neurons of tile_sum(first, length): `first` is a tile's first entry on this rank.
template <class TileSum>
double sum_tiles(N_Vector vector, TileSum tile_sum) {
  auto& common = shared(vector);
  common.sum.clear();
  for (std::int64_t tile = 0; tile < common.partition.tiles(); ++tile)
    common.sum.add(0, tile_sum(tile * tile_size, padded(common.partition.tile_count(tile))));
  double total = 0.0;
  common.sum.reduce(common.comm, std::span(&total, 1));
  return total;
}

/// Sum of term(i) over a tile, lane by lane in a fixed order.
template <class Term>
double tile_sum_of(std::int64_t first, std::int64_t length, Term term) {
  Batch partial(0.0);
  for (std::int64_t i = first; i < first + length; i += static_cast<std::int64_t>(Batch::size)) partial += term(i);
  alignas(64) std::array<double, Batch::size> values;
  partial.store_aligned(values.data());
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

double maximum(N_Vector vector, double mine) {
  shared(vector).comm.maximum(std::span<double>(&mine, 1));
  return mine;
}

double minimum(N_Vector vector, double mine) {
  shared(vector).comm.minimum(std::span<double>(&mine, 1));
  return mine;
}

realtype dot_product(N_Vector x, N_Vector y) {
  const double* a = data(x);
  const double* b = data(y);
  return sum_tiles(x, [=](std::int64_t first, std::int64_t length) { return tile_dot(a + first, b + first, length); });
}

double weighted_squares(N_Vector x, N_Vector w) {
  const double* a = data(x);
  const double* b = data(w);
  return sum_tiles(x, [=](std::int64_t first, std::int64_t length) {
    return tile_sum_of(first, length, [=](std::int64_t i) {
      const Batch weighted = Batch::load_aligned(a + i) * Batch::load_aligned(b + i);
      return weighted * weighted;
    });
  });
}

double mean_root(N_Vector vector, double sum) {
  return std::sqrt(sum / static_cast<double>(shared(vector).partition.global_count()));
}

realtype wrms_norm(N_Vector x, N_Vector w) {
  return mean_root(x, weighted_squares(x, w));
}

realtype wrms_norm_mask(N_Vector x, N_Vector w, N_Vector id) {
  const double* a = data(x);
  const double* b = data(w);
  const double* mask = data(id);
  const double sum = sum_tiles(x, [=](std::int64_t first, std::int64_t length) {
    return tile_sum_of(first, length, [=](std::int64_t i) {
      const Batch weighted = Batch::load_aligned(a + i) * Batch::load_aligned(b + i);
      return xsimd::select(Batch::load_aligned(mask + i) > Batch(0.0), weighted * weighted, Batch(0.0));
    });
  });
  return mean_root(x, sum);
}

realtype wl2_norm(N_Vector x, N_Vector w) {
  return std::sqrt(weighted_squares(x, w));
}

realtype l1_norm(N_Vector x) {
  const double* a = data(x);
  return sum_tiles(x, [=](std::int64_t first, std::int64_t length) {
    return tile_sum_of(first, length, [=](std::int64_t i) { return xsimd::abs(Batch::load_aligned(a + i)); });
  });
}

realtype max_norm(N_Vector x) {
  double largest = 0.0;
  for (const double value : std::span(data(x), static_cast<std::size_t>(count(x))))
    largest = std::max(largest, std::abs(value));
  return maximum(x, largest);
}

realtype smallest(N_Vector x) {
  // SUNDIALS' own vectors give this for an empty share too.
  double least = std::numeric_limits<double>::max();
  for (const double value : std::span(data(x), static_cast<std::size_t>(count(x)))) least = std::min(least, value);
  return minimum(x, least);
}

booleantype inverse_test(N_Vector x, N_Vector z) {
  const double* in = data(x);
  double* out = data(z);
  bool zero_found = false;
  for (std::int64_t i = 0; i < count(x); ++i) {
    if (in[i] == 0.0)
      zero_found = true;
    else
      out[i] = 1.0 / in[i];
  }
  return shared(x).comm.any(zero_found) ? SUNFALSE : SUNTRUE;
}

/// c: 2 demands x > 0, 1 x >= 0, -1 x <= 0, -2 x < 0, 0 nothing.
bool violates(double c, double x) {
  if (c == 0.0) return false;
  const bool strict = std::abs(c) > 1.5;
  return strict ? x * c <= 0.0 : x * c < 0.0;
}

booleantype constraint_mask(N_Vector c, N_Vector x, N_Vector m) {
  const double* constraint = data(c);
  const double* in = data(x);
  double* mask = data(m);
  bool violated = false;
  for (std::int64_t i = 0; i < count(x); ++i) {
    const bool here = violates(constraint[i], in[i]);
    mask[i] = here ? 1.0 : 0.0;
    violated = violated || here;
  }
  return shared(x).comm.any(violated) ? SUNFALSE : SUNTRUE;
}

realtype min_quotient(N_Vector numerator, N_Vector denominator) {
  const double* a = data(numerator);
  const double* b = data(denominator);
  double least = std::numeric_limits<double>::max();
  for (std::int64_t i = 0; i < count(numerator); ++i)
    if (b[i] != 0.0) least = std::min(least, a[i] / b[i]);
  return minimum(numerator, least);
}

}  // namespace

void set_reductions(N_Vector_Ops operations) {
  operations->nvdotprod = dot_product;
  operations->nvwrmsnorm = wrms_norm;
  operations->nvwrmsnormmask = wrms_norm_mask;
  operations->nvwl2norm = wl2_norm;
  operations->nvl1norm = l1_norm;
  operations->nvmaxnorm = max_norm;
  operations->nvmin = smallest;
  operations->nvinvtest = inverse_test;
  operations->nvconstrmask = constraint_mask;
  operations->nvminquotient = min_quotient;
}

}  // namespace rankflow::simulate::tiled
