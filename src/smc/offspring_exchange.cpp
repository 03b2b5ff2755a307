#include "smc/offspring_exchange.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace rankflow::smc {

namespace {

std::int64_t overlap(std::int64_t a_begin, std::int64_t a_end, std::int64_t b_begin, std::int64_t b_end) {
  return std::max<std::int64_t>(0, std::min(a_end, b_end) - std::max(a_begin, b_begin));
}

/// Calls action(first slots of the trial's particles, particles, first lane) for every trial of a block.
template <class Action>
void for_each_trial(const Block& block, const std::int64_t* first_slots, const Action& action) {
  for (std::int64_t trial = 0; trial < block.trials; ++trial)
    action(first_slots + trial * (block.particles + 1), block.particles, trial * block.particles);
}

}  // namespace

OffspringExchange::OffspringExchange(const ParticleLayout& layout, const parallel::Communicator& comm,
                                     std::int64_t rows)
    : layout_(layout), comm_(comm), rows_(rows), crosses_(layout.crosses_ranks()) {
  for (std::int64_t index = layout.first_block(); index < layout.end_block(); ++index) {
    const Block block = layout.block(index);
    blocks_.push_back(block);
    slot_offsets_.push_back(slot_values_);
    slot_values_ += block.lanes() + block.trials;
    slot_ends_ += block.trials;
  }
  const auto ranks = static_cast<std::size_t>(layout.ranks());
  send_lengths_.resize(ranks);
  receive_lengths_.resize(ranks);
}

OffspringExchange::Part OffspringExchange::part(int rank, std::int64_t trial,
                                                std::span<const std::int64_t> block_slots) const {
  const std::int64_t blocks = layout_.blocks_per_trial();
  const std::int64_t base = trial * blocks;
  const auto bound = [&](int r) {
    return std::clamp<std::int64_t>(layout_.rank_bounds()[static_cast<std::size_t>(r)] - base, 0, blocks);
  };
  const auto slot = [&](std::int64_t within) {
    return within == blocks ? layout_.particles() : block_slots[static_cast<std::size_t>(base + within)];
  };
  const std::int64_t first = bound(rank);
  const std::int64_t end = bound(rank + 1);
  return {layout_.particle_begin(first), layout_.particle_begin(end), slot(first), slot(end)};
}

void OffspringExchange::plan(std::span<const std::int64_t> block_slots, const Genealogy& genealogy) const {
  std::fill_n(genealogy.send_counts, layout_.ranks(), 0);
  std::fill_n(genealogy.receive_counts, layout_.ranks(), 0);
  if (!crosses_) {
    genealogy.send_counts[layout_.rank()] = received();
    genealogy.receive_counts[layout_.rank()] = received();
    return;
  }
  if (layout_.local_blocks() == 0) return;
  const std::int64_t blocks = layout_.blocks_per_trial();
  for (std::int64_t trial = layout_.first_block() / blocks; trial * blocks < layout_.end_block(); ++trial) {
    const Part mine = part(layout_.rank(), trial, block_slots);
    const int last = layout_.rank_of_block((trial + 1) * blocks - 1);
    for (int rank = layout_.rank_of_block(trial * blocks); rank <= last; ++rank) {
      const Part other = part(rank, trial, block_slots);
      genealogy.send_counts[rank] += overlap(mine.first_slot, mine.end_slot, other.first_particle, other.end_particle);
      genealogy.receive_counts[rank] +=
          overlap(other.first_slot, other.end_slot, mine.first_particle, mine.end_particle);
    }
  }
}

template <class T>
std::pair<std::span<T>, std::span<T>> OffspringExchange::messages(const Genealogy& genealogy) {
  for (std::size_t r = 0; r < send_lengths_.size(); ++r) {
    send_lengths_[r] = genealogy.send_counts[r] * rows_;
    receive_lengths_[r] = genealogy.receive_counts[r] * rows_;
  }
  const auto sent =
      static_cast<std::size_t>(std::accumulate(send_lengths_.begin(), send_lengths_.end(), std::int64_t{0}));
  const auto received_numbers = static_cast<std::size_t>(received() * rows_);
  if (send_.size() < sent * sizeof(T)) send_.resize(sent * sizeof(T));
  if (receive_.size() < received_numbers * sizeof(T)) receive_.resize(received_numbers * sizeof(T));
  return {{reinterpret_cast<T*>(send_.data()), sent}, {reinterpret_cast<T*>(receive_.data()), received_numbers}};
}

/// ancestors[lane] of a block that holds whole trials: the lane of its ancestor. Without branches: how many offspring a
/// particle has is chance, which a processor would guess wrong.
void OffspringExchange::find_ancestors(const Genealogy& genealogy, std::int64_t local,
                                       std::span<std::int32_t, block_lanes> ancestors) const {
  std::array<std::int32_t, block_lanes + 1> begins;
  for_each_trial(blocks_[static_cast<std::size_t>(local)], genealogy.first_slots + slot_offset(local),
                 [&](const std::int64_t* first, std::int64_t particles, std::int64_t lane) {
                   std::fill_n(begins.begin(), particles, 0);
                   // Of particles with one first slot the last one has offspring, if the slot exists.
                   for (std::int64_t k = 0; k < particles; ++k)
                     begins[static_cast<std::size_t>(first[k])] = static_cast<std::int32_t>(k);
                   std::int32_t ancestor = 0;
                   for (std::int64_t slot = 0; slot < particles; ++slot) {
                     ancestor = std::max(ancestor, begins[static_cast<std::size_t>(slot)]);
                     ancestors[static_cast<std::size_t>(lane + slot)] = static_cast<std::int32_t>(lane) + ancestor;
                   }
                 });
}

template <class T>
void OffspringExchange::forward(const Genealogy& genealogy, const T* from, std::int64_t from_stride, T* to,
                                std::int64_t to_stride) {
  if (!layout_.trials_span_blocks()) {
    std::array<std::int32_t, block_lanes> ancestors;
    for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
      find_ancestors(genealogy, local, ancestors);
      const std::int64_t lanes = blocks_[static_cast<std::size_t>(local)].lanes();
      for (std::int64_t r = 0; r < rows_; ++r) {
        const T* source = from + (local * from_stride + r) * L;
        T* target = to + (local * to_stride + r) * L;
        for (std::int64_t lane = 0; lane < lanes; ++lane)
          target[lane] = source[ancestors[static_cast<std::size_t>(lane)]];
      }
    }
    return;
  }
  const auto [send, receive] = messages<T>(genealogy);
  T* out = send.data();
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const T* states = from + local * from_stride * L;
    const Block& block = blocks_[static_cast<std::size_t>(local)];
    for_each_trial(block, genealogy.first_slots + slot_offset(local),
                   [&](const std::int64_t* first, std::int64_t particles, std::int64_t lane) {
                     for (std::int64_t k = 0; k < particles; ++k)
                       for (std::int64_t slot = first[k]; slot < first[k + 1]; ++slot)
                         for (std::int64_t r = 0; r < rows_; ++r) *out++ = states[r * L + lane + k];
                   });
  }
  const T* in = send.data();
  if (crosses_) {
    comm_.all_to_all<T>(send, send_lengths_, receive, receive_lengths_);
    in = receive.data();
  }
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    T* states = to + local * to_stride * L;
    const std::int64_t lanes = blocks_[static_cast<std::size_t>(local)].lanes();
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      for (std::int64_t r = 0; r < rows_; ++r) states[r * L + lane] = *in++;
  }
}

template <class T>
void OffspringExchange::backward(const Genealogy& genealogy, const T* to_adjoint, std::int64_t to_stride,
                                 T* from_adjoint, std::int64_t from_stride) {
  if (!layout_.trials_span_blocks()) {
    std::array<std::int32_t, block_lanes> ancestors;
    for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
      find_ancestors(genealogy, local, ancestors);
      const T* source = to_adjoint + local * to_stride * L;
      T* target = from_adjoint + local * from_stride * L;
      const std::int64_t lanes = blocks_[static_cast<std::size_t>(local)].lanes();
      for (std::int64_t lane = 0; lane < lanes; ++lane)
        for (std::int64_t r = 0; r < rows_; ++r)
          target[r * L + ancestors[static_cast<std::size_t>(lane)]] += source[r * L + lane];
    }
    return;
  }
  const auto [send, receive] = messages<T>(genealogy);
  T* out = crosses_ ? receive.data() : send.data();
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    const T* adjoints = to_adjoint + local * to_stride * L;
    const std::int64_t lanes = blocks_[static_cast<std::size_t>(local)].lanes();
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      for (std::int64_t r = 0; r < rows_; ++r) *out++ = adjoints[r * L + lane];
  }
  if (crosses_) comm_.all_to_all<T>(receive, receive_lengths_, send, send_lengths_);
  const T* in = send.data();
  for (std::int64_t local = 0; local < layout_.local_blocks(); ++local) {
    T* adjoints = from_adjoint + local * from_stride * L;
    const Block& block = blocks_[static_cast<std::size_t>(local)];
    for_each_trial(block, genealogy.first_slots + slot_offset(local),
                   [&](const std::int64_t* first, std::int64_t particles, std::int64_t lane) {
                     for (std::int64_t k = 0; k < particles; ++k)
                       for (std::int64_t slot = first[k]; slot < first[k + 1]; ++slot)
                         for (std::int64_t r = 0; r < rows_; ++r) adjoints[r * L + lane + k] += *in++;
                   });
  }
}

template void OffspringExchange::forward(const Genealogy&, const float*, std::int64_t, float*, std::int64_t);
template void OffspringExchange::forward(const Genealogy&, const double*, std::int64_t, double*, std::int64_t);
template void OffspringExchange::backward(const Genealogy&, const float*, std::int64_t, float*, std::int64_t);
template void OffspringExchange::backward(const Genealogy&, const double*, std::int64_t, double*, std::int64_t);

}  // namespace rankflow::smc
