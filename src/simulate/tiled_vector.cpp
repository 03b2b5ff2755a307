#include "simulate/tiled_vector.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <xsimd/xsimd.hpp>

#include "simulate/tiled_vector_content.hpp"

namespace rankflow::simulate {
namespace tiled {
namespace {

using Batch = xsimd::batch<double>;
constexpr std::int64_t width = static_cast<std::int64_t>(Batch::size);

/// out[i] = f(in[i]...) over whole registers, then one by one: values past `count` are not touched. Arrays may
/// coincide.
template <class F, class... In>
void transform(std::int64_t count, double* out, F f, const In*... in) {
  std::int64_t i = 0;
  for (; i + width <= count; i += width) f(Batch::load_aligned(in + i)...).store_aligned(out + i);
  for (; i < count; ++i) out[i] = f(in[i]...);
}

void linear_sum(realtype a, N_Vector x, realtype b, N_Vector y, N_Vector z) {
  transform(
      count(z), data(z), [a, b](const auto& xi, const auto& yi) { return a * xi + b * yi; }, data(x), data(y));
}

void set_constant(realtype c, N_Vector z) {
  std::fill_n(data(z), count(z), c);
}

void product(N_Vector x, N_Vector y, N_Vector z) {
  transform(
      count(z), data(z), [](const auto& xi, const auto& yi) { return xi * yi; }, data(x), data(y));
}

void quotient(N_Vector x, N_Vector y, N_Vector z) {
  transform(
      count(z), data(z), [](const auto& xi, const auto& yi) { return xi / yi; }, data(x), data(y));
}

void scale(realtype c, N_Vector x, N_Vector z) {
  transform(
      count(z), data(z), [c](const auto& xi) { return c * xi; }, data(x));
}

void absolute(N_Vector x, N_Vector z) {
  transform(
      count(z), data(z),
      [](const auto& xi) {
        using std::abs;
        using xsimd::abs;
        return abs(xi);
      },
      data(x));
}

void inverse(N_Vector x, N_Vector z) {
  transform(
      count(z), data(z), [](const auto& xi) { return 1.0 / xi; }, data(x));
}

void add_constant(N_Vector x, realtype b, N_Vector z) {
  transform(
      count(z), data(z), [b](const auto& xi) { return xi + b; }, data(x));
}

void compare(realtype c, N_Vector x, N_Vector z) {
  const double* in = data(x);
  double* out = data(z);
  for (std::int64_t i = 0; i < count(z); ++i) out[i] = std::abs(in[i]) >= c ? 1.0 : 0.0;
}

/// z = sum_k c_k X_k, tile by tile so that z stays in the first-level cache. z may be X_0.
int linear_combination(int terms, realtype* c, N_Vector* x, N_Vector z) {
  const std::int64_t total = count(z);
  for (std::int64_t first = 0; first < total; first += parallel::tile_size) {
    const std::int64_t length = std::min(parallel::tile_size, total - first);
    double* out = data(z) + first;
    transform(
        length, out, [c0 = c[0]](const auto& xi) { return c0 * xi; }, data(x[0]) + first);
    for (int k = 1; k < terms; ++k)
      transform(
          length, out, [ck = c[k]](const auto& zi, const auto& xi) { return zi + ck * xi; }, data(z) + first,
          data(x[k]) + first);
  }
  return 0;
}

/// Z_k = a_k x + Y_k, tile by tile so that x is read from memory once.
int scale_add_multi(int terms, realtype* a, N_Vector x, N_Vector* y, N_Vector* z) {
  const std::int64_t total = count(x);
  for (std::int64_t first = 0; first < total; first += parallel::tile_size) {
    const std::int64_t length = std::min(parallel::tile_size, total - first);
    for (int k = 0; k < terms; ++k)
      transform(
          length, data(z[k]) + first, [ak = a[k]](const auto& xi, const auto& yi) { return ak * xi + yi; },
          data(x) + first, data(y[k]) + first);
  }
  return 0;
}

N_Vector_ID vector_id(N_Vector) {
  return SUNDIALS_NVEC_CUSTOM;
}

sunindextype length(N_Vector vector) {
  return shared(vector).partition.global_count();
}

realtype* array_pointer(N_Vector vector) {
  return data(vector);
}

void space(N_Vector vector, sunindextype* reals, sunindextype* integers) {
  *reals = length(vector);
  *integers = 2;
}

void destroy(N_Vector vector) {
  if (vector == nullptr) return;
  delete static_cast<Content*>(vector->content);
  vector->content = nullptr;
  N_VFreeEmpty(vector);
}

/// SUNDIALS is C: no exception may pass through it, and it takes a null clone for lack of memory.
N_Vector clone(N_Vector original) noexcept {
  VectorHandle copy(N_VNewEmpty(original->sunctx));
  if (copy == nullptr || N_VCopyOps(original, copy.get()) != 0) return nullptr;
  try {
    const auto& common = content(original).shared;
    copy->content = new Content{common, model::NeuronArray<double>(common->partition, 1)};
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return copy.release();
}

void set_streaming_operations(N_Vector_Ops operations) {
  operations->nvgetvectorid = vector_id;
  operations->nvclone = clone;
  operations->nvdestroy = destroy;
  operations->nvspace = space;
  operations->nvgetarraypointer = array_pointer;
  operations->nvgetlength = length;
  operations->nvlinearsum = linear_sum;
  operations->nvconst = set_constant;
  operations->nvprod = product;
  operations->nvdiv = quotient;
  operations->nvscale = scale;
  operations->nvabs = absolute;
  operations->nvinv = inverse;
  operations->nvaddconst = add_constant;
  operations->nvcompare = compare;
  operations->nvlinearcombination = linear_combination;
  operations->nvscaleaddmulti = scale_add_multi;
}

}  // namespace
}  // namespace tiled

VectorHandle make_tiled_vector(const parallel::Partition& partition, const parallel::Communicator& comm,
                               SUNContext context) {
  N_Vector vector = N_VNewEmpty(context);
  if (vector == nullptr) throw std::bad_alloc();
  // Without its operations a vector cannot destroy itself: they come before anything that may throw.
  tiled::set_streaming_operations(vector->ops);
  tiled::set_reductions(vector->ops);
  VectorHandle handle(vector);
  vector->content = new tiled::Content{std::make_shared<tiled::Shared>(tiled::Shared{comm, partition}),
                                       model::NeuronArray<double>(partition, 1)};
  return handle;
}

model::NeuronArray<double>& tiled_values(N_Vector vector) {
  return tiled::content(vector).values;
}

}  // namespace rankflow::simulate
