#pragma once
#include <cstdint>
#include <memory>

#include "config/network_options.hpp"
#include "model/neuron_array.hpp"
#include "parallel/communicator.hpp"
#include "parallel/partition.hpp"

namespace rankflow::model {

/// Random connectivity g chi beside the low-rank part: y_i += sum_j (g chi)_ij r_j (Sompolinsky, Crisanti & Sommers
/// 1988; with a low-rank part: Mastrogiuseppe & Ostojic 2018, eq. 1). The product is bitwise independent of the rank
/// count. The sum of squares of a row has the expectation g^2, so g is the spectral radius for large N.
class Bulk {
 public:
  virtual ~Bulk() = default;
  /// Adds g chi times column 0 of `rates` to column 0 of `out`. Collective; our part allocates nothing.
  virtual void add_product(const NeuronArray<double>& rates, NeuronArray<double>& out) const = 0;
  /// Memory on this rank.
  virtual std::uint64_t bytes() const = 0;
};

/// The bulk for the neurons of `partition`; nothing for kind = none. A seed gives the same matrix for both kinds
/// (bulk_entries.hpp), rounding aside. `comm` must outlive the bulk. Collective.
/// Throws ConfigurationError when a sparse bulk is all-to-all or exceeds the 32-bit indices of PETSc.
std::unique_ptr<Bulk> make_bulk(const config::BulkOptions& options, const parallel::Partition& partition,
                                const parallel::Communicator& comm, std::uint64_t seed);

}  // namespace rankflow::model
