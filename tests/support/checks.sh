# Stages of tests/run.sh: each is timed, and its outcome counted. To be sourced in the project's root.
passed=0
failed=0
skipped=0
failures=()

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

# attribute NAME FILE: a number in the first element of a JUnit file.
attribute() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1; }

# run_ctest NAME PRESET CTEST-ARGUMENTS…: every test that ctest selects is one check.
run_ctest() {
  local name=$1 build=$root/build/$2 start=$SECONDS report total bad
  shift 2
  report=$build/junit.xml
  rm -f "$report"
  echo "=== $name"
  ctest --test-dir "$build" -j "$(cores)" --output-on-failure --output-junit "$report" "$@"
  echo "--- $name: $((SECONDS - start)) s"
  total=$(attribute tests "$report")
  if [ -z "$total" ]; then
    failed=$((failed + 1))
    failures+=("$name: ctest did not run")
    return
  fi
  bad=$(attribute failures "$report")
  passed=$((passed + total - bad - $(attribute skipped "$report") - $(attribute disabled "$report")))
  failed=$((failed + bad))
  skipped=$((skipped + $(attribute skipped "$report") + $(attribute disabled "$report")))
  mapfile -t -O ${#failures[@]} failures < <(sed -n 's/.*<testcase name="\([^"]*\)".*status="fail".*/'"$name"': \1/p' "$report")
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

# tidy_file SOURCE: silent when the file, every header and the rules are as at the last success.
tidy_file() {
  local stamp
  stamp=build/release/tidy/$({ cat "$1" .clang-tidy && git ls-files '*.hpp' | xargs cat; } | sha256sum | cut -c1-40)
  [ -e "$stamp" ] && return 0
  clang-tidy --quiet -p build/release "$1" 2>&1 | grep -v 'warnings generated\.$'
  [ "${PIPESTATUS[0]}" -eq 0 ] && touch "$stamp"
}

check_tidy() {
  mkdir -p build/release/tidy
  export -f tidy_file
  git ls-files 'src/*.cpp' 'drivers/*.cpp' | xargs -P "$(cores)" -I{} bash -c 'tidy_file {}'
}

# Prints the closing line and ends the script.
finish() {
  local failure
  if [ "${RANKFLOW_SHARED:-}" = required ] && [ "$skipped" -gt 0 ]; then
    failed=$((failed + 1))
    failures+=("$skipped tests were skipped, where none may be")
  fi
  for failure in "${failures[@]}"; do
    echo "FAILED: $failure"
  done
  echo "All stages: $SECONDS s"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}
