#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.hpp"

namespace rankflow::model {

/// An array that fits every rank's memory and is the same on all of them; last index fastest.
struct SmallArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// Reads what `source` names or holds inline; transposed (the order of its axes reversed) and scaled as it says.
/// `key`: the configuration key, for messages. Throws InputDataError naming key, file and position for a value that
/// is not finite, and what io::read_array throws, with the context "while reading <key>". Each rank reads for itself.
SmallArray read_small_array(const config::ArraySource& source, std::string_view key);

/// The shape that read_small_array() would give, without reading the values of a file.
std::vector<std::int64_t> small_array_shape(const config::ArraySource& source, std::string_view key);

/// "key (file a.npz, array m)", or "key" for inline values: how messages speak of a source.
std::string describe_source(const config::ArraySource& source, std::string_view key);

/// "[3, 2]".
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace rankflow::model
