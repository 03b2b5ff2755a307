"""What the evidence tests share: running the program, reading its files, the statistics that tolerances are made of.

The program under test is the path in the environment variable RANKFLOW. Debian's python3 with numpy and h5py only.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

PROGRAM = os.environ.get("RANKFLOW", str(Path(__file__).parents[2] / "build/release/rankflow"))
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def toml(value):
    """A value as TOML text; dicts become inline tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, np.ndarray):
        return toml(value.tolist())
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, Path):
        return json.dumps(str(value))
    if isinstance(value, (float, np.floating)):
        text = repr(float(value))
        return text if any(c in text for c in ".en") else text + ".0"
    return json.dumps(value)


class Run:
    """Results of one finished run: `run["/trajectory/latent"]`."""

    def __init__(self, path):
        self._path = path

    def __getitem__(self, name):
        with h5py.File(self._path, "r") as file:
            return file[name][...]

    @property
    def latent(self):
        return self["/trajectory/latent"]


class Case(unittest.TestCase):
    """A test with a folder of its own for configurations and results."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rankflow-evidence-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self._runs = 0

    def simulate(self, **tables):
        """Runs `rankflow simulate` on the configuration made of `tables`; fails the test when the program does."""
        self._runs += 1
        config = self.folder / f"{self._runs}.toml"
        output = self.folder / f"{self._runs}.h5"
        lines = []
        for name, table in tables.items():
            for entry in table if isinstance(table, list) else [table]:
                lines.append(f"[[{name}]]" if isinstance(table, list) else f"[{name}]")
                lines += [f"{key} = {toml(value)}" for key, value in entry.items()]
        config.write_text("\n".join(lines) + "\n")
        done = subprocess.run([PROGRAM, "-q", "simulate", config, "-o", output], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{config.read_text()}\n{done.stdout}\n{done.stderr}")
        return Run(output)

    def array(self, values):
        """`values` in a .npy file, as the configuration names it."""
        self._runs += 1
        path = self.folder / f"{self._runs}.npy"
        np.save(path, np.ascontiguousarray(values))
        return path

    def saw(self, what, value, limit=None):
        """Prints a figure for docs/evidence.md."""
        text = f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
        print(f"  saw {what}: {text}" + ("" if limit is None else f"   (allowed {limit})"), flush=True)


def shared(*parts):
    """Path of a recording or published file. Without it the test is skipped, and fails where it must not be."""
    path = SHARED.joinpath(*parts)
    if path.exists():
        return path
    if os.environ.get("CI") == "true" or os.environ.get("RANKFLOW_SHARED") == "required":
        raise AssertionError(f"{path} is missing, and here this test may not be skipped")
    message = f"SKIPPED: {path} is missing: what was published is NOT compared with"
    print(f"!!! {message}", flush=True)
    raise unittest.SkipTest(message)


def main():
    """Exit code 77 when everything was skipped, for ctest's SKIP_RETURN_CODE."""
    result = unittest.main(exit=False, verbosity=2).result
    # A class skipped as a whole counts as skipped, but its tests do not count as run.
    if result.wasSuccessful() and result.skipped and len(result.skipped) >= result.testsRun:
        sys.exit(77)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)


def relative(found, expected):
    """Largest deviation in units of the largest expected magnitude."""
    return np.max(np.abs(found - expected)) / np.max(np.abs(expected))


def normal_nodes(count=200):
    """Gauss-Hermite nodes and weights of a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


def chi_square_limits(degrees, z=4.0):
    """Range that a chi-square variable leaves with the probability that a normal one exceeds z (Wilson & Hilferty
    1931)."""
    spread = np.sqrt(2 / (9 * degrees))
    low, high = ((max(0.0, 1 - 2 / (9 * degrees) + sign * z * spread)) ** 3 for sign in (-1, 1))
    return degrees * low, degrees * high


def slope(sizes, deviations):
    """Slope of log rms against log size and its standard error. `deviations`: per size, a list of normal deviates about
    0 (the log of an rms of k of them has variance 1/(2 k))."""
    x = np.log(sizes)
    y = np.array([0.5 * np.log(np.mean(np.square(d))) for d in deviations])
    weight = np.array([2.0 * np.size(d) for d in deviations])
    centre = np.average(x, weights=weight)
    spread = np.sum(weight * (x - centre) ** 2)
    return np.sum(weight * (x - centre) * y) / spread, 1 / np.sqrt(spread)
