#pragma once
#include <cstdint>
#include <string>

#include "config/options.hpp"

namespace rankflow::config {

/// [sweep.submit]: how a sweep is spread over jobs of SLURM. The cluster itself is described in a cluster profile
/// (docs/slurm.md).
struct SubmitOptions {
  std::int64_t per_task = 1;
  std::int64_t throttle = 0;
  std::string time = {};
  bool collect = true;

  template <class V>
  void describe(V& v) {
    v.integer("per_task", per_task,
              {.doc = "cases for each task of the job array, so many that a task lasts minutes at least; a task that "
                      "is done with its share takes over what is left of others'",
               .minimum = 1});
    v.integer("throttle", throttle, {.doc = "tasks that may run at the same time; 0: any number", .minimum = 0});
    v.text("time", time,
           {.doc = "time limit of a task as SLURM writes it, \"04:00:00\"; default: the cluster profile's, else one "
                   "hour. What is not finished then continues by itself"});
    v.flag("collect", collect, {.doc = "gather the results in one table when the array has ended"});
  }
};

}  // namespace rankflow::config
