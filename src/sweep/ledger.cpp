#include "sweep/ledger.hpp"

#include <charconv>
#include <set>

#include "config/parse.hpp"
#include "config/toml_text.hpp"
#include "core/error.hpp"

namespace rankflow::sweep {
namespace {

constexpr const char* done_suffix = ".done";
constexpr const char* retried_suffix = ".retried";

std::string suffix_of(Ending ending) {
  if (ending == Ending::signalled) return ".signalled";
  return ending == Ending::released ? ".released" : ".died";
}

std::string name(const std::string& id, const std::string& suffix) {
  return id.substr(0, 2) + "/" + id + suffix;
}

std::string session_name(const std::string& id, std::int64_t session, const std::string& suffix = "") {
  return name(id, fmt::format(".{}{}", session, suffix));
}

std::string done_name(const std::string& id, std::int64_t retried) {
  return retried == 0 ? name(id, done_suffix) : session_name(id, retried, done_suffix);
}

std::string text_of(const EndNote& note) {
  return config::document_toml({config::Table{{"seconds", {note.seconds}}, {"reason", {note.reason}}}});
}

/// A damaged note says nothing: it only explains.
config::Value note_root(const std::string& text) {
  try {
    return config::parse_document(text, "note");
  } catch (const ConfigurationError&) {
    return {config::Table{}};
  }
}

EndNote parse_note(const std::string& text) {
  const auto root = note_root(text);
  const auto* seconds = root.find("seconds");
  const auto* reason = root.find("reason");
  return {.seconds = seconds != nullptr && seconds->as<double>() != nullptr ? *seconds->as<double>() : 0,
          .reason = reason != nullptr && reason->as<std::string>() != nullptr ? *reason->as<std::string>() : ""};
}

/// What one case's names say, in any order of the names.
struct Names {
  CaseState state;
  std::int64_t last_end = 0;       ///< last session that ended
  std::set<std::int64_t> excused;  ///< sessions
  std::set<std::int64_t> done;     ///< sessions before the retries whose outcome is recorded; 0: the first outcome

  void add(std::string_view rest) {
    if (rest == "done") done.insert(0);
    std::int64_t session = 0;
    const auto [after, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), session);
    if (failure != std::errc{}) return;
    const std::string_view suffix = rest.substr(static_cast<std::size_t>(after - rest.data()));
    if (suffix.empty()) state.sessions = std::max(state.sessions, session);
    if (suffix == ".released") ++state.released;
    if (suffix == ".released" || suffix == ".signalled") excused.insert(session);
    if (suffix == done_suffix) done.insert(session);
    if (suffix == retried_suffix) state.retried = std::max(state.retried, session);
    if (suffix == ".released" || suffix == ".died" || suffix == retried_suffix) last_end = std::max(last_end, session);
  }
  CaseState result() const {
    auto all = state;
    all.done = done.contains(all.retried);
    all.excused = std::distance(excused.upper_bound(all.retried), excused.end());
    all.last_ended = all.sessions > 0 && last_end >= all.sessions;
    return all;
  }
};

}  // namespace

Ledger::Ledger(const std::filesystem::path& sweep) : files_(sweep / "ledger"), me_(Owner::myself().text()) {}

bool Ledger::claim(const std::string& id, std::int64_t session, std::int64_t retried) {
  if (session == 1) return files_.create(session_name(id, session), me_);  // what is done was begun
  // Asked before, so that a case which is done gains no session, and after, which is the answer that counts.
  const auto over = done_name(id, retried);
  return !files_.exists(over) && files_.create(session_name(id, session), me_) && !files_.exists(over);
}

bool Ledger::begun(const std::string& id) const {
  return files_.exists(session_name(id, 1));
}

bool Ledger::beat(const std::string& id, std::int64_t session) const {
  return files_.touch(session_name(id, session)) && !files_.exists(session_name(id, session + 1));
}

void Ledger::end(const std::string& id, std::int64_t session, Ending ending, const EndNote& note) {
  files_.publish(session_name(id, session, suffix_of(ending)), text_of(note));
}

void Ledger::excuse(const std::string& id, std::int64_t session) {
  try {
    files_.create(session_name(id, session, suffix_of(Ending::signalled)), "");
  } catch (const InputOutputError&) {
    // Then it counts as one.
  }
}

bool Ledger::finish(const std::string& id, std::int64_t session, const Outcome& outcome, std::int64_t retried) {
  return !files_.exists(session_name(id, session + 1)) && files_.publish(done_name(id, retried), text_of(outcome));
}

bool Ledger::retry(const std::string& id, std::int64_t session, const EndNote& note) {
  return files_.publish(session_name(id, session, retried_suffix), text_of(note));
}

Survey Ledger::survey() const {
  std::unordered_map<std::string, Names> names;
  constexpr std::size_t folder_length = 2;
  files_.list("", [&](std::string_view folder) {
    if (folder.size() != folder_length) return;
    files_.list(std::string(folder), [&](std::string_view file) {
      const auto dot = file.find('.');
      if (dot != std::string_view::npos) names[std::string(file.substr(0, dot))].add(file.substr(dot + 1));
    });
  });
  Survey survey;
  survey.reserve(names.size());
  for (const auto& [id, found] : names) survey.emplace(id, found.result());
  return survey;
}

CaseState Ledger::state(const std::string& id) const {
  Names names;
  for (std::int64_t session = 1; files_.exists(session_name(id, session)); ++session) {
    names.add(std::to_string(session));
    for (const auto ending : {Ending::signalled, Ending::released, Ending::died})
      if (files_.exists(session_name(id, session, suffix_of(ending))))
        names.add(std::to_string(session) + suffix_of(ending));
    if (files_.exists(session_name(id, session, retried_suffix))) names.add(std::to_string(session) + retried_suffix);
  }
  if (files_.exists(done_name(id, names.state.retried))) names.done.insert(names.state.retried);
  return names.result();
}

std::optional<Holding> Ledger::holding(const std::string& id, std::int64_t session) {
  const auto found = files_.read(session_name(id, session));
  if (!found) return std::nullopt;
  return Holding{
      .owner = Owner::parse(found->text), .beat = found->modified, .silence = files_.now() - found->modified};
}

EndNote Ledger::notes(const std::string& id, std::int64_t sessions, std::int64_t before) const {
  EndNote all;
  for (std::int64_t session = before + 1; session <= sessions; ++session) {
    if (const auto retry = retry_note(id, session)) all.seconds += retry->seconds;
    for (const auto ending : {Ending::released, Ending::died}) {
      const auto found = files_.read(session_name(id, session, suffix_of(ending)));
      if (!found) continue;
      const auto note = parse_note(found->text);
      all.seconds += note.seconds;
      if (ending == Ending::died)
        all.reason += fmt::format("{}session {}: {}", all.reason.empty() ? "" : "\n", session, note.reason);
    }
  }
  return all;
}

std::optional<EndNote> Ledger::retry_note(const std::string& id, std::int64_t session) const {
  const auto found = files_.read(session_name(id, session, retried_suffix));
  return found ? std::optional(parse_note(found->text)) : std::nullopt;
}

std::optional<Outcome> Ledger::outcome(const std::string& id, std::int64_t retried) const {
  const auto file = done_name(id, retried);
  const auto found = files_.read(file);
  if (!found) return std::nullopt;
  try {
    return parse_outcome(found->text, files_.path() / file);
  } catch (const InputOutputError& damage) {
    Outcome lost;
    lost.status = Status::failed;
    lost.exit_code = static_cast<int>(damage.code());
    lost.message = fmt::format("{} (--retry failed has the case begin again)", damage.what());
    return lost;
  }
}

}  // namespace rankflow::sweep
