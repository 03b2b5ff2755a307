#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace rankflow::sweep {

/// When it was not destroyed within so many seconds: calls `late` from a thread of its own, says what that returns on
/// what was standard error when this was made, and kills the process.
class TrialWatch {
 public:
  TrialWatch(double seconds, std::function<std::string()> late);
  ~TrialWatch();
  TrialWatch(const TrialWatch&) = delete;
  TrialWatch& operator=(const TrialWatch&) = delete;

 private:
  int error_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;  ///< guarded by mutex_
  std::thread thread_;
};

}  // namespace rankflow::sweep
