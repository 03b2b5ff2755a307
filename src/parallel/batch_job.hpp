#pragma once
#include <optional>

namespace rankflow::parallel {

/// Wall time in s until the batch system ends this job, negative afterwards; nothing outside of a job or when its end
/// is not known. Read from SLURM_JOB_END_TIME (s since 1970), which SLURM sets, and for its older versions jobs/job.sh.
std::optional<double> seconds_left_in_job();

/// Of that time, how much may be spent on work: a tenth, at most a minute, is kept for the last checkpoint.
std::optional<double> work_seconds_left_in_job();

}  // namespace rankflow::parallel
