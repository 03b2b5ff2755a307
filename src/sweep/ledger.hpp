#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "sweep/outcome.hpp"

namespace rankflow::sweep {

/// A process that holds a claim. On one host it can be asked whether it still lives.
struct Owner {
  std::string host;
  std::string instance;  ///< boot and process name space: only within the same one is `process` comparable
  std::int64_t process = 0;
  std::int64_t started = 0;  ///< of the process, in ticks since boot: a number used again is another process
  std::string job;           ///< SLURM job id, with array task; empty elsewhere

  static Owner myself();
  /// True when it is certain that the process is gone; false also when nobody can tell from here.
  bool surely_gone() const;
};

/// How a session, one begin or resumption of a case, ended without finishing the case.
enum class Ending {
  released,  ///< in order, with a checkpoint: another session continues, and it counts as no death
  died       ///< somebody who knows says so: no heartbeat has to be awaited
};

/// What the names in the ledger's folders say of one case; no file is opened for it.
struct CaseState {
  bool done = false;          ///< an outcome is recorded
  std::int64_t sessions = 0;  ///< begun so far; the last one is running unless it ended
  std::int64_t released = 0;  ///< of them
  std::int64_t died = 0;      ///< of them, known by a record of the death
  bool last_ended = false;    ///< nobody holds the case, unless sessions = 0
  bool waiting() const noexcept { return !done && (sessions == 0 || last_ended); }
};

/// State of every case that was ever begun, by id.
using Survey = std::unordered_map<std::string, CaseState>;

/// What is known of a case that somebody holds.
struct Holding {
  Owner owner;               ///< all empty when the owner died before it had written who it is
  std::int64_t session = 0;  ///< 1 for the first
  double silence = 0;        ///< seconds since the last heartbeat by the file system's clock
};

/// The record of who works on which case, in plain files of a folder that all workers share (NFS, Lustre, …). There is
/// no lock: each change of state is one atomic operation on one name that never changes its meaning afterwards, so a
/// kill at any moment leaves a valid ledger.
///
///     ledger/<id[0:2]>/<id>.<n>           session n of the case; created exclusively; its mtime is the heartbeat
///     ledger/<id[0:2]>/<id>.<n>.released  session n ended in order, unfinished
///     ledger/<id[0:2]>/<id>.<n>.died      session n is known to be dead
///     ledger/<id[0:2]>/<id>.done          the outcome, complete from its first moment (written aside, then linked)
///
/// A stale session n is taken over by creating n+1 exclusively: of all who try one wins, and nobody else's name is
/// touched. All files of a case lie in one folder so that on NFS the creation brings the client's view of `done` up to
/// date. Not thread-safe. Every function throws InputOutputError when the file system refuses.
class Ledger {
 public:
  /// `sweep` is the sweep's directory, which must exist.
  explicit Ledger(const std::filesystem::path& sweep);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Creates session `session` of the case; false when somebody else has it or the case is done.
  bool claim(const std::string& id, std::int64_t session = 1);
  /// Whether session 1 exists: a cheap look without opening anything.
  bool begun(const std::string& id) const;
  /// Renews the heartbeat; false when a later session exists: the claim is lost, and the work must stop. May be called
  /// from another thread.
  bool beat(const std::string& id, std::int64_t session) const;
  /// Ends a session without an outcome. `note`: why. A second ending of a session is ignored.
  void end(const std::string& id, std::int64_t session, Ending ending, const std::string& note) const;
  /// Records the outcome; false when there is one already, which stays, or when a later session exists.
  bool finish(const std::string& id, std::int64_t session, const Outcome& outcome) const;

  /// Lists the ledger's folders (at most 256): the work grows with the number of cases, therefore not done for a claim.
  Survey survey() const;
  /// State of one case by asking for each name; for single cases.
  CaseState state(const std::string& id) const;
  /// Who holds session `session`; nothing when there is no such session.
  std::optional<Holding> holding(const std::string& id, std::int64_t session) const;
  /// What was noted when sessions ended: "session 1 on node7: killed by …", one line each.
  std::string notes(const std::string& id) const;
  /// The recorded outcome; nothing when the case is not over.
  std::optional<Outcome> outcome(const std::string& id) const;

  const std::filesystem::path& folder() const noexcept { return folder_; }
  /// Operations on names and attributes asked of the file system so far.
  std::int64_t metadata_operations() const noexcept;

 private:
  std::filesystem::path name(const std::string& id, const std::string& suffix) const;
  bool exists(const std::filesystem::path& path) const;
  double now() const;

  std::filesystem::path folder_;
  Owner me_;
  mutable std::filesystem::path clock_;  ///< touched to learn the file system's time; made on first use
  struct Counter;
  std::unique_ptr<Counter> operations_;
};

}  // namespace rankflow::sweep
