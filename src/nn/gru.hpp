#pragma once
#include <cstdint>

#include "ad/tape.hpp"

namespace rankflow::nn {

/// Weights of a gated recurrent unit; rows of the three gates one after the other: reset r, update z, candidate n.
template <class T>
struct GruWeights {
  ad::Array<T> input;           ///< W [3 H, I]
  ad::Array<T> recurrent;       ///< U [3 H, H]
  ad::Array<T> input_bias;      ///< b [1, 3 H]
  ad::Array<T> recurrent_bias;  ///< c [1, 3 H]
};

/// A gated recurrent unit (Cho et al. 2014, with the reset after the product as cuDNN and PyTorch have it) over the
/// time of all trials, on the tape:
///   r = sigmoid(W_r x + b_r + U_r h + c_r),  z = sigmoid(W_z x + b_z + U_z h + c_z)
///   n = tanh(W_n x + b_n + r (U_n h + c_n)),  h' = (1 - z) n + z h
/// x [trial][time][I] with a row for each trial and time, start [trials, H]; result [trial][time][H]: h' at every time.
/// float and double. Throws InternalError when shapes do not fit.
template <class T>
ad::Array<T> gru(ad::Tape& tape, const ad::Array<T>& x, std::int64_t trials, const ad::Array<T>& start,
                 const GruWeights<T>& weights);

}  // namespace rankflow::nn
