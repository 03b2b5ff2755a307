#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "sweep/outcome.hpp"
#include "sweep/owner.hpp"
#include "sweep/shared_folder.hpp"

namespace rankflow::sweep {

/// What is said of a session, one begin or resumption of a case, that did not finish the case.
enum class Ending {
  signalled,  ///< not ended yet, but asked to stop: should it be killed before it could, the case is not to blame
  released,   ///< in order, with a checkpoint: another session continues, and it counts as no death
  died        ///< somebody who knows says so: no heartbeat has to be awaited
};

/// What is noted when a session ends without an outcome.
struct EndNote {
  double seconds = 0;  ///< of work that the checkpoint keeps
  std::string reason;
};

/// What the names in the ledger's folders say of one case; no file is opened for it.
struct CaseState {
  bool done = false;          ///< an outcome is recorded, and nobody asked for a retry since
  std::int64_t sessions = 0;  ///< begun so far; the last one is running unless it ended
  std::int64_t retried = 0;   ///< of them: before the last retry, which gives the case a fresh start; 0: no retry
  std::int64_t released = 0;  ///< of them
  std::int64_t excused = 0;   ///< of those since the retry: released, or killed after they had been asked to stop
  bool last_ended = false;    ///< the last session was released, is known to be dead, or is retried
  /// Nobody works on it.
  bool waiting() const noexcept { return !done && (sessions == 0 || last_ended); }
  /// Sessions since the last retry that ended in no order. Right once the last session has ended, or when it is taken
  /// for dead.
  std::int64_t deaths() const noexcept { return sessions - retried - excused; }
};

/// State of every case that was ever begun, by id.
using Survey = std::unordered_map<std::string, CaseState>;

/// What is known of one session's holder.
struct Holding {
  Owner owner;         ///< all empty when it died before it had written who it is
  double beat = 0;     ///< time of the last heartbeat by the file system's clock
  double silence = 0;  ///< seconds since then by the same clock
};

/// The record of who works on which case, in plain files of a folder that all workers share (NFS, Lustre, …). There is
/// no lock: each change of state is one atomic operation that makes a name which never changes its meaning afterwards,
/// so that a kill at any moment leaves a valid ledger. Below ledger/<id[0:2]>/ of the sweep's directory:
///
///     <id>.<n>           session n of the case; created exclusively; its time of modification is the heartbeat
///     <id>.<n>.signalled session n was asked to stop
///     <id>.<n>.released  session n ended in order, unfinished
///     <id>.<n>.died      session n is known to be dead
///     <id>.done          the outcome
///     <id>.<n>.retried   the case, over with session n, is to begin again: what was recorded counts no more, but stays
///     <id>.<n>.done      the outcome after that
///
/// A dead session n is taken over by creating n+1 exclusively: of all who try one wins, and nobody else's name is
/// touched. All files of a case lie in one folder so that on NFS the creation brings the client's view of `done` up to
/// date. Thread-safe. Every function throws InputOutputError when the file system refuses.
class Ledger {
 public:
  /// `sweep` is the sweep's directory.
  explicit Ledger(const std::filesystem::path& sweep);

  /// Begins session `session` of the case; false when somebody else did, or the case is done. `retried` as in
  /// CaseState, here and below.
  bool claim(const std::string& id, std::int64_t session = 1, std::int64_t retried = 0);
  /// Whether the case was ever begun: a cheap look without opening anything.
  bool begun(const std::string& id) const;
  /// Renews the heartbeat; false when a later session exists: the claim is lost, and the work must stop.
  bool beat(const std::string& id, std::int64_t session) const;
  /// Ends a session without an outcome, or says that it will. The same said a second time is ignored.
  void end(const std::string& id, std::int64_t session, Ending ending, const EndNote& note);
  /// Lets a session that cannot even be ended, as on a full disk, count as no death. Does what it can; throws nothing.
  void excuse(const std::string& id, std::int64_t session);
  /// Records the outcome; false when there is one already, which stays, or when a later session exists.
  bool finish(const std::string& id, std::int64_t session, const Outcome& outcome, std::int64_t retried = 0);
  /// Gives a case that is over another start after its `session` sessions so far; false when somebody else did. The
  /// note says what it was over with.
  bool retry(const std::string& id, std::int64_t session, const EndNote& note);

  /// Lists the ledger's folders (at most 256): the work grows with the number of cases, so that no claim needs it.
  Survey survey() const;
  /// State of one case by asking for each of its names.
  CaseState state(const std::string& id) const;
  /// Who holds session `session`; nothing when there is no such session.
  std::optional<Holding> holding(const std::string& id, std::int64_t session);
  /// What was noted of the first `sessions` sessions but for the first `before`: the seconds of work together, and why
  /// those that died did, one line each: "session 1: process 7 on node3 is gone".
  EndNote notes(const std::string& id, std::int64_t sessions, std::int64_t before = 0) const;
  /// The note of the retry after session `session`; nothing when there was none.
  std::optional<EndNote> retry_note(const std::string& id, std::int64_t session) const;
  /// The recorded outcome; nothing when the case is not over. A damaged record is that of a failed case, so that it can
  /// be tried again, and hides no other.
  std::optional<Outcome> outcome(const std::string& id, std::int64_t retried = 0) const;

  /// What was asked of the file system so far, in requests to its metadata server.
  std::int64_t metadata_operations() const noexcept { return files_.operations(); }

 private:
  SharedFolder files_;
  std::string me_;  ///< as a claim says it
};

}  // namespace rankflow::sweep
