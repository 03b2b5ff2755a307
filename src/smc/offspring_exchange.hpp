#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "parallel/communicator.hpp"
#include "smc/particle_layout.hpp"

namespace rankflow::smc {

/// Who moves where after one resampling: kept for the way back.
struct Genealogy {
  /// For each local block lanes() + trials values: a trial's particles, then the end of the last one's offspring.
  /// Offspring of a particle fill slots [first, next first) of its trial.
  std::int64_t* first_slots = nullptr;
  std::int64_t* send_counts = nullptr;     ///< slots to each rank
  std::int64_t* receive_counts = nullptr;  ///< slots from each rank
};

/// Moves particles to their offspring's slots and adjoints back, each once per step, whoever owns them.
/// All functions are collective when trials cross ranks, and allocate nothing.
class OffspringExchange {
 public:
  /// rows: numbers that travel with a particle.
  OffspringExchange(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t rows);

  /// Numbers of first_slots that the local blocks need.
  std::int64_t slot_values() const noexcept { return slot_values_; }
  /// Where a local block's values begin in first_slots.
  std::int64_t slot_offset(std::int64_t local_block) const noexcept {
    return slot_offsets_[static_cast<std::size_t>(local_block)];
  }

  /// block_slots: for every block of all ranks the first slot of its offspring in its trial, which is 0 for whole
  /// trials. Sets the counts.
  void plan(std::span<const std::int64_t> block_slots, const Genealogy& genealogy) const;

  /// from, to: [local block][row stride][block_lanes], of which the first `rows` rows travel.
  template <class T>
  void forward(const Genealogy& genealogy, const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride);
  /// Adds the adjoints of all offspring to those of their ancestors.
  template <class T>
  void backward(const Genealogy& genealogy, const T* to_adjoint, std::int64_t to_stride, T* from_adjoint,
                std::int64_t from_stride);

 private:
  /// A rank's part of a trial that spans ranks.
  struct Part {
    std::int64_t first_particle = 0, end_particle = 0;  ///< slots it owns
    std::int64_t first_slot = 0, end_slot = 0;          ///< slots that its particles fill
  };
  Part part(int rank, std::int64_t trial, std::span<const std::int64_t> block_slots) const;
  std::int64_t received() const noexcept { return slot_values_ - slot_ends_; }
  void find_ancestors(const Genealogy& genealogy, std::int64_t local,
                      std::span<std::int32_t, block_lanes> ancestors) const;
  template <class T>
  std::pair<std::span<T>, std::span<T>> messages(const Genealogy& genealogy);

  const ParticleLayout& layout_;
  const parallel::Communicator& comm_;
  std::int64_t rows_;
  bool crosses_;
  std::int64_t slot_values_ = 0;
  std::int64_t slot_ends_ = 0;  ///< those of slot_values_ that are ends
  std::vector<Block> blocks_;   ///< of this rank
  std::vector<std::int64_t> slot_offsets_;
  std::vector<std::int64_t> send_lengths_, receive_lengths_;
  std::vector<std::byte> send_, receive_;  ///< room for the messages, whatever their type
};

}  // namespace rankflow::smc
