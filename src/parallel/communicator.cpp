#include "parallel/communicator.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "parallel/mpi_status.hpp"

namespace rankflow::parallel {
namespace {

constexpr auto message_limit = mpi_message_limit;

template <class T>
void reduce_in_place(MPI_Comm comm, std::span<T> values, MPI_Datatype type, MPI_Op op) {
  if (comm == MPI_COMM_NULL) return;
  for (std::size_t done = 0; done < values.size();) {
    const auto count = std::min<std::size_t>(values.size() - done, message_limit);
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data() + done, static_cast<int>(count), type, op, comm),
              "MPI_Allreduce");
    done += count;
  }
}

/// MPI is one per process, and so is what must end before it.
std::vector<std::function<void()>>& actions_at_end() {
  static std::vector<std::function<void()>> actions;
  return actions;
}

}  // namespace

Request& Request::operator=(Request&& other) noexcept {
  if (this != &other) {
    if (request_ != MPI_REQUEST_NULL) MPI_Wait(&request_, MPI_STATUS_IGNORE);
    request_ = other.release();
  }
  return *this;
}

Request::~Request() {
  if (request_ != MPI_REQUEST_NULL) MPI_Wait(&request_, MPI_STATUS_IGNORE);
}

void Request::wait() {
  if (request_ != MPI_REQUEST_NULL) check_mpi(MPI_Wait(&request_, MPI_STATUS_IGNORE), "MPI_Wait");
}

MPI_Request Request::release() noexcept {
  return std::exchange(request_, MPI_REQUEST_NULL);
}

Communicator::Communicator(MPI_Comm owned) : handle_(owned) {
  check_mpi(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
  const auto ranks = static_cast<std::size_t>(size_);
  scratch_ = {std::vector<int>(ranks), std::vector<int>(ranks), {}};
  scratch_.requests.reserve(2 * ranks);
}

Communicator Communicator::duplicate(MPI_Comm parent) {
  MPI_Comm copy = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(parent, &copy), "MPI_Comm_dup");
  return Communicator(copy);
}

Communicator::Communicator(Communicator&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)),
      rank_(std::exchange(other.rank_, 0)),
      size_(std::exchange(other.size_, 1)),
      scratch_(std::move(other.scratch_)) {}

Communicator& Communicator::operator=(Communicator&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(rank_, other.rank_);
  std::swap(size_, other.size_);
  std::swap(scratch_, other.scratch_);
  return *this;
}

Communicator::~Communicator() {
  int finalized = 0;
  if (handle_ == MPI_COMM_NULL || MPI_Finalized(&finalized) != MPI_SUCCESS || finalized != 0) return;
  MPI_Comm_free(&handle_);
}

void Communicator::barrier() const {
  if (!is_serial()) check_mpi(MPI_Barrier(handle_), "MPI_Barrier");
}

void Communicator::sum(std::span<std::int64_t> values) const {
  reduce_in_place(handle_, values, MPI_INT64_T, MPI_SUM);
}

Request Communicator::start_sum(std::span<std::int64_t> values) const {
  if (is_serial()) return {};
  if (std::cmp_greater(values.size(), message_limit))
    throw InternalError("a non-blocking sum of {} words exceeds one message of {}", values.size(), message_limit);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_INT64_T, MPI_SUM, handle_,
                           &request),
            "MPI_Iallreduce");
  return Request(request);
}

void Communicator::maximum(std::span<double> values) const {
  reduce_in_place(handle_, values, MPI_DOUBLE, MPI_MAX);
}
void Communicator::minimum(std::span<double> values) const {
  reduce_in_place(handle_, values, MPI_DOUBLE, MPI_MIN);
}
void Communicator::maximum(std::span<std::int64_t> values) const {
  reduce_in_place(handle_, values, MPI_INT64_T, MPI_MAX);
}

bool Communicator::any(bool mine) const {
  std::int64_t flag = mine ? 1 : 0;
  maximum(std::span(&flag, 1));
  return flag != 0;
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes, int root) const {
  if (is_serial()) return;
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = std::min<std::size_t>(bytes.size() - done, message_limit);
    check_mpi(MPI_Bcast(bytes.data() + done, static_cast<int>(count), MPI_BYTE, root, handle_), "MPI_Bcast");
    done += count;
  }
}

void Communicator::broadcast(std::string& text, int root) const {
  std::int64_t length = static_cast<std::int64_t>(text.size());
  broadcast(std::span(&length, 1), root);
  text.resize(static_cast<std::size_t>(length));
  broadcast(std::span(text.data(), text.size()), root);
}

std::vector<std::int64_t> Communicator::all_gather(std::int64_t mine) const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size_), mine);
  if (!is_serial())
    check_mpi(MPI_Allgather(&mine, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, handle_), "MPI_Allgather");
  return all;
}

bool Communicator::meet_within(double seconds) const {
  if (is_serial()) return true;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(handle_, &request), "MPI_Ibarrier");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int done = 0;
  while (true) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0 || std::chrono::steady_clock::now() >= deadline) return done != 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

Communicator Communicator::split(int color) const {
  if (is_serial()) return {};
  MPI_Comm group = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(handle_, color, rank_, &group), "MPI_Comm_split");
  return Communicator(group);
}

Environment::Environment(int& argc, char**& argv) {
  int provided = 0;
  check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
}

Environment::~Environment() {
  for (auto& actions = actions_at_end(); !actions.empty(); actions.pop_back()) actions.back()();
  MPI_Finalize();
}

void Environment::before_end(std::function<void()> action) {
  actions_at_end().push_back(std::move(action));
}

Communicator Environment::world() const {
  return Communicator::duplicate(MPI_COMM_WORLD);
}

void Environment::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::abort();
}

}  // namespace rankflow::parallel
