#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace spdlog {
class logger;
}

namespace rankflow {

/// What the program says while it works: messages on standard error, from rank 0 only, and one progress line that is
/// redrawn on a terminal and repeated sparsely in a log. Results meant for a pipe go to standard output, not here.
class Console {
 public:
  /// A `speaking` of false makes every call silent: the consoles of ranks other than 0.
  explicit Console(bool speaking, bool quiet = false);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    say_info(fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) {
    say_warning(fmt::format(format, std::forward<Args>(args)...));
  }
  void error(std::string_view text);
  /// Writes a result to standard output, from rank 0 only.
  void print(std::string_view text);

  /// Starts a progress line for work that begins at share `done` (a resumed run does not begin at 0).
  void begin_progress(std::string what, double done = 0.0);
  /// `done` in [0, 1]; `note` is appended. Draws at most 5 times a second on a terminal, at every tenth of the work or
  /// every 60 s in a log.
  void progress(double done, std::string_view note = {});
  void end_progress();
  struct Pace {
    double share = 0;    ///< of the work, done since begin_progress
    double seconds = 0;  ///< that it took
  };
  /// As of the last call of progress; on every rank where that is called, also a silent one.
  Pace pace() const noexcept { return pace_; }
  /// Says nothing but warnings and errors.
  bool quiet() const noexcept { return quiet_; }

 private:
  using Clock = std::chrono::steady_clock;
  void say_info(const std::string& text);
  void say_warning(const std::string& text);
  void clear_line();

  bool speaking_;
  bool quiet_;
  bool terminal_;
  bool line_drawn_ = false;
  std::shared_ptr<spdlog::logger> logger_;
  std::string what_;
  double first_done_ = 0.0;
  double last_drawn_ = 0.0;
  Pace pace_;
  Clock::time_point start_{}, last_time_{};
};

/// "1 h 02 min", "3 min 20 s", "4.2 s".
std::string duration_text(double seconds);
/// "1.2 GiB", "340 KiB".
std::string bytes_text(double bytes);

}  // namespace rankflow
