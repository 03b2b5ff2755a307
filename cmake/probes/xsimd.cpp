#include <xsimd/xsimd.hpp>

int main() {
  const xsimd::batch<float> angle(0.5F);
  return xsimd::tanh(angle).get(0) > 0.0F ? 0 : 1;
}
