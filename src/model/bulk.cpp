#include "model/bulk.hpp"

#include "core/error.hpp"
#include "model/procedural_bulk.hpp"
#include "model/sparse_bulk.hpp"

namespace rankflow::model {

std::unique_ptr<Bulk> make_bulk(const config::BulkOptions& options, const parallel::Partition& partition,
                                const parallel::Communicator& comm, std::uint64_t seed) {
  switch (options.kind) {
    case config::BulkKind::none:
      return nullptr;
    case config::BulkKind::sparse:
      return std::make_unique<SparseBulk>(options, partition, comm, seed);
    case config::BulkKind::procedural:
      return std::make_unique<ProceduralBulk>(options, partition, comm, seed);
  }
  throw InternalError("unknown kind of bulk {}", static_cast<int>(options.kind));
}

}  // namespace rankflow::model
