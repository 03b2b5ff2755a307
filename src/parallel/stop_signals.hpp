#pragma once
#include <array>
#include <csignal>

namespace rankflow::parallel {

/// Catches SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 until destruction, and remembers the last one. One may live inside
/// another: a signal that came before the inner one began stays pending, and the outer one sees what the inner saw.
/// The outermost begins without a signal. A process has one signal state, therefore the functions are static.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Number of the last signal, 0 before any.
  static int pending() noexcept;
  /// As if the signal had come: another rank received it.
  static void note(int signal) noexcept;

  /// Asks the work under way in this process to stop as a signal would; from any thread.
  static void request() noexcept;
  static bool requested() noexcept;
  /// The work that was asked to stop is over.
  static void forget_request() noexcept;

 private:
  static constexpr std::array caught{SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
  std::array<struct sigaction, caught.size()> before_{};  ///< what the signals did until now
};

}  // namespace rankflow::parallel
