#pragma once
#include <cstdint>
#include <utility>

namespace rankflow::io {

/// Owns one HDF5 identifier and closes it with the function that belongs to its kind. Move only.
/// (hid_t is a 64-bit integer; the HDF5 headers stay out of our headers.)
class Hdf5Handle {
 public:
  using Close = int (*)(std::int64_t);

  Hdf5Handle() = default;
  Hdf5Handle(std::int64_t id, Close closer) noexcept : id_(id), close_(closer) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(other.release()), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    if (this != &other) {
      close();
      id_ = other.release();
      close_ = other.close_;
    }
    return *this;
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  ~Hdf5Handle() { close(); }

  bool valid() const noexcept { return id_ >= 0; }
  std::int64_t get() const noexcept { return id_; }
  /// Gives the identifier up without closing it.
  std::int64_t release() noexcept { return std::exchange(id_, -1); }
  /// Closes now; negative when HDF5 reports a failure.
  int close() noexcept {
    const auto id = release();
    return id >= 0 ? close_(id) : 0;
  }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

}  // namespace rankflow::io
