#include "io/file_kind.hpp"

namespace rankflow::io {

std::string file_type_of(const File& file) {
  const auto type = file.attribute("/", "file_type");
  return type && std::holds_alternative<std::string>(*type) ? std::get<std::string>(*type) : "";
}

std::string with_article(const std::string& type) {
  const bool vowel = !type.empty() && std::string("aeiou").find(type.front()) != std::string::npos;
  return fmt::format("{} {} file", vowel ? "an" : "a", type);
}

std::string kind_of_file(const File& file) {
  const auto type = file_type_of(file);
  return type.empty() ? "an HDF5 file of another program" : with_article(type);
}

}  // namespace rankflow::io
