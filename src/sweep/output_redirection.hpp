#pragma once
#include <filesystem>

namespace rankflow::sweep {

/// Sends standard output and standard error of this process, also what libraries print, to the end of a file until
/// destruction. Throws InputOutputError when the file cannot be opened.
class OutputRedirection {
 public:
  explicit OutputRedirection(const std::filesystem::path& file);
  ~OutputRedirection();
  OutputRedirection(const OutputRedirection&) = delete;
  OutputRedirection& operator=(const OutputRedirection&) = delete;

 private:
  int output_ = -1;  ///< where they went before
  int error_ = -1;
};

}  // namespace rankflow::sweep
