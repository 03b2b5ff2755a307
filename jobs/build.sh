#!/usr/bin/env bash
# Configures and builds a preset: jobs/build.sh [release|debug|sanitize|audit] [target…]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-release}
cd "$root"
source jobs/environment.sh
# Paths relative to the clone, so that another clone of the project finds the same cache entries.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
cmake --preset "$preset"
cmake --build "build/$preset" -j "$(cores)" ${2:+--target "${@:2}"}
