#include "sweep/launcher.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <sched.h>

namespace rankflow::sweep {

int available_processors() {
  if (const char* tasks = std::getenv("SLURM_NTASKS")) return std::max(1, std::atoi(tasks));
  cpu_set_t mine;
  CPU_ZERO(&mine);
  return ::sched_getaffinity(0, sizeof mine, &mine) == 0 ? std::max(1, CPU_COUNT(&mine)) : 1;
}

/// In a job of SLURM its own launcher finds the free processors, on as few nodes as hold them; left to itself it would
/// take all nodes of the job, and for each group all of the job's memory.
std::vector<std::string> launcher_of(int ranks) {
  if (std::getenv("SLURM_JOB_ID") != nullptr) {
    const char* nodes = std::getenv("SLURM_JOB_NUM_NODES");
    return {"srun",
            "--exact",
            "--mpi=pmix",
            "--wait=30",
            "--ntasks=" + std::to_string(ranks),
            fmt::format("--nodes=1-{}", nodes != nullptr ? nodes : "1"),
            "--distribution=*,pack",
            "--mem=0"};
  }
  if (ranks == 1) return {};
  // Open MPI counts cores, and binds each job to the same first ones; processors are threads, and shared by all jobs.
  return {"mpirun", "--oversubscribe", "--bind-to", "none", "-n", std::to_string(ranks)};
}

}  // namespace rankflow::sweep
