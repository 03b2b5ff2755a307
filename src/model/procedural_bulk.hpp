#pragma once
#include <memory>
#include <vector>

#include "model/bulk.hpp"
#include "model/bulk_entries.hpp"

namespace rankflow::model {

/// A bulk of which nothing is stored: every product draws the rows again. Memory per rank: the rates of all neurons
/// and, per own neuron, its rate and sign. All rates travel to all ranks at every product.
class ProceduralBulk : public Bulk {
 public:
  ProceduralBulk(const config::BulkOptions& options, const parallel::Partition& partition,
                 const parallel::Communicator& comm, std::uint64_t seed);

  void add_product(const NeuronArray<double>& rates, NeuronArray<double>& out) const override;
  std::uint64_t bytes() const override;

 private:
  /// What a product writes on its way.
  struct Workspace {
    std::vector<double> mine;  ///< rates of this rank times their signs
    std::vector<double> all;   ///< the same of all ranks
    BulkEntries::Batch batch;
  };

  void gather(const NeuronArray<double>& rates) const;
  double row_sum(std::int64_t row) const;

  BulkEntries entries_;
  parallel::Partition partition_;
  const parallel::Communicator* comm_;
  std::vector<std::int64_t> counts_;  ///< neurons of each rank
  std::vector<double> signs_;         ///< of own neurons; empty without Dale's law
  std::unique_ptr<Workspace> work_;
};

}  // namespace rankflow::model
