#include <cstring>

#include "io/hdf5_state.hpp"

namespace rankflow::io {
namespace {

Hdf5Handle text_type() {
  auto type = type_handle(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

bool write(hid_t object, const char* name, hid_t file_type, hid_t memory_type, hid_t space, const void* value) {
  const auto attribute = attribute_handle(H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT));
  return attribute.valid() && H5Awrite(attribute.get(), memory_type, value) >= 0;
}

bool write(hid_t object, const char* name, const Attribute& value) {
  const auto scalar = space_handle(H5Screate(H5S_SCALAR));
  if (const auto* text = std::get_if<std::string>(&value)) {
    // Variable length: it has no 64 kB limit, and h5py gives it back as str.
    const auto type = text_type();
    const char* pointer = text->c_str();
    return write(object, name, type.get(), type.get(), scalar.get(), &pointer);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return write(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, scalar.get(), integer);
  if (const auto* whole = std::get_if<std::uint64_t>(&value))
    return write(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, scalar.get(), whole);
  if (const auto* number = std::get_if<double>(&value))
    return write(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, scalar.get(), number);
  const auto& numbers = std::get<std::vector<double>>(value);
  const hsize_t length = numbers.size();
  const auto row = space_handle(H5Screate_simple(1, &length, nullptr));
  return write(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, row.get(), numbers.data());
}

std::optional<Attribute> read_text(hid_t attribute, hid_t type) {
  if (H5Tis_variable_str(type) > 0) {
    char* pointer = nullptr;
    const auto memory = type_handle(H5Tcopy(type));
    if (H5Aread(attribute, memory.get(), &pointer) < 0 || pointer == nullptr) return std::nullopt;
    std::string text(pointer);
    H5free_memory(pointer);
    return text;
  }
  std::string text(H5Tget_size(type), '\0');
  if (H5Aread(attribute, type, text.data()) < 0) return std::nullopt;
  text.resize(std::strlen(text.c_str()));
  return text;
}

template <class T>
std::optional<Attribute> read_number(hid_t attribute, hid_t memory_type) {
  T value{};
  if (H5Aread(attribute, memory_type, &value) < 0) return std::nullopt;
  return value;
}

std::optional<Attribute> read_numbers(hid_t attribute, std::size_t count) {
  std::vector<double> values(count);
  if (H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()) < 0) return std::nullopt;
  return values;
}

std::optional<Attribute> read(hid_t attribute) {
  const auto type = type_handle(H5Aget_type(attribute));
  const auto space = space_handle(H5Aget_space(attribute));
  const auto count = H5Sget_simple_extent_npoints(space.get());
  const auto kind = type_of(type.get());
  if (count < 1 || kind == Type::other || (kind == Type::text && count > 1)) return std::nullopt;
  if (kind == Type::text) return read_text(attribute, type.get());
  if (count > 1) return read_numbers(attribute, static_cast<std::size_t>(count));
  if (kind == Type::f32 || kind == Type::f64) return read_number<double>(attribute, H5T_NATIVE_DOUBLE);
  if (kind == Type::u64) return read_number<std::uint64_t>(attribute, H5T_NATIVE_UINT64);
  return read_number<std::int64_t>(attribute, H5T_NATIVE_INT64);
}

herr_t append_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

void File::set_attribute(const std::string& object, const std::string& name, const Attribute& value) {
  state_->together([&] {
    const auto target = state_->object(object);
    if (H5Aexists(target.get(), name.c_str()) > 0) H5Adelete(target.get(), name.c_str());
    if (!write(target.get(), name.c_str(), value))
      throw InputOutputError("cannot write attribute '{}' of '{}' in '{}': {}", name, object, state_->name,
                             hdf5_reason());
  });
}

void File::set_attributes(const std::string& object, const Attributes& values) {
  for (const auto& [name, value] : values) set_attribute(object, name, value);
}

std::optional<Attribute> File::attribute(const std::string& object, const std::string& name) const {
  const auto target = state_->object(object);
  if (H5Aexists(target.get(), name.c_str()) <= 0) return std::nullopt;
  const auto attribute = attribute_handle(H5Aopen(target.get(), name.c_str(), H5P_DEFAULT));
  auto value = read(attribute.get());
  H5Eclear2(H5E_DEFAULT);
  return value;
}

Attributes File::attributes(const std::string& object) const {
  std::vector<std::string> names;
  const auto target = state_->object(object);
  hsize_t position = 0;
  H5Aiterate2(target.get(), H5_INDEX_NAME, H5_ITER_INC, &position, &append_name, &names);
  Attributes found;
  for (const auto& name : names)
    if (auto value = attribute(object, name)) found.emplace(name, std::move(*value));
  return found;
}

}  // namespace rankflow::io
