#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/input_signal.hpp"
#include "parallel/random_stream.hpp"

namespace rankflow::model {

/// Stationary Ornstein-Uhlenbeck process of mean `amplitude`, held constant over each step of the grid. Its values
/// at the grid points have the exact law: y(0) = std xi(0), y(k + 1) = a y(k) + std sqrt(1 - a^2) xi(k + 1),
/// a = exp(-step / correlation_time) (Gillespie 1996, eq. 1.9). xi(k) depends on (seed, trial, k, entry) only.
/// The path is not stored: going forward costs one step per step, going back by more than a block starts from 0.
class RandomSignal final : public InputSignal {
 public:
  RandomSignal(const config::InputOptions& options, std::size_t index, std::int64_t trials, const TimeGrid& grid,
               std::uint64_t seed);

 private:
  /// Steps whose normals are drawn at once.
  static constexpr std::int64_t block_steps = 32;
  using Values = std::array<double, block_steps>;
  /// How far a trial has come. Two blocks back, because integrators look back over the last step.
  struct Progress {
    std::int64_t block = 0;  ///< latest block entered
    double before = 0.0;     ///< y just before this block
    double earlier = 0.0;    ///< y just before the previous block
  };
  /// Values of one block of one trial.
  struct Slot {
    std::int64_t trial = -1;
    std::int64_t block = -1;
    Values values{};
  };

  void add_inside(std::int64_t trial, double t, std::span<double> driven) override;
  double next_jump_inside(std::int64_t trial, double t) const override;
  double deviation(std::int64_t trial, std::int64_t k);
  void enter(std::int64_t trial, std::int64_t block, Values& values);
  void advance(std::int64_t trial, std::int64_t block, double before, Values& values) const;

  parallel::Stream stream_;
  std::uint64_t first_item_;
  double std_, decay_, kick_;
  std::vector<Progress> progress_;  ///< by trial
  std::vector<Slot> slots_;         ///< trial t uses slot t modulo their number
};

}  // namespace rankflow::model
