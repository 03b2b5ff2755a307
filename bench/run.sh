#!/bin/bash
# Speed beside this machine's limits, beside numpy, and on 2 ranks beside 1.
# usage: bench/run.sh BUILD_DIRECTORY [limits] [numpy] [ceiling] [scaling]
set -eu
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
if [ $# -eq 0 ]; then sed -n '2,3p' "$0"; exit 2; fi
exec /usr/bin/python3 "$(dirname "$0")/run.py" "$@"
