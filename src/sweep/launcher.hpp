#pragma once
#include <string>
#include <vector>

namespace rankflow::sweep {

/// That this process may use: those of the batch job, else those it is bound to.
int available_processors();

/// The words that start a program on so many ranks, to be put before it; none for one rank outside a batch job.
std::vector<std::string> launcher_of(int ranks);

}  // namespace rankflow::sweep
