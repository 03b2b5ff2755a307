#!/usr/bin/env bash
# From a fresh Debian 12 to first results: installs packages, builds, simulates a ring attractor on two ranks, says what
# is in the file, draws it; then records an oscillating network and fits another one to the recording, on two ranks.
# May be run again at any time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

jobs/install_dependencies.sh
jobs/build.sh release rankflow

source jobs/environment.sh
allow_ranks 2
mkdir -p quickstart
echo "Simulating examples/ring_attractor.toml on 2 ranks"
mpirun -n 2 build/release/rankflow simulate examples/ring_attractor.toml -o quickstart/run.h5
echo
build/release/rankflow inspect quickstart/run.h5

echo
python=/usr/bin/python3  # the one that Debian's packages belong to, whatever else PATH holds
if "$python" -c 'import h5py, matplotlib' 2>/dev/null; then
  "$python" docs/figures/plot_latent.py quickstart/run.h5 quickstart/latent.png
else
  echo "No picture: python3-h5py or python3-matplotlib is not installed."
fi

echo
echo "Recording an oscillating network through 40 noisy channels, and fitting a network to the recording on 2 ranks"
build/release/rankflow -q generate recording examples/oscillator_recording.toml -o quickstart/oscillator.h5
mpirun -n 2 build/release/rankflow fit vsmc examples/fit_oscillator.toml \
  --set data.file=quickstart/oscillator.h5 -o quickstart/fit.h5
build/release/rankflow -q simulate quickstart/fit.h5 -o quickstart/generated.h5 --set time.duration=20.0
if "$python" -c 'import h5py' 2>/dev/null; then
  "$python" docs/figures/compare_period.py quickstart/oscillator.h5 quickstart/generated.h5
fi

echo
echo "Results: $root/quickstart/run.h5, fit.h5 (a network like any other: rankflow simulate fit.h5)"
[ ! -e quickstart/latent.png ] || echo "Picture: $root/quickstart/latent.png"
echo "Next:    change examples/ring_attractor.toml or add --set network.neurons=1000000, and read README.md;"
echo "         for a recording of your own: docs/fitting.md"
