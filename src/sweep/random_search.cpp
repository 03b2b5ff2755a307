#include "sweep/random_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "parallel/draws.hpp"

namespace rankflow::sweep {
namespace {

/// FNV-1a: each key has numbers of its own.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return value;
}

double rounded(double value, const Drawn& drawn) {
  return std::clamp(std::stod(fmt::format("{:.6g}", value)), drawn.low, drawn.high);
}

config::Value value_of(const Drawn& drawn, const parallel::Stream& stream, parallel::Draw draw) {
  std::array<double, 1> uniform{};
  std::array<std::uint64_t, 1> whole{};
  switch (drawn.law) {
    case Law::uniform:
      parallel::uniform<double>(stream, draw, 0, uniform);
      return {rounded(drawn.low + (drawn.high - drawn.low) * uniform[0], drawn), drawn.origin};
    case Law::log_uniform:
      parallel::uniform<double>(stream, draw, 0, uniform);
      return {rounded(drawn.low * std::pow(drawn.high / drawn.low, uniform[0]), drawn), drawn.origin};
    case Law::integer:
      parallel::below(stream, draw, 0, static_cast<std::uint64_t>(drawn.high - drawn.low) + 1, whole);
      return {static_cast<std::int64_t>(drawn.low) + static_cast<std::int64_t>(whole[0]), drawn.origin};
    case Law::choice:
      break;
  }
  parallel::below(stream, draw, 0, drawn.choices.size(), whole);
  return drawn.choices[whole[0]];
}

}  // namespace

Setting random_setting(const RandomSearch& search, std::uint32_t draw) {
  const parallel::Stream stream(search.seed, parallel::Purpose::sweep_draws);
  Setting setting;
  for (const auto& drawn : search.keys) {
    const auto key = hash(drawn.key);
    const parallel::Draw number{.trial = static_cast<std::uint32_t>(key),
                                .step = draw,
                                .index = static_cast<std::uint32_t>(key >> 32U) & 0xFFFFU};
    setting.push_back({drawn.key, value_of(drawn, stream, number)});
  }
  return setting;
}

}  // namespace rankflow::sweep
