#include "io/hdf5_support.hpp"

#include <array>

namespace rankflow::io {
namespace {

herr_t keep_innermost(unsigned position, const H5E_error2_t* entry, void* target) {
  if (position == 0 && entry->desc != nullptr) *static_cast<std::string*>(target) = entry->desc;
  return 0;
}

Type integer_type(hid_t type) {
  const bool is_signed = H5Tget_sign(type) != H5T_SGN_NONE;
  switch (H5Tget_size(type)) {
    case 1:
      return is_signed ? Type::i8 : Type::u8;
    case 2:
      return is_signed ? Type::i16 : Type::u16;
    case 4:
      return is_signed ? Type::i32 : Type::u32;
    case 8:
      return is_signed ? Type::i64 : Type::u64;
    default:
      return Type::other;
  }
}

}  // namespace

void silence_hdf5() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string hdf5_reason() {
  std::string reason = "HDF5 gives no reason";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &keep_innermost, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason;
}

hid_t file_type_id(Type type) {
  switch (type) {
    case Type::f32:
      return H5T_IEEE_F32LE;
    case Type::f64:
      return H5T_IEEE_F64LE;
    case Type::i8:
      return H5T_STD_I8LE;
    case Type::i16:
      return H5T_STD_I16LE;
    case Type::i32:
      return H5T_STD_I32LE;
    case Type::i64:
      return H5T_STD_I64LE;
    case Type::u8:
    case Type::boolean:
      return H5T_STD_U8LE;
    case Type::u16:
      return H5T_STD_U16LE;
    case Type::u32:
      return H5T_STD_U32LE;
    case Type::u64:
      return H5T_STD_U64LE;
    default:
      throw InternalError("no dataset can be made of {}", name_of(type));
  }
}

template <>
hid_t memory_type_id<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
hid_t memory_type_id<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
hid_t memory_type_id<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
hid_t memory_type_id<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
hid_t memory_type_id<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
hid_t memory_type_id<std::uint16_t>() {
  return H5T_NATIVE_UINT16;
}

Type type_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return H5Tget_size(type) == 4 ? Type::f32 : Type::f64;
    case H5T_INTEGER:
      return integer_type(type);
    case H5T_ENUM:
      return Type::boolean;
    case H5T_STRING:
      return Type::text;
    default:
      return Type::other;
  }
}

}  // namespace rankflow::io
