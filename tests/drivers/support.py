"""What the tests of the built program share: running it, comparing its files, skipping loudly.

Every script is called as `script.py RANKFLOW MPIEXEC SOURCE_FOLDER`.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

RANKFLOW, MPIEXEC = sys.argv[1], sys.argv[2]
SOURCE = pathlib.Path(sys.argv[3])
EXAMPLES = SOURCE / "examples"
SHARED = SOURCE.parent / "shared" / "data"
SKIPPED = 77

# Which subcommand an example belongs to; simulate unless it is here.
COMMANDS = {
    "oscillator_recording": ["generate", "recording"],
    "oscillator_spikes": ["generate", "recording"],
    "generate_network": ["generate", "network"],
    "preset_network": ["generate", "network"],
    "import_recording": ["import", "recording"],
    **{name: ["fit", "vsmc"] for name in ("eeg", "fit_oscillator", "hippocampus", "rat_decision")},
    **{f"connectivity_{name}": ["fit", "flow"] for name in ("bistable", "heavy_tailed", "inputs", "limit_cycle",
                                                           "quadstable", "ring")},
}


def command_line(*arguments, ranks=0):
    """ranks 0: without a launcher."""
    launcher = [MPIEXEC, "-n", str(ranks)] if ranks else []
    return [*launcher, RANKFLOW, *map(str, arguments)]


def run(*arguments, ranks=0, expect=0, cwd=None, timeout=120):
    """Runs the program; its exit code must be `expect` (None: any). Returns the finished process with text output."""
    done = subprocess.run(
        command_line(*arguments, ranks=ranks), cwd=cwd, timeout=timeout, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if expect is not None and done.returncode != expect:
        raise AssertionError(
            f"{' '.join(done.args)}\nended with {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}")
    return done


def in_parallel(jobs):
    """Runs functions without arguments, two at a time; returns their results in order."""
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def plain(file, value):
    """An attribute's value in a form that two files can be compared by: references become names."""
    if isinstance(value, h5py.Reference):
        return file[value].name
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [plain(file, item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype.names:
        return sorted(str([plain(file, field) for field in row]) for row in value)
    if isinstance(value, (np.ndarray, np.generic)):
        return str(value.dtype), value.tobytes()
    return value


def contents(path):
    """Everything a file says but for /provenance: {name: value}, attributes as name@attribute."""
    found = {}

    def add(name, item):
        if name == "provenance" or name.startswith("provenance/"):
            return
        for key, value in item.attrs.items():
            found[f"/{name}@{key}"] = plain(item.file, value)
        if isinstance(item, h5py.Dataset):
            found[f"/{name}"] = (item.shape, str(item.dtype), item.chunks, np.asarray(item[()]).tobytes())
        else:
            found[f"/{name}"] = sorted(set(item) - {"provenance"})

    with h5py.File(path, "r") as file:
        add("", file)
        file.visititems(add)
    return found


def differences(one, other):
    """Names of what differs between two files, bit by bit, but for /provenance."""
    a, b = contents(one), contents(other)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def provenance(path):
    with h5py.File(path, "r") as file:
        return dict(file["provenance"].attrs)


def folder():
    return tempfile.TemporaryDirectory(prefix="rankflow-test-")


def shared(name):
    """A file of the shared data; where it is missing the test is skipped loudly, in CI it fails."""
    path = SHARED / name
    if path.exists():
        return path
    message = f"THE RECORDING {name} IS MISSING: this test was not run"
    if os.environ.get("CI") == "true" or os.environ.get("RANKFLOW_SHARED") == "required":
        raise AssertionError(message)
    print(message, file=sys.stderr)
    sys.exit(SKIPPED)


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)
