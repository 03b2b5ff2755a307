#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sweep/ledger.hpp"

namespace rankflow::sweep {

/// Renews a claim's heartbeat from a thread of its own while the case runs, tells the ledger when a signal came (who
/// sent it may not wait for the checkpoint), and asks the case to stop (as a signal
/// would, with a checkpoint) when its time is over or the claim was lost to somebody else.
class Heartbeat {
 public:
  struct Limits {
    double interval = 10;              ///< s between heartbeats
    double seconds = 0;                ///< of this session; 0: no limit
    double grace = 60;                 ///< s that the case may take to stop
    std::function<void()> stuck = {};  ///< called once when it has not stopped by then; from the thread
  };

  Heartbeat(Ledger& ledger, std::string id, std::int64_t session, Limits limits);
  /// Ends the thread; the answers stay.
  void stop();
  ~Heartbeat() { stop(); }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Final after stop().
  bool lost() const noexcept { return lost_; }
  bool timed_out() const noexcept { return timed_out_; }

 private:
  using Clock = std::chrono::steady_clock;
  void live();
  void look_at_clock(Clock::time_point now);
  void beat();
  void look_at_signals();

  Ledger& ledger_;
  std::string id_;
  std::int64_t session_;
  Limits limits_;
  Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;     ///< guarded by mutex_
  bool told_ = false;       ///< the stuck case was reported
  bool signalled_ = false;  ///< the signal was reported
  std::atomic<bool> lost_ = false;
  std::atomic<bool> timed_out_ = false;
  std::thread thread_;
};

}  // namespace rankflow::sweep
