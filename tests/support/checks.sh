# Stages of tests/run.sh: each is timed, and its outcome counted. To be sourced in the project's root.
passed=0
failed=0
skipped=0
failures=()
times=$(mktemp)

# stage NAME COMMAND…: one check, passed when the command succeeds.
stage() {
  local name=$1 start=$SECONDS status=0
  shift
  echo "=== $name"
  "$@" || status=$?
  echo "--- $name: $((SECONDS - start)) s"
  if [ $status -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$name")
  fi
  return $status
}

# outcomes FILE: "<outcome> <test>" for every test of a JUnit file of ctest; outcome is passed, failed or skipped.
# A test that could not start ("Unable to find executable") counts as failed, though ctest calls it skipped.
outcomes() {
  awk -F'"' '
    /<testcase name=/ { name = $2; outcome = $0 ~ /status="run"/ ? "passed" : "failed" }
    /<skipped message="(SKIP_|Disabled)/ { outcome = "skipped" }
    /<\/testcase>/ { print outcome, name }' "$1"
}

# durations FILE: "<seconds> <test>" for every test of a JUnit file of ctest.
durations() {
  sed -n 's/.*<testcase name="\([^"]*\)".* time="\([0-9.]*\)".*/\2 \1/p' "$1"
}

# run_ctest NAME PRESET CTEST-ARGUMENTS…: every test that ctest selects is one check.
run_ctest() {
  local name=$1 build=$root/build/$2 start=$SECONDS report outcome test
  shift 2
  report=$build/junit.xml
  rm -f "$report"
  echo "=== $name"
  ctest --test-dir "$build" -j "$(cores)" --output-on-failure --output-junit "$report" "$@"
  echo "--- $name: $((SECONDS - start)) s"
  if ! grep -qs '<testcase' "$report"; then
    failed=$((failed + 1))
    failures+=("$name: ctest found no test")
    return
  fi
  while read -r outcome test; do
    case $outcome in
      passed) passed=$((passed + 1)) ;;
      skipped) skipped=$((skipped + 1)) ;;
      *)
        failed=$((failed + 1))
        failures+=("$name: $test")
        ;;
    esac
  done < <(outcomes "$report")
  durations "$report" | sed "s/$/ ($name)/" >>"$times"
  report_skips "$build"
}

# Test cases that GoogleTest skipped inside tests that passed: named and counted.
report_skips() {
  local cases count
  cases=$(grep -ah '^\(\[[0-9,]*\]<std[a-z]*>:\)\?\[  SKIPPED \] [A-Za-z0-9_/]*\.[A-Za-z0-9_/]*$' \
    "$1/Testing/Temporary/LastTest.log" | sort -u)
  [ -n "$cases" ] || return 0
  count=$(wc -l <<<"$cases")
  echo "!!! $count test cases SKIPPED themselves:"
  echo "$cases"
  skipped=$((skipped + count))
}

check_format() {
  git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run -Werror
}

# tidy_file SOURCE: silent when all sources, headers and rules are as at the last success.
tidy_file() {
  local stamp
  stamp=build/tidy/stamps/$({ echo "$1" && cat "$1" .clang-tidy && sources_of "$1" | xargs -r cat && git ls-files '*.hpp' |
    xargs cat; } | sha256sum | cut -c1-40)
  [ -e "$stamp" ] && return 0
  clang-tidy --quiet -p build/tidy "$1" 2>&1 | grep -v 'warnings generated\.$'
  [ "${PIPESTATUS[0]}" -eq 0 ] && touch "$stamp"
}

# The sources that a file of CMake's compiles together.
sources_of() {
  sed -n 's/^#include "\(.*\.cpp\)"$/\1/p' "$1"
}

check_tidy() {
  cmake --preset tidy >build/tidy.log && cmake --build --preset tidy >>build/tidy.log || { cat build/tidy.log; return 1; }
  mkdir -p build/tidy/stamps
  export -f tidy_file sources_of
  sed -n 's/^ *"file": "\(.*\)",*$/\1/p' build/tidy/compile_commands.json |
    xargs -P "$(cores)" -I{} bash -c 'tidy_file {}'
}

# Prints the closing line and ends the script.
finish() {
  local failure
  if [ "${RANKFLOW_SHARED:-}" = required ] && [ "$skipped" -gt 0 ]; then
    failed=$((failed + 1))
    failures+=("$skipped tests were skipped, where none may be")
  fi
  echo "The slowest tests, in seconds:"
  sort -rn "$times" | head -10
  rm -f "$times"
  for failure in "${failures[@]}"; do
    echo "FAILED: $failure"
  done
  echo "All stages: $SECONDS s"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}
