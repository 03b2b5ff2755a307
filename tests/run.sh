#!/usr/bin/env bash
# Installs what is missing, builds, and runs every check of the project. Ends with "N passed, N failed, N skipped".
#   tests/run.sh          everything
#   tests/run.sh --fast   build and unit tests only
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
source jobs/environment.sh
source tests/support/checks.sh
allow_ranks 4

fast=no
case "${1:-}" in
  --fast) fast=yes ;;
  "") ;;
  *) echo "usage: tests/run.sh [--fast]" >&2; exit 2 ;;
esac

# CI has the recordings beside the clone: there, a test that needs them may not skip itself.
if [ "${CI:-}" = true ] && [ -d ../shared/data ]; then
  export RANKFLOW_SHARED=required
fi

stage "packages" jobs/install_dependencies.sh || finish
if [ "$fast" = yes ]; then
  stage "build of the unit tests" jobs/build.sh release unit_tests || finish
  run_ctest "unit tests" release -L unit
else
  stage "release build" jobs/build.sh release || finish
  stage "clang-format" check_format
  run_ctest "unit tests" release -L unit
  run_ctest "tests on several ranks and of the program" release -LE "unit|slow"
  run_ctest "slow tests" release -L slow
  if stage "sanitizer build" jobs/build.sh sanitize unit_tests mpi_tests; then
    # Left out: statistics, minutes long in this build, while shorter tests run the same code; the race, whose kills are
    # timed; and the bulk on one process, where Open MPI's modules count as leaks (it runs on two ranks below).
    export GTEST_FILTER="-Presets.FixedPoints*:Presets.RingAttractor*:Presets.LimitCycle*:Bulk.*:RandomBulk.*:Stiffness.*"
    GTEST_FILTER+=":*Draws/*:Race.*:ConnectivityDistance.Estimated*:Identifiability.CredibleWidths*:Mixture.Cross*"
    GTEST_FILTER+=":NewtonFixedPoints.Agrees*:ExactFixedPoints.NoneMissed*:Cycles.NoneOfOrderTwo*:ConditionalMean.OfA*"
    GTEST_FILTER+=":Posterior.DrawsHave*:Systems/PublishedConnector.*:LogDensity.OfATaught*:LinearLikelihoodError.*"
    GTEST_FILTER+=":UnbiasedLikelihood.*"
    LSAN_OPTIONS="suppressions=$root/tests/support/lsan.supp:print_suppressions=0" \
      run_ctest "unit tests under sanitizers" sanitize -L unit
    unset GTEST_FILTER
    ASAN_OPTIONS=detect_leaks=0 run_ctest "two ranks under sanitizers" sanitize -L mpi -R _on_2_ranks
  fi
  stage "clang-tidy" check_tidy
fi
finish
