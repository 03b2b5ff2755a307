#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "parallel/communicator.hpp"
#include "sweep/results.hpp"

namespace rankflow::sweep {

/// One column of a tidy table; a missing number is NaN, a missing text is empty.
struct Column {
  std::string name;
  std::variant<std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>> values;
  bool repeatable = true;  ///< the same whenever the case is run: else it belongs to the provenance
};

struct ResultTable {
  std::size_t rows = 0;
  std::vector<Column> columns;
};

/// A row per case: case, status, message, every varied key, seed, every metric, result (path relative to the sweep's
/// directory; empty when there is none); of the work: ranks, seconds, sessions, deaths, host, finished.
ResultTable table_of(const Plan& plan, const std::vector<CaseResult>& results);
/// A row per setting, the best first: varied keys, mean, spread, values, cases.
ResultTable table_of(const Plan& plan, const std::vector<Ranked>& ranked);

/// As RFC 4180 has it, lines ended by a line feed; NaN is an empty cell.
std::string csv_text(const ResultTable& table);

/// A file with groups /cases and /ranking, what differs between equal sweeps under /provenance/cases. For one rank.
void write_results(const parallel::Communicator& comm, const std::filesystem::path& path, const Plan& plan,
                   const ResultTable& cases, const ResultTable& ranking);

}  // namespace rankflow::sweep
