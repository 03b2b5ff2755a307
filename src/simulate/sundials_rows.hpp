#pragma once
// Private to the .cpp files of the SUNDIALS engine: no public header includes it.
#include <cstdint>

#include "simulate/engine.hpp"
#include "simulate/sundials_space.hpp"

namespace rankflow::simulate {

/// One trial's state vector, shown to what records rows.
class RowView final : public StateView {
 public:
  RowView(const SundialsSpace& space, int trial, N_Vector y) : space_(space), trial_(trial), y_(y) {}
  int first_trial() const override { return trial_; }
  int trials() const override { return 1; }
  void latents(std::span<double> z) const override { space_.latents(y_, z); }
  void tile_potentials(int, std::int64_t tile, double* x) const override { space_.tile_potentials(y_, tile, x); }

 private:
  const SundialsSpace& space_;
  int trial_;
  N_Vector y_;
};

/// The stored states of all trials.
class StoredView final : public StateView {
 public:
  StoredView(const SundialsSpace& space, int trials) : space_(space), trials_(trials) {}
  int first_trial() const override { return 0; }
  int trials() const override { return trials_; }
  void latents(std::span<double> z) const override { space_.stored_latents(z); }
  void tile_potentials(int trial, std::int64_t tile, double* x) const override {
    space_.stored_tile_potentials(trial, tile, x);
  }

 private:
  const SundialsSpace& space_;
  int trials_;
};

/// Hands the rows of one trial to a sink in blocks of what it can hold.
class RowBlocks {
 public:
  RowBlocks(RowSink& sink, int trial, std::int64_t first_row)
      : sink_(sink), capacity_(sink.rows_per_block(1)), trial_(trial), next_(first_row) {}

  std::int64_t next() const noexcept { return next_; }
  void record(const StateView& state) {
    if (held_ == 0) sink_.open_block(trial_, 1, next_);
    sink_.record(next_++, state);
    if (++held_ == capacity_) close();
  }
  void close() {
    if (held_ > 0) sink_.close_block();
    held_ = 0;
  }

 private:
  RowSink& sink_;
  std::int64_t capacity_;
  int trial_;
  std::int64_t next_;
  std::int64_t held_ = 0;
};

}  // namespace rankflow::simulate
