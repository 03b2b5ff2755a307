#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <mpi.h>

namespace rankflow::parallel {

/// A non-blocking operation under way. Waits in the destructor if nobody did, so that buffers named
/// in the operation only have to outlive the request. Move only.
class Request {
 public:
  Request() = default;
  explicit Request(MPI_Request request) : request_(request) {}
  Request(Request&& other) noexcept : request_(other.release()) {}
  Request& operator=(Request&& other) noexcept;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  /// Blocks until the operation is complete. Throws InternalError when MPI reports a failure.
  void wait();

 private:
  MPI_Request release() noexcept;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

/// A group of ranks. Owns its MPI communicator; move only. A default-made Communicator is the serial
/// twin: one rank, no MPI call at all, so that code under test needs no launcher.
/// Every MPI return value is checked; a failure is an InternalError naming the call.
/// All counts are 64-bit; messages longer than MPI's 32-bit counts go in pieces. One thread at a time.
class Communicator {
 public:
  Communicator() = default;
  /// A duplicate of `parent`, so that our messages never meet those of a library.
  static Communicator duplicate(MPI_Comm parent);
  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&& other) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator();

  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  bool is_root() const noexcept { return rank_ == 0; }
  /// True for the serial twin, which has no MPI communicator.
  bool is_serial() const noexcept { return handle_ == MPI_COMM_NULL; }
  /// The MPI communicator for libraries that need one (HDF5, PETSc); MPI_COMM_NULL for the serial twin.
  MPI_Comm handle() const noexcept { return handle_; }

  void barrier() const;
  /// Sums element by element, in place, on every rank. Integers only: their sum has one value in any order.
  void sum(std::span<std::int64_t> values) const;
  /// The same, not yet complete: `values` must outlive the request and must not be touched before wait().
  Request start_sum(std::span<std::int64_t> values) const;
  /// Element-wise maximum or minimum, in place, on every rank.
  void maximum(std::span<double> values) const;
  void minimum(std::span<double> values) const;
  void maximum(std::span<std::int64_t> values) const;
  /// True on every rank when it is true on at least one.
  bool any(bool mine) const;

  template <class T>
  void broadcast(std::span<T> values, int root = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast_bytes(std::as_writable_bytes(values), root);
  }
  void broadcast(std::string& text, int root = 0) const;
  /// One value of every rank, in the order of ranks.
  std::vector<std::int64_t> all_gather(std::int64_t mine) const;
  /// Pieces of all ranks one after the other. `counts[r]` elements come from rank r; `all` holds their sum.
  template <class T>
  void all_gather(std::span<const T> mine, std::span<std::type_identity_t<T>> all,
                  std::span<const std::int64_t> counts) const {
    static_assert(std::is_trivially_copyable_v<T>);
    all_gather_bytes(std::as_bytes(mine), std::as_writable_bytes(all), counts, sizeof(T));
  }
  /// `send` holds `send_counts[r]` elements for rank r, rank after rank; `receive` gets `receive_counts[r]` elements
  /// from rank r, in the same order. What r sends to s must be what s expects from r; pairs that exchange nothing cost
  /// no message. Collective.
  template <class T>
  void all_to_all(std::span<const T> send, std::span<const std::int64_t> send_counts,
                  std::span<std::type_identity_t<T>> receive, std::span<const std::int64_t> receive_counts) const {
    static_assert(std::is_trivially_copyable_v<T>);
    all_to_all_bytes(std::as_bytes(send), send_counts, std::as_writable_bytes(receive), receive_counts, sizeof(T));
  }
  /// True when every rank calls this within `seconds`; false when some rank does not (it is elsewhere, or gone). After
  /// false the communicator must not be used again.
  bool meet_within(double seconds) const;
  /// Ranks of equal `color` form a group, ordered by rank.
  Communicator split(int color) const;

 private:
  explicit Communicator(MPI_Comm owned);
  void broadcast_bytes(std::span<std::byte> bytes, int root) const;
  void all_gather_bytes(std::span<const std::byte> mine, std::span<std::byte> all, std::span<const std::int64_t> counts,
                        std::size_t element) const;
  void all_to_all_bytes(std::span<const std::byte> send, std::span<const std::int64_t> send_counts,
                        std::span<std::byte> receive, std::span<const std::int64_t> receive_counts,
                        std::size_t element) const;

  /// Work space of the exchanges, so that they do not allocate: one thread at a time.
  struct Scratch {
    std::vector<int> lengths, offsets;
    std::vector<MPI_Request> requests;
  };
  MPI_Comm handle_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  mutable Scratch scratch_;
};

/// Starts MPI on construction and ends it on destruction; one per process, in main().
class Environment {
 public:
  Environment(int& argc, char**& argv);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  Communicator world() const;
  /// Calls `action` when the Environment ends, before MPI does: for libraries that need MPI to end; the last given is
  /// called first. Without an Environment it is not called.
  static void before_end(std::function<void()> action);
  /// Ends all ranks of the job at once with `exit_code`.
  [[noreturn]] static void abort(int exit_code);
};

}  // namespace rankflow::parallel
