#include "parallel/reproducible_sum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace rankflow::parallel {
namespace {

constexpr int limb_bits = 32;
/// Exponent of the lowest bit of limb 0: that of the smallest subnormal number.
constexpr int lowest_exponent = -1074;
constexpr int mantissa_bits = 53;
constexpr std::int64_t limb_base = std::int64_t{1} << limb_bits;
constexpr std::int64_t additions_between_carries = std::int64_t{1} << 29;
constexpr int nan_word = ExactAccumulator::limb_count;
constexpr int plus_infinity_word = nan_word + 1;
constexpr int minus_infinity_word = nan_word + 2;
/// Messages up to this size cost little more than their latency: they go whole.
constexpr std::size_t short_message_bytes = 8192;

/// Rounds the non-negative number sum(limbs[i] 2^(32 i)) 2^lowest_exponent to the nearest double, ties to even.
/// `limbs` are in [0, 2^32).
double round_magnitude(std::span<const std::int64_t> limbs) {
  int top = static_cast<int>(limbs.size()) - 1;
  while (top >= 0 && limbs[static_cast<std::size_t>(top)] == 0) --top;
  if (top < 0) return 0.0;
  const auto limb = [&](int i) {
    return i < 0 ? std::uint64_t{0} : static_cast<std::uint64_t>(limbs[static_cast<std::size_t>(i)]);
  };
  const int width = static_cast<int>(std::bit_width(limb(top)));
  // The 64 leading bits, then a sticky bit for all that lie below.
  std::uint64_t head = limb(top) << (64 - width);
  head |= (limb(top - 1) << 32) >> width;
  head |= width < 32 ? limb(top - 2) >> width : 0;
  bool sticky = top >= 2 && (limb(top - 2) & ((std::uint64_t{1} << width) - 1)) != 0;
  for (int i = top - 3; i >= 0 && !sticky; --i) sticky = limb(i) != 0;
  const int head_exponent = lowest_exponent + limb_bits * top + width - 64;
  // Subnormal results keep fewer bits; no bit lies below 2^lowest_exponent, so they are exact.
  const int dropped = std::max(64 - mantissa_bits, lowest_exponent - head_exponent);
  std::uint64_t kept = head >> dropped;
  const std::uint64_t rest = head & ((std::uint64_t{1} << dropped) - 1);
  const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
  if (rest > half || (rest == half && (sticky || (kept & 1) != 0))) ++kept;
  return std::ldexp(static_cast<double>(kept), head_exponent + dropped);
}

}  // namespace

void ExactAccumulator::add(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int biased_exponent = static_cast<int>((bits >> (mantissa_bits - 1)) & 0x7ff);
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << (mantissa_bits - 1)) - 1);
  const bool negative = (bits >> 63) != 0;
  if (biased_exponent == 0x7ff) {
    ++words_[static_cast<std::size_t>(mantissa != 0 ? nan_word : negative ? minus_infinity_word : plus_infinity_word)];
    return;
  }
  // Position of the mantissa's lowest bit above 2^lowest_exponent; subnormals share that of exponent 1.
  const int position = std::max(biased_exponent, 1) - 1;
  if (biased_exponent != 0) mantissa |= std::uint64_t{1} << (mantissa_bits - 1);
  const auto limb = static_cast<std::size_t>(position / limb_bits);
  const unsigned shift = static_cast<unsigned>(position % limb_bits);
  // The shifted mantissa spans three limbs.
  const std::uint64_t low = mantissa << shift;
  const std::uint64_t high = shift == 0 ? 0 : mantissa >> (64 - shift);
  // (word ^ flip) - flip negates without a branch: signs of sums are hard to predict.
  const std::int64_t flip = negative ? -1 : 0;
  words_[limb] += (static_cast<std::int64_t>(low & 0xffffffffU) ^ flip) - flip;
  words_[limb + 1] += (static_cast<std::int64_t>(low >> 32) ^ flip) - flip;
  words_[limb + 2] += (static_cast<std::int64_t>(high) ^ flip) - flip;
  if (++additions_ == additions_between_carries) resolve_carries();
}

void ExactAccumulator::resolve_carries() {
  std::int64_t carry = 0;
  for (std::size_t i = 0; i + 1 < limb_count; ++i) {
    const std::int64_t limb = words_[i] + carry;
    carry = limb >> limb_bits;  // floor, so that what stays is in [0, 2^32)
    words_[i] = limb - carry * limb_base;
  }
  words_[limb_count - 1] += carry;  // keeps the sign of the whole number
  additions_ = 0;
}

void ExactAccumulator::settle() {
  const auto limbs = words().first<limb_count>();
  resolve_carries();
  if (limbs[limb_count - 1] >= 0) return;
  for (auto& limb : limbs) limb = -limb;
  resolve_carries();
  for (auto& limb : limbs) limb = -limb;
}

double ExactAccumulator::value() const {
  const bool plus = words_[plus_infinity_word] > 0;
  const bool minus = words_[minus_infinity_word] > 0;
  if (words_[nan_word] > 0 || (plus && minus)) return std::numeric_limits<double>::quiet_NaN();
  if (plus || minus) return plus ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  ExactAccumulator settled = *this;
  settled.settle();
  const auto limbs = settled.words().first<limb_count>();
  const bool negative = std::ranges::any_of(limbs, [](std::int64_t limb) { return limb < 0; });
  if (negative)
    for (auto& limb : limbs) limb = -limb;
  const double rounded = round_magnitude(limbs);
  return negative ? -rounded : rounded;
}

void ReproducibleSum::clear() {
  for (auto& accumulator : accumulators_) accumulator.clear();
}

/// Settles the accumulators. Collective.
ReproducibleSum::Window ReproducibleSum::used_words(const Communicator& comm) {
  for (auto& accumulator : accumulators_) accumulator.settle();
  if (message_.size() * sizeof(std::int64_t) <= short_message_bytes) return {};
  constexpr auto limb_count = static_cast<std::int64_t>(ExactAccumulator::limb_count);
  std::array<std::int64_t, 2> reach{-limb_count, 0};  // -(first word used), end of the words used
  for (auto& accumulator : accumulators_) {
    const auto words = accumulator.words();
    const auto used = [&](std::int64_t word) { return words[static_cast<std::size_t>(word)] != 0; };
    std::int64_t begin = 0;
    std::int64_t end = accumulator.has_non_finite() ? ExactAccumulator::word_count : limb_count;
    while (begin < end && !used(begin)) ++begin;
    while (end > begin && !used(end - 1)) --end;
    if (begin < end) reach = {std::max(reach[0], -begin), std::max(reach[1], end)};
  }
  comm.maximum(std::span<std::int64_t>(reach));
  const auto begin = static_cast<std::size_t>(-reach[0]);
  return {.begin = begin, .end = std::max(begin, static_cast<std::size_t>(reach[1]))};
}

void ReproducibleSum::add_ranks(const Communicator& comm) {
  const auto [begin, end] = used_words(comm);
  const std::size_t words = end - begin;
  const auto message = std::span(message_).first(count() * words);
  for (std::size_t i = 0; i < count(); ++i)
    std::ranges::copy(accumulators_[i].words().subspan(begin, words), message.subspan(i * words, words).begin());
  comm.sum(message);
  for (std::size_t i = 0; i < count(); ++i)
    std::ranges::copy(message.subspan(i * words, words), accumulators_[i].words().subspan(begin, words).begin());
}

void ReproducibleSum::reduce(const Communicator& comm, std::span<double> sums) {
  if (sums.size() != count())
    throw InternalError("a reproducible sum of {} values was given room for {}", count(), sums.size());
  if (comm.size() > 1) add_ranks(comm);
  for (std::size_t i = 0; i < count(); ++i) sums[i] = accumulators_[i].value();
  clear();
}

}  // namespace rankflow::parallel
