#!/usr/bin/env bash
# Configures the project against broken installations of a library and checks that each stops with the fix named.
# usage: configure_test.sh SOURCE_DIRECTORY CASE, CASE one of good, missing_library, serial_hdf5, broken_hdf5, two_mpis
set -euo pipefail
source_directory=$1
case_name=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fake_hdf5 yes|no: a prefix whose compiler wrapper says that HDF5 is or is not parallel, with the real headers.
fake_hdf5() {
  local headers
  headers=$(h5pcc -show | tr ' ' '\n' | sed -n 's/^-I\(.*hdf5.*\)/\1/p' | head -n 1)
  mkdir -p "$work/hdf5/bin" "$work/hdf5/lib" "$work/hdf5/include"
  cp "$headers"/*.h "$work/hdf5/include"
  cat >"$work/hdf5/bin/h5pcc" <<END
#!/bin/sh
[ "\$1" != -showconfig ] || { echo "Parallel HDF5: $1"; exit; }
echo "cc -I$work/hdf5/include -L$work/hdf5/lib -lhdf5_hl -lhdf5"
END
  chmod +x "$work/hdf5/bin/h5pcc"
}

# stub LIBRARY LINKS… <functions: a shared library that defines functions of these names.
stub() {
  local library=$1
  shift
  sed 's/.*/int &(void) { return 0; }\nint &_g;/' | cc -shared -fPIC -x c - -o "$work/hdf5/lib/$library" \
    -Wl,-soname,"$library" -L"$work/hdf5/lib" -Wl,-rpath,"$work/hdf5/lib" -Wl,--no-as-needed "$@"
}

# configure ARGUMENTS…: fills $work/log, returns CMake's status.
configure() {
  cmake -S "$source_directory" -B "$work/build" -G Ninja -DRANKFLOW_BENCH=OFF "$@" >"$work/log" 2>&1
}

# must_stop_with TEXT… -- CMAKE ARGUMENTS…
must_stop_with() {
  local expected=()
  while [ "$1" != -- ]; do
    expected+=("$1")
    shift
  done
  shift
  if configure "$@"; then
    cat "$work/log"
    echo "FAILED: the configuration succeeded"
    exit 1
  fi
  for text in "${expected[@]}"; do
    if ! grep -qF -- "$text" "$work/log"; then
      cat "$work/log"
      echo "FAILED: the message does not say: $text"
      exit 1
    fi
  done
}

used_functions="H5open H5check_version H5Pcreate H5Pset_fapl_mpio H5Fcreate H5P_CLS_FILE_ACCESS_ID"
case $case_name in
  good)  # the control: the same command without a broken library
    configure || { cat "$work/log"; exit 1; }
    grep -q "Proved parallel HDF5" "$work/log"
    ;;
  missing_library)
    must_stop_with "fmt was not found" "apt-get install libfmt-dev" "jobs/install_dependencies.sh" -- \
      -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
    ;;
  serial_hdf5)
    fake_hdf5 no
    sed -i '/define H5_HAVE_PARALLEL/d' "$work/hdf5/include/H5pubconf.h"
    tr ' ' '\n' <<<"$used_functions" | stub libhdf5.so
    echo H5DSis_scale | stub libhdf5_hl.so
    must_stop_with "HDF5 library found is serial" "apt-get install libhdf5-openmpi-dev" "-DHDF5_ROOT" -- \
      -DHDF5_ROOT="$work/hdf5"
    ;;
  broken_hdf5)  # headers of a parallel HDF5, a library without its functions
    fake_hdf5 yes
    echo H5open | stub libhdf5.so
    echo H5DSis_scale | stub libhdf5_hl.so
    must_stop_with "parallel HDF5 was found but a small program does not compile and link" \
      "undefined reference to \`H5Pset_fapl_mpio'" "libhdf5-openmpi-dev" -- -DHDF5_ROOT="$work/hdf5"
    ;;
  two_mpis)  # an HDF5 that loads MPICH's library
    fake_hdf5 yes
    echo MPICH_only | stub libmpich.so.12
    tr ' ' '\n' <<<"$used_functions" | stub libhdf5.so -l:libmpich.so.12
    echo H5DSis_scale | stub libhdf5_hl.so
    must_stop_with "built with different MPI libraries" "libmpich.so.12 => $work" "  petsc: " "apt-get install" -- \
      -DHDF5_ROOT="$work/hdf5"
    ;;
  *)
    echo "unknown case $case_name" >&2
    exit 2
    ;;
esac
echo "$case_name: as expected"
