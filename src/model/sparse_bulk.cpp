#include "model/sparse_bulk.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <petscmat.h>

#include "core/error.hpp"
#include "model/bulk_entries.hpp"
#include "model/petsc_owned.hpp"
#include "model/sparse_bulk_session.hpp"

namespace rankflow::model {
namespace {

using OwnedMatrix = PetscOwned<Mat, &MatDestroy>;
using OwnedVector = PetscOwned<Vec, &VecDestroy>;
using OwnedScatter = PetscOwned<VecScatter, &VecScatterDestroy>;
using OwnedIndices = PetscOwned<IS, &ISDestroy>;

/// Rows of a sequential sparse matrix as PETSc stores them; columns ascend within a row.
struct Rows {
  Mat matrix = nullptr;
  PetscInt count = 0;
  const PetscInt* begin = nullptr;
  const PetscInt* columns = nullptr;
  const PetscScalar* values = nullptr;

  explicit Rows(Mat of) : matrix(of) {
    PetscBool done = PETSC_FALSE;
    check_petsc(MatGetRowIJ(matrix, 0, PETSC_FALSE, PETSC_FALSE, &count, &begin, &columns, &done), "MatGetRowIJ");
    check_petsc(MatSeqAIJGetArrayRead(matrix, &values), "MatSeqAIJGetArrayRead");
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() {
    PetscBool done = PETSC_FALSE;
    MatSeqAIJRestoreArrayRead(matrix, &values);
    MatRestoreRowIJ(matrix, 0, PETSC_FALSE, PETSC_FALSE, &count, &begin, &columns, &done);
  }
  std::uint64_t entries() const { return static_cast<std::uint64_t>(begin[count]); }
};

/// One row: different columns, ascending.
struct Row {
  std::vector<PetscInt> columns;
  std::vector<PetscScalar> values;
};

/// Draws rows and adds up what falls on the same column, in the order of the draws.
class RowMaker {
 public:
  explicit RowMaker(const BulkEntries& entries)
      : entries_(entries),
        batch_(std::make_unique<BulkEntries::Batch>()),
        order_(static_cast<std::size_t>(entries.row_entries())),
        weights_(order_.size()) {}

  const Row& make(std::int64_t row) {
    draw(row);
    std::sort(order_.begin(), order_.end());
    row_.columns.clear();
    row_.values.clear();
    for (const std::uint64_t key : order_) {
      const auto column = static_cast<PetscInt>(key >> 32);
      const double weight = weights_[key & 0xffffffff];
      if (!row_.columns.empty() && row_.columns.back() == column) {
        row_.values.back() += weight;
      } else {
        row_.columns.push_back(column);
        row_.values.push_back(weight);
      }
    }
    return row_;
  }

 private:
  void draw(std::int64_t row) {
    for (std::size_t done = 0; done < order_.size();) {
      const auto count = entries_.draw(row, static_cast<std::int64_t>(done), *batch_);
      for (std::size_t k = 0; k < count; ++k) {
        order_[done + k] = batch_->columns[k] << 32 | (done + k);
        weights_[done + k] = batch_->weights[k];
      }
      done += count;
    }
  }

  const BulkEntries& entries_;
  std::unique_ptr<BulkEntries::Batch> batch_;
  std::vector<std::uint64_t> order_;  ///< column in the upper half, number of the draw in the lower
  std::vector<double> weights_;       ///< by number of the draw
  Row row_;
};

void require_32_bit(const BulkEntries& entries, std::int64_t neurons, int ranks) {
  constexpr std::int64_t limit = std::numeric_limits<PetscInt>::max();
  if (neurons > limit)
    throw ConfigurationError(
        "network.bulk.kind = \"sparse\": {} neurons exceed the {} that PETSc's indices can count; use kind = "
        "\"procedural\"",
        neurons, limit);
  // The first rank holds the largest share.
  const auto rows = parallel::Partition(neurons, ranks, 0).count();
  if (rows > 0 && entries.row_entries() > limit / rows)
    throw ConfigurationError(
        "network.bulk.kind = \"sparse\": {} entries in each of {} rows per rank exceed the {} that PETSc's indices can "
        "count; use more ranks, a smaller network.bulk.in_degree or kind = \"procedural\"",
        entries.row_entries(), rows, limit);
}

}  // namespace

struct SparseBulk::Storage {
  std::shared_ptr<PetscSession> session;
  parallel::Partition partition;
  OwnedMatrix matrix;
  std::vector<double> signs;   ///< of own neurons; empty without Dale's law
  OwnedVector rates;           ///< rates of own neurons times their signs
  OwnedVector ghosts;          ///< those of other ranks that own rows need, in the order of global columns
  OwnedScatter exchange;       ///< from rates to ghosts
  PetscInt first_above = 0;    ///< first ghost behind the own columns
  std::optional<Rows> own;     ///< block of own columns
  std::optional<Rows> others;  ///< block of ghosts; none on one rank

  void assemble(const BulkEntries& entries, MPI_Comm comm);
  void preallocate(RowMaker& maker) const;
  void connect(MPI_Comm comm);
  void send_rates(const NeuronArray<double>& from) const;
  void add_rows(const PetscScalar* mine, const PetscScalar* foreign, NeuronArray<double>& out) const;
};

void SparseBulk::Storage::preallocate(RowMaker& maker) const {
  const auto rows = static_cast<std::size_t>(partition.count());
  std::vector<PetscInt> in_block(rows);
  std::vector<PetscInt> outside(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto& row = maker.make(partition.begin() + static_cast<std::int64_t>(i));
    const auto mine = std::count_if(row.columns.begin(), row.columns.end(), [&](PetscInt column) {
      return column >= partition.begin() && column < partition.end();
    });
    in_block[i] = static_cast<PetscInt>(mine);
    outside[i] = static_cast<PetscInt>(std::ssize(row.columns) - mine);
  }
  check_petsc(MatXAIJSetPreallocation(matrix.get(), 1, in_block.data(), outside.data(), nullptr, nullptr),
              "MatXAIJSetPreallocation");
}

/// Rows are drawn twice, first to count and then to store, so that no second copy of the matrix ever exists.
void SparseBulk::Storage::assemble(const BulkEntries& entries, MPI_Comm comm) {
  const auto count = static_cast<PetscInt>(partition.count());
  const auto neurons = static_cast<PetscInt>(partition.global_count());
  check_petsc(MatCreate(comm, matrix.address()), "MatCreate");
  check_petsc(MatSetSizes(matrix.get(), count, count, neurons, neurons), "MatSetSizes");
  check_petsc(MatSetType(matrix.get(), MATAIJ), "MatSetType");
  RowMaker maker(entries);
  preallocate(maker);
  check_petsc(MatSetOption(matrix.get(), MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE), "MatSetOption");
  for (std::int64_t i = partition.begin(); i < partition.end(); ++i) {
    const auto& row = maker.make(i);
    const auto index = static_cast<PetscInt>(i);
    check_petsc(MatSetValues(matrix.get(), 1, &index, static_cast<PetscInt>(row.columns.size()), row.columns.data(),
                             row.values.data(), INSERT_VALUES),
                "MatSetValues");
  }
  check_petsc(MatAssemblyBegin(matrix.get(), MAT_FINAL_ASSEMBLY), "MatAssemblyBegin");
  check_petsc(MatAssemblyEnd(matrix.get(), MAT_FINAL_ASSEMBLY), "MatAssemblyEnd");
}

/// Takes the matrix apart into its two blocks and prepares the exchange of the rates that the second one needs.
void SparseBulk::Storage::connect(MPI_Comm comm) {
  PetscBool distributed = PETSC_FALSE;
  check_petsc(PetscObjectTypeCompare(reinterpret_cast<PetscObject>(matrix.get()), MATMPIAIJ, &distributed),
              "PetscObjectTypeCompare");
  const auto count = static_cast<PetscInt>(partition.count());
  check_petsc(VecCreateMPI(comm, count, PETSC_DETERMINE, rates.address()), "VecCreateMPI");
  if (!distributed) {
    own.emplace(matrix.get());
    return;
  }
  Mat in_block = nullptr;
  Mat outside = nullptr;
  const PetscInt* ghost_columns = nullptr;
  PetscInt ghost_count = 0;
  check_petsc(MatMPIAIJGetSeqAIJ(matrix.get(), &in_block, &outside, &ghost_columns), "MatMPIAIJGetSeqAIJ");
  check_petsc(MatGetSize(outside, nullptr, &ghost_count), "MatGetSize");
  own.emplace(in_block);
  others.emplace(outside);
  const auto above = std::lower_bound(ghost_columns, ghost_columns + ghost_count, partition.begin());
  first_above = static_cast<PetscInt>(above - ghost_columns);
  OwnedIndices wanted;
  check_petsc(ISCreateGeneral(PETSC_COMM_SELF, ghost_count, ghost_columns, PETSC_COPY_VALUES, wanted.address()),
              "ISCreateGeneral");
  check_petsc(VecCreateSeq(PETSC_COMM_SELF, ghost_count, ghosts.address()), "VecCreateSeq");
  check_petsc(VecScatterCreate(rates.get(), wanted.get(), ghosts.get(), nullptr, exchange.address()),
              "VecScatterCreate");
}

void SparseBulk::Storage::send_rates(const NeuronArray<double>& from) const {
  PetscScalar* mine = nullptr;
  check_petsc(VecGetArrayWrite(rates.get(), &mine), "VecGetArrayWrite");
  for (std::int64_t tile = 0; tile < partition.tiles(); ++tile)
    std::copy_n(from.tile(tile, 0), partition.tile_count(tile), mine + tile * parallel::tile_size);
  for (std::size_t i = 0; i < signs.size(); ++i) mine[i] *= signs[i];
  check_petsc(VecRestoreArrayWrite(rates.get(), &mine), "VecRestoreArrayWrite");
  if (!others) return;
  check_petsc(VecScatterBegin(exchange.get(), rates.get(), ghosts.get(), INSERT_VALUES, SCATTER_FORWARD),
              "VecScatterBegin");
  check_petsc(VecScatterEnd(exchange.get(), rates.get(), ghosts.get(), INSERT_VALUES, SCATTER_FORWARD),
              "VecScatterEnd");
}

/// fma in every loop: left to the compiler, loops of other lengths would round their sums otherwise.
void SparseBulk::Storage::add_rows(const PetscScalar* mine, const PetscScalar* foreign,
                                   NeuronArray<double>& out) const {
  for (PetscInt i = 0; i < own->count; ++i) {
    double sum = 0.0;
    PetscInt k = others ? others->begin[i] : 0;
    const PetscInt end = others ? others->begin[i + 1] : 0;
    for (; k < end && others->columns[k] < first_above; ++k)
      sum = std::fma(others->values[k], foreign[others->columns[k]], sum);
    for (PetscInt j = own->begin[i]; j < own->begin[i + 1]; ++j)
      sum = std::fma(own->values[j], mine[own->columns[j]], sum);
    for (; k < end; ++k) sum = std::fma(others->values[k], foreign[others->columns[k]], sum);
    out.at(i, 0) += sum;
  }
}

SparseBulk::SparseBulk(const config::BulkOptions& options, const parallel::Partition& partition,
                       const parallel::Communicator& comm, std::uint64_t seed) {
  if (options.in_degree == 0)
    throw ConfigurationError(
        "network.bulk.in_degree = 0: a sparse bulk needs at least 1; all-to-all needs kind = \"procedural\"");
  const BulkEntries entries(options, partition.global_count(), seed);
  require_32_bit(entries, partition.global_count(), comm.size());
  storage_ = std::make_unique<Storage>();
  storage_->session = PetscSession::join(comm);
  storage_->partition = partition;
  if (entries.has_signs()) {
    storage_->signs.resize(static_cast<std::size_t>(partition.count()));
    entries.signs(partition.begin(), storage_->signs);
  }
  const auto mpi = comm.is_serial() ? PETSC_COMM_SELF : comm.handle();
  storage_->assemble(entries, mpi);
  storage_->connect(mpi);
}

SparseBulk::~SparseBulk() = default;

void SparseBulk::add_product(const NeuronArray<double>& rates, NeuronArray<double>& out) const {
  storage_->send_rates(rates);
  const PetscScalar* mine = nullptr;
  const PetscScalar* foreign = nullptr;
  check_petsc(VecGetArrayRead(storage_->rates.get(), &mine), "VecGetArrayRead");
  if (storage_->others) check_petsc(VecGetArrayRead(storage_->ghosts.get(), &foreign), "VecGetArrayRead");
  storage_->add_rows(mine, foreign, out);
  if (storage_->others) check_petsc(VecRestoreArrayRead(storage_->ghosts.get(), &foreign), "VecRestoreArrayRead");
  check_petsc(VecRestoreArrayRead(storage_->rates.get(), &mine), "VecRestoreArrayRead");
}

std::uint64_t SparseBulk::bytes() const {
  const auto block = [](const std::optional<Rows>& rows) {
    if (!rows) return std::uint64_t{0};
    return rows->entries() * (sizeof(PetscScalar) + sizeof(PetscInt)) +
           (static_cast<std::uint64_t>(rows->count) + 1) * sizeof(PetscInt);
  };
  PetscInt ghosts = 0;
  if (storage_->others) check_petsc(VecGetLocalSize(storage_->ghosts.get(), &ghosts), "VecGetLocalSize");
  const auto values = static_cast<std::uint64_t>(storage_->partition.count()) + storage_->signs.size() +
                      static_cast<std::uint64_t>(ghosts);
  return block(storage_->own) + block(storage_->others) + values * sizeof(double);
}

}  // namespace rankflow::model
