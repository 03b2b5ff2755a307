#pragma once
#include <cstdint>

#include "ad/tape.hpp"

namespace rankflow::nn {

/// What a convolution sees beyond the ends of a trial.
enum class Padding {
  valid,    ///< nothing: time - width + 1 outputs, output t sees inputs t .. t + width - 1
  centred,  ///< zeros: output t sees inputs t - (width - 1) / 2 .. t + width / 2
  causal    ///< zeros: output t sees inputs t - width + 1 .. t
};

/// Time steps of the output.
constexpr std::int64_t conv1d_length(std::int64_t time, std::int64_t width, Padding padding) {
  return padding == Padding::valid ? time - width + 1 : time;
}

/// Convolution over time, on the tape: y [trial][time'][output] = bias + sum over k, i of weights [output][k][input]
/// x [trial][t + k - start][input]. Arrays have a row for each trial and time; weights are given as rows output * width
/// or as [output, width * input]; bias [1, outputs] or no value. Trials are multiplied one by one, so that their bits
/// do not depend on how many there are. float and double. Throws InternalError when shapes do not fit or a valid
/// convolution is wider than a trial.
template <class T>
ad::Array<T> conv1d(ad::Tape& tape, const ad::Array<T>& x, std::int64_t trials, const ad::Array<T>& weights,
                    const ad::Array<T>& bias, std::int64_t width, Padding padding);

}  // namespace rankflow::nn
