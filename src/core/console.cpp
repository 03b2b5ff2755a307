#include "core/console.hpp"

#include <unistd.h>
#include <cmath>
#include <cstdio>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace rankflow {
namespace {

constexpr std::chrono::milliseconds terminal_interval{200};
constexpr std::chrono::seconds log_interval{60};
constexpr double log_share = 0.1;

}  // namespace

Console::Console(bool speaking, bool quiet)
    : speaking_(speaking),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      logger_(std::make_shared<spdlog::logger>("rankflow", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_pattern(terminal_ ? "%v" : "[%Y-%m-%d %H:%M:%S] %v");
}

Console::~Console() {
  clear_line();
}

void Console::clear_line() {
  if (!line_drawn_) return;
  std::fputs("\r\033[K", stderr);
  line_drawn_ = false;
}

void Console::say_info(const std::string& text) {
  if (!speaking_ || quiet_) return;
  clear_line();
  logger_->info(text);
}

void Console::say_warning(const std::string& text) {
  if (!speaking_) return;
  clear_line();
  logger_->warn("warning: {}", text);
}

void Console::error(std::string_view text) {
  clear_line();
  logger_->error("error: {}", text);
}

void Console::print(std::string_view text) {
  if (!speaking_) return;
  clear_line();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Console::begin_progress(std::string what, double done) {
  what_ = std::move(what);
  start_ = last_time_ = Clock::now();
  first_done_ = last_drawn_ = done;
  pace_ = {};
}

void Console::progress(double done, std::string_view note) {
  const auto now = Clock::now();
  pace_ = {.share = done - first_done_, .seconds = std::chrono::duration<double>(now - start_).count()};
  if (!speaking_ || quiet_) return;
  const bool due = terminal_ ? now - last_time_ >= terminal_interval
                             : now - last_time_ >= log_interval || done - last_drawn_ >= log_share;
  if (!due) return;
  last_time_ = now;
  last_drawn_ = done;
  const double elapsed = pace_.seconds;
  const double speed = pace_.share / std::max(elapsed, 1e-9);
  const std::string left = speed > 0 ? duration_text((1.0 - done) / speed) : "?";
  const std::string line = fmt::format("{} {:5.1f} %  {} elapsed, {} left{}{}", what_, 100 * done,
                                       duration_text(elapsed), left, note.empty() ? "" : "  ", note);
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    line_drawn_ = true;
  } else {
    logger_->info(line);
  }
}

void Console::end_progress() {
  clear_line();
}

std::string duration_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string bytes_text(double bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace rankflow
