#pragma once
#include <algorithm>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "ad/arena.hpp"

namespace rankflow::ad {

/// Numbers [rows, columns], row-major, with the adjoints d(objective)/d(value) beside them. A view: the memory belongs
/// to an arena or a parameter buffer. No adjoint: nothing is differentiated through it.
template <class T>
struct Array {
  T* value = nullptr;
  T* adjoint = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;

  std::int64_t size() const noexcept { return rows * columns; }
  bool has_adjoint() const noexcept { return adjoint != nullptr; }
  std::span<T> values() const noexcept { return {value, static_cast<std::size_t>(size())}; }
  /// Empty without adjoints.
  std::span<T> adjoints() const noexcept { return {adjoint, has_adjoint() ? static_cast<std::size_t>(size()) : 0}; }
  /// The same numbers as another matrix; rows * columns must stay.
  Array reshaped(std::int64_t new_rows, std::int64_t new_columns) const noexcept {
    return {value, adjoint, new_rows, new_columns};
  }
};

/// Reverse-mode differentiation of coarse operations: each computes its result at once and records how adjoints of
/// the result become adjoints of its operands; backward() runs these records from the last to the first. Results and
/// records live in the tape's arena until reset(); the second pass of equal size allocates nothing.
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Without recording results have no adjoints and records are dropped: for evaluation.
  void set_recording(bool on) noexcept { recording_ = on; }
  bool is_recording() const noexcept { return recording_; }

  /// A result: uninitialised values, adjoints 0 while recording.
  template <class T>
  Array<T> array(std::int64_t rows, std::int64_t columns) {
    T* const value = arena_.allocate<T>(rows * columns);
    return {value, recording_ ? arena_.zeros<T>(rows * columns) : nullptr, rows, columns};
  }
  /// A result that needs adjoints only while recording and if `differentiated`.
  template <class T>
  Array<T> array(std::int64_t rows, std::int64_t columns, bool differentiated) {
    return differentiated ? array<T>(rows, columns)
                          : Array<T>{arena_.allocate<T>(rows * columns), nullptr, rows, columns};
  }
  /// A copy of given numbers, without adjoints; `numbers` holds rows * columns of them.
  template <class T>
  Array<T> constant(std::span<const std::type_identity_t<T>> numbers, std::int64_t rows, std::int64_t columns) {
    T* const value = arena_.allocate<T>(rows * columns);
    std::copy_n(numbers.begin(), rows * columns, value);
    return {value, nullptr, rows, columns};
  }

  /// `backwards()` adds to the adjoints of the operands; captured by copy, without destructor.
  template <class Backwards>
  void record(const Backwards& backwards) {
    static_assert(std::is_trivially_copyable_v<Backwards> && std::is_trivially_destructible_v<Backwards>);
    if (!recording_) return;
    auto* const closure = ::new (arena_.allocate<Backwards>(1)) Backwards(backwards);
    last_ = ::new (arena_.allocate<Record>(1))
        Record{[](void* which) { (*static_cast<Backwards*>(which))(); }, closure, last_};
    ++records_;
  }

  /// Runs all records from the last to the first, once; the caller has set the adjoints of the objective.
  void backward() {
    for (; last_ != nullptr; last_ = last_->before) last_->run(last_->closure);
    records_ = 0;
  }
  /// Forgets records and results; keeps the memory.
  void reset() {
    arena_.reset();
    last_ = nullptr;
    records_ = 0;
  }

  /// For work space that backward() needs too.
  Arena& arena() noexcept { return arena_; }
  std::int64_t records() const noexcept { return records_; }

 private:
  struct Record {
    void (*run)(void*);
    void* closure;
    Record* before;
  };

  Arena arena_;
  Record* last_ = nullptr;
  std::int64_t records_ = 0;
  bool recording_ = true;
};

}  // namespace rankflow::ad
