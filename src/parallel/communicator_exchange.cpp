// Exchanges of pieces whose lengths differ from rank to rank.
#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "parallel/mpi_status.hpp"

namespace rankflow::parallel {
namespace {

constexpr int exchange_tag = 1;

void check_counts(std::span<const std::int64_t> counts, std::size_t ranks, std::size_t element, std::size_t bytes,
                  const char* what) {
  std::int64_t total = 0;
  for (const auto count : counts) total += count;
  if (counts.size() != ranks || std::cmp_not_equal(static_cast<std::size_t>(total) * element, bytes))
    throw InternalError("{}: {} counts that add to {} elements of {} bytes for {} ranks and a buffer of {} bytes", what,
                        counts.size(), total, element, ranks, bytes);
}

/// Calls start(pointer, length) for each message-sized part of `bytes`.
template <class Byte, class Start>
void in_messages(std::span<Byte> bytes, const Start& start) {
  while (!bytes.empty()) {
    const auto length = std::min<std::size_t>(bytes.size(), mpi_message_limit);
    start(bytes.data(), static_cast<int>(length));
    bytes = bytes.subspan(length);
  }
}

}  // namespace

void Communicator::all_gather_bytes(std::span<const std::byte> mine, std::span<std::byte> all,
                                    std::span<const std::int64_t> counts, std::size_t element) const {
  check_counts(counts, static_cast<std::size_t>(size_), element, all.size(), "all_gather");
  if (is_serial()) {
    std::copy(mine.begin(), mine.end(), all.begin());
    return;
  }
  if (std::cmp_less(all.size(), mpi_message_limit)) {
    int offset = 0;
    for (std::size_t r = 0; r < counts.size(); ++r) {
      scratch_.lengths[r] = static_cast<int>(counts[r]) * static_cast<int>(element);
      scratch_.offsets[r] = std::exchange(offset, offset + scratch_.lengths[r]);
    }
    check_mpi(MPI_Allgatherv(mine.data(), static_cast<int>(mine.size()), MPI_BYTE, all.data(), scratch_.lengths.data(),
                             scratch_.offsets.data(), MPI_BYTE, handle_),
              "MPI_Allgatherv");
    return;
  }
  // Beyond MPI's 32 bits pieces travel one root at a time.
  for (std::size_t r = 0; r < counts.size(); ++r) {
    const auto piece = all.first(static_cast<std::size_t>(counts[r]) * element);
    if (std::cmp_equal(r, rank_)) std::copy(mine.begin(), mine.end(), piece.begin());
    broadcast_bytes(piece, static_cast<int>(r));
    all = all.subspan(piece.size());
  }
}

// Point to point rather than MPI_Alltoallv: whether a pair needs several messages is known to that pair alone.
void Communicator::all_to_all_bytes(std::span<const std::byte> send, std::span<const std::int64_t> send_counts,
                                    std::span<std::byte> receive, std::span<const std::int64_t> receive_counts,
                                    std::size_t element) const {
  const auto ranks = static_cast<std::size_t>(size_);
  const auto self = static_cast<std::size_t>(rank_);
  check_counts(send_counts, ranks, element, send.size(), "all_to_all");
  check_counts(receive_counts, ranks, element, receive.size(), "all_to_all");
  auto& requests = scratch_.requests;
  requests.clear();
  std::span<std::byte> own;
  for (std::size_t r = 0; r < ranks; ++r) {
    const auto piece = receive.first(static_cast<std::size_t>(receive_counts[r]) * element);
    receive = receive.subspan(piece.size());
    if (r == self) {
      own = piece;
      continue;
    }
    in_messages(piece, [&](std::byte* data, int length) {
      check_mpi(MPI_Irecv(data, length, MPI_BYTE, static_cast<int>(r), exchange_tag, handle_, &requests.emplace_back()),
                "MPI_Irecv");
    });
  }
  for (std::size_t r = 0; r < ranks; ++r) {
    const auto piece = send.first(static_cast<std::size_t>(send_counts[r]) * element);
    send = send.subspan(piece.size());
    if (r == self) {
      if (piece.size() != own.size()) throw InternalError("all_to_all: rank {} keeps unequal counts", self);
      std::copy(piece.begin(), piece.end(), own.begin());
      continue;
    }
    in_messages(piece, [&](const std::byte* data, int length) {
      check_mpi(MPI_Isend(data, length, MPI_BYTE, static_cast<int>(r), exchange_tag, handle_, &requests.emplace_back()),
                "MPI_Isend");
    });
  }
  if (!requests.empty())
    check_mpi(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
}

}  // namespace rankflow::parallel
