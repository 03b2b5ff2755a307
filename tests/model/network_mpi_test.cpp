#include <cstring>

#include "model/build_network.hpp"
#include "model/network_io.hpp"
#include "model_support.hpp"

namespace rankflow::model {
namespace {

using config::NetworkOptions;
using parallel::Communicator;

NetworkOptions options_of(config::NetworkSource source) {
  NetworkOptions options;
  options.source = source;
  options.neurons = 2100;  // five tiles, the last one not full
  options.preset = config::Preset::quadstable;
  options.heavy_tailed.overlap = {{1.2, 0.8}, {0.0, 1.6}};
  options.time_constants = config::TimeConstants::log_uniform;
  return options;
}

/// Whether this rank's part equals that of the whole network.
bool same_part(const NeuronArray<double>& part, const NeuronArray<double>& whole,
               const parallel::Partition& partition) {
  const auto tile_values = static_cast<std::size_t>(parallel::tile_size) * static_cast<std::size_t>(part.columns());
  const auto first = static_cast<std::size_t>(partition.begin() / parallel::tile_size) * tile_values;
  return part.columns() == whole.columns() &&
         std::memcmp(part.values().data(), whole.values().data() + (partition.empty() ? 0 : first),
                     part.size() * sizeof(double)) == 0;
}

void expect_part(const Network<double>& part, const Network<double>& whole) {
  EXPECT_TRUE(same_part(part.m, whole.m, part.partition));
  EXPECT_TRUE(same_part(part.n, whole.n, part.partition));
  EXPECT_TRUE(same_part(part.tau, whole.tau, part.partition));
  ASSERT_EQ(part.population.empty(), whole.population.empty() || part.partition.empty());
  for (std::int64_t i = 0; i < part.partition.count() && !part.population.empty(); ++i)
    EXPECT_EQ(part.population[static_cast<std::size_t>(i)],
              whole.population[static_cast<std::size_t>(part.partition.begin() + i)]);
}

/// A path that all ranks share; rank 0 names and removes it.
class SharedPath {
 public:
  explicit SharedPath(const Communicator& comm) : comm_(comm), file_("network_mpi.h5"), path_(file_.path()) {
    comm.broadcast(path_);
  }
  SharedPath(const SharedPath&) = delete;
  SharedPath& operator=(const SharedPath&) = delete;
  ~SharedPath() { comm_.barrier(); }
  const std::string& get() const { return path_; }

 private:
  const Communicator& comm_;
  TemporaryFile file_;
  std::string path_;
};

TEST(NetworkOnRanks, EveryNeuronHasTheBitsOfOneRankAlone) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  for (const auto source : {config::NetworkSource::preset, config::NetworkSource::heavy_tailed}) {
    const auto options = options_of(source);
    const auto part = build_network<double>(options, 0, 4, world);
    const auto whole = build_network<double>(options, 0, 4, Communicator());
    expect_part(part, whole);
    const auto other = build_network<double>(options, 0, 5, Communicator());
    EXPECT_TRUE(part.partition.empty() || !same_part(part.m, other.m, part.partition)) << "control: another seed";
  }
}

TEST(NetworkOnRanks, FileIsReadOnAnyNumberOfRanks) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  const SharedPath path(world);
  const auto whole = build_network<double>(options_of(config::NetworkSource::preset), 0, 4, Communicator());
  {
    const auto network = build_network<double>(options_of(config::NetworkSource::preset), 0, 4, world);
    auto file = io::File::create(world, path.get());
    write_network(file, network);
    file.close();
  }
  NetworkOptions options;
  options.source = config::NetworkSource::file;
  options.file = path.get();
  expect_part(build_network<double>(options, 0, 0, world), whole);
  const auto group = world.split(world.rank() == 0 ? 0 : 1);  // one rank, and the others
  expect_part(build_network<double>(options, 0, 0, group), whole);
}

TEST(NetworkOnRanks, BadTimeConstantIsReportedOnEveryRank) {
  const auto world = Communicator::duplicate(MPI_COMM_WORLD);
  const SharedPath path(world);
  {
    auto network = build_network<double>(options_of(config::NetworkSource::preset), 0, 4, world);
    const std::int64_t bad = 2050 - network.partition.begin();
    if (bad >= 0 && bad < network.partition.count()) network.tau.at(bad, 0) = -1.0;
    auto file = io::File::create(world, path.get());
    write_network(file, network);
    file.close();
  }
  expect_error<InputDataError>([&] { read_network<double>(io::NetworkFile::open(world, path.get())); },
                               {"/network/tau", "neuron 2050", "-1 s"});
}

}  // namespace
}  // namespace rankflow::model
