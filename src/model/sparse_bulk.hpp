#pragma once
#include <memory>

#include "model/bulk.hpp"

namespace rankflow::model {

/// A bulk stored as a distributed sparse PETSc matrix (MATAIJ), rows by `partition`. Entries of the same place are
/// added in the order of their draws, and a product sums a row in the order of global columns, so that neither depends
/// on the rank count. Memory per rank: 12 bytes per different (row, column), 8 per ghost column and a few per row.
class SparseBulk : public Bulk {
 public:
  /// Throws ConfigurationError when N or the entries of a rank exceed PETSc's 32-bit indices.
  SparseBulk(const config::BulkOptions& options, const parallel::Partition& partition,
             const parallel::Communicator& comm, std::uint64_t seed);
  ~SparseBulk() override;

  void add_product(const NeuronArray<double>& rates, NeuronArray<double>& out) const override;
  std::uint64_t bytes() const override;

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

}  // namespace rankflow::model
