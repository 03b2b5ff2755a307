#pragma once
#include "ad/tape.hpp"

namespace rankflow::nn {

/// y [samples, outputs] = x [samples, inputs] weights^T + bias, on the tape; weights [outputs, inputs], bias [1,
/// outputs] or no value. float and double. Throws InternalError when shapes do not fit.
template <class T>
ad::Array<T> dense(ad::Tape& tape, const ad::Array<T>& x, const ad::Array<T>& weights, const ad::Array<T>& bias);

}  // namespace rankflow::nn
