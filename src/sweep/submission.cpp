#include "sweep/submission.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "core/error.hpp"
#include "job_scripts.hpp"

namespace rankflow::sweep {
namespace {

std::string script(std::string_view name) {
  return std::string(std::ranges::find(job_scripts, name, &JobScript::name)->text);
}

/// The script with "#SBATCH --name=value" instead of what it says of that option, if anything.
void set_option(std::string& text, std::string_view name, std::string_view value) {
  const auto* quote = value.find(' ') == std::string_view::npos ? "" : "\"";  // sbatch splits lines at blanks
  const auto line = fmt::format("#SBATCH --{}={}{}{}\n", name, quote, value, quote);
  const auto begin = text.find(fmt::format("#SBATCH --{}=", name));
  if (begin == std::string::npos)
    text.insert(text.find("#SBATCH "), line);
  else
    text.replace(begin, text.find('\n', begin) + 1 - begin, line);
}

/// sbatch has no way to say these in a line of a script; a backslash switches off the replacements in names of logs.
void require_sayable(const std::filesystem::path& directory) {
  if (directory.string().find_first_of("\"\\\n") != std::string::npos)
    throw ConfigurationError(
        "'{}': SLURM cannot be told of a directory whose name holds a quotation mark, a backslash or a line break; "
        "give "
        "sweep.directory or -o another name",
        directory.string());
}

/// A pattern of SLURM's for names of logs below a folder, whose own % is no pattern.
std::string log_pattern(const std::filesystem::path& folder, const std::string& pattern) {
  std::string result;
  for (const char letter : folder.string()) result += letter == '%' ? std::string("%%") : std::string(1, letter);
  return result + "/" + pattern;
}

/// In single quotes for a shell.
std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char letter : word) result += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return result + "'";
}

/// Job scripts look for the program beside them, where a sweep has none.
void name_program(std::string& text, const std::filesystem::path& program) {
  text.insert(text.find("script=$0"), fmt::format("RANKFLOW_PROGRAM={}\n", quoted(program.string())));
}

std::vector<std::string> command(const std::filesystem::path& script, const std::vector<std::string>& options,
                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"bash", script.string()};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

}  // namespace

std::int64_t most_array_tasks(const std::string& configuration, std::int64_t otherwise) {
  constexpr std::string_view key = "MaxArraySize";
  const auto begin = configuration.find(key);
  if (begin == std::string::npos) return otherwise;
  const auto digits = configuration.find_first_not_of(" \t=", begin + key.size());
  std::int64_t size = otherwise;
  if (digits != std::string::npos)
    std::from_chars(configuration.data() + digits, configuration.data() + configuration.size(), size);
  return size;
}

Submission::Submission(const Extent& extent, const config::SubmitOptions& options)
    : directory_(extent.directory),
      time_(options.time),
      tasks_wanted_((extent.unfinished + options.per_task - 1) / options.per_task),
      tasks_(std::min(tasks_wanted_, extent.most_tasks)) {
  require_sayable(directory_);
  if (tasks_ < 1)
    throw ConfigurationError(
        "this SLURM has no job arrays (MaxArraySize = {}); submit one job or several, which share the cases: plan by "
        "rankflow sweep run --wall-time 1, then sbatch jobs/sweep.sbatch {}",
        extent.most_tasks, directory_.string());
  const auto name = directory_.filename().string();
  auto work = script("sweep.sbatch");
  set_option(work, "array",
             fmt::format("0-{}{}", tasks_ - 1, options.throttle > 0 ? fmt::format("%{}", options.throttle) : ""));
  set_option(work, "job-name", name);
  set_option(work, "ntasks", std::to_string(extent.ranks));
  set_option(work, "output", log_pattern(folder(), "%x-%A_%a.log"));
  name_program(work, extent.program);
  files_.push_back({"sweep.sbatch", std::move(work)});
  if (options.collect) {
    auto collect = script("sweep_collect.sbatch");
    set_option(collect, "job-name", name + "-collect");
    set_option(collect, "output", log_pattern(folder(), "%x-%j.log"));
    name_program(collect, extent.program);
    files_.push_back({"sweep_collect.sbatch", std::move(collect)});
  }
  for (const auto* shared : {"job.sh", "cluster_profile.sh", "scratch.sh"}) files_.push_back({shared, script(shared)});
}

std::vector<std::string> Submission::work_command(const std::vector<std::string>& options) const {
  auto all = options;
  if (!time_.empty()) all.push_back("--time=" + time_);
  return command(folder() / "sweep.sbatch", all, {directory_.string()});
}

std::vector<std::string> Submission::collect_command(const std::vector<std::string>& options) const {
  return command(folder() / "sweep_collect.sbatch", options,
                 {directory_.string(), "-o", (directory_ / "results.h5").string()});
}

void Submission::write_files() const {
  std::error_code error;
  std::filesystem::create_directories(folder(), error);
  for (const auto& [name, text] : files_) {
    const auto path = folder() / name;
    const auto aside = folder() / (name + ".new");  // a job may be reading the old one
    std::ofstream(aside) << text;
    if (std::filesystem::file_size(aside, error) == text.size()) std::filesystem::rename(aside, path, error);
    if (error) throw InputOutputError("'{}' cannot be written: {}", path.string(), error.message());
  }
}

}  // namespace rankflow::sweep
