#include <Random123/philox.h>

int main() {
  const r123::Philox4x32 generator;
  const r123::Philox4x32::ctr_type counter = {{}};
  const r123::Philox4x32::key_type key = {{}};
  return generator(counter, key)[0] == 0x6627e8d5U ? 0 : 1;
}
