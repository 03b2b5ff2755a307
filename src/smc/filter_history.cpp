#include "smc/filter_history.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace rankflow::smc {

namespace {

double gibibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

}  // namespace

template <class T>
std::int64_t FilterHistory<T>::bytes_per_rank(const ParticleLayout& layout, std::int64_t rank, std::int64_t times) {
  const std::int64_t blocks = (layout.blocks() + layout.ranks() - 1) / layout.ranks();
  // A block has at most as many trials as lanes, hence two numbers per lane name its offspring.
  const std::int64_t lane = rank * static_cast<std::int64_t>(sizeof(T)) + 8 + 2 * 8;
  return times * (blocks * L * lane + 2 * 8 * layout.ranks());
}

template <class T>
FilterHistory<T>::FilterHistory(const ParticleLayout& layout, const parallel::Communicator& comm, std::int64_t rank,
                                std::int64_t times, std::int64_t memory_limit)
    : layout_(layout), comm_(comm), rank_(rank), times_(times) {
  const std::int64_t needed = bytes_per_rank(layout, rank, times);
  if (needed > memory_limit)
    throw ConfigurationError(
        "smoothing keeps the particles of every step: {} trials x {} steps x {} particles need {:.3g} GiB on each of "
        "{} ranks, {:.3g} GiB are allowed; use fewer particles, shorter trials or more ranks, or raise "
        "filter.history_limit",
        layout.trials(), times, layout.particles(), gibibytes(needed), layout.ranks(), gibibytes(memory_limit));
  steps_.reserve(static_cast<std::size_t>(times));
}

template <class T>
void FilterHistory<T>::add(const WeightedParticles<T>& particles) {
  if (particles.time != static_cast<std::int64_t>(steps_.size()) || particles.time >= times_)
    throw InternalError("step {} was added to a filter's history of {} out of {} steps", particles.time, steps_.size(),
                        times_);
  Step step;
  const std::int64_t blocks = layout_.local_blocks();
  step.states.resize(static_cast<std::size_t>(blocks * rank_ * L));
  step.weights.assign(particles.weights, particles.weights + blocks * L);
  for (std::int64_t local = 0; local < blocks; ++local)
    std::copy_n(particles.block_states(local), rank_ * L, step.states.data() + local * rank_ * L);
  if (particles.arrival != nullptr) {
    std::int64_t slots = 0;
    for (const Segment& segment : layout_.local_segments()) slots += segment.particles + 1;
    step.first_slots.assign(particles.arrival->first_slots, particles.arrival->first_slots + slots);
    step.sent.assign(particles.arrival->send_counts, particles.arrival->send_counts + layout_.ranks());
    step.received.assign(particles.arrival->receive_counts, particles.arrival->receive_counts + layout_.ranks());
  }
  steps_.push_back(std::move(step));
}

template <class T>
WeightedParticles<T> FilterHistory<T>::particles(std::int64_t time) {
  if (static_cast<std::int64_t>(steps_.size()) != times_)
    throw InternalError("a filter's history holds {} of {} steps", steps_.size(), times_);
  const Step& step = steps_[static_cast<std::size_t>(time)];
  return {
      .time = time, .layout = &layout_, .rows = rank_, .states = step.states.data(), .weights = step.weights.data()};
}

template <class T>
Genealogy FilterHistory<T>::genealogy(std::int64_t time) {
  Step& next = steps_.at(static_cast<std::size_t>(time) + 1);
  return {
      .first_slots = next.first_slots.data(), .send_counts = next.sent.data(), .receive_counts = next.received.data()};
}

template class FilterHistory<float>;
template class FilterHistory<double>;

}  // namespace rankflow::smc
