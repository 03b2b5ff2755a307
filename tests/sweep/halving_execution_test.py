"""Early stopping as a user runs it: what is killed on the way changes nothing, and nobody works in vain."""
import pathlib
import random
import subprocess
import sys
import time
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "drivers"))
from support import EXAMPLES, command_line, differences, folder, main, run  # noqa: E402

FIT = """
[run]
checkpoint_every = 0.02
[data]
file = "data.h5"
[network]
neurons = 64
[smc]
particles = 8
[training]
epochs = 24
batch_trials = 8
window = 25
"""

SWEEP = """
[sweep]
base = "fit.toml"
driver = "fit vsmc"
metric = "held_out_log_likelihood"
attempts = 100
stale_after = 4
[sweep.halving]
first = 3
reduction = 2
[sweep.grid]
"network.rank" = [1, 2]
"training.optimiser.learning_rate" = [0.003, 0.01, 0.03, 0.1]
"""

LONG = """
[[sweep.when]]
if = { "network.rank" = 2, "training.optimiser.learning_rate" = { at_least = 0.1 } }
set = { "network.neurons" = 8192 }
"""


def outcomes(directory):
    return {path.name.split(".")[0]: tomllib.loads(path.read_text()) for path in directory.glob("ledger/*/*.done")}


def reports(directory):
    """In their order."""
    return [path.read_text() for path in sorted((directory / "halving").glob("[0-9]*[0-9]"))]


def sessions(directory):
    return {path for path in directory.glob("ledger/*/*") if path.suffix[1:].isdigit()}


class Halving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept = folder()
        cls.addClassCleanup(cls.kept.cleanup)
        cls.here = pathlib.Path(cls.kept.name)
        run("generate", "recording", EXAMPLES / "oscillator_recording.toml", "-o", cls.here / "data.h5")
        (cls.here / "fit.toml").write_text(FIT)
        run("sweep", "run", cls.write("straight"), "--workers", 1)

    @classmethod
    def write(cls, name, more=""):
        (cls.here / f"{name}.toml").write_text(SWEEP + more)
        return cls.here / f"{name}.toml"

    def disturbed(self, sweep, workers, kills):
        """Runs a sweep, of which some workers are killed, each at some moment of a session."""
        directory = sweep.with_suffix("")
        draw = random.Random(workers)
        process = subprocess.Popen(command_line("sweep", "run", sweep, "--workers", workers), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        killed = set()
        while len(killed) < kills and process.poll() is None:
            fresh = sessions(directory) - killed if directory.exists() else set()
            for session in list(fresh)[:1]:
                time.sleep(draw.choice([0, 0.01, 0.05]))
                owner = tomllib.loads(session.read_text()) if session.stat().st_size else {}
                if "complete" in owner:
                    subprocess.run(["kill", "-KILL", str(owner["process"])], check=False, stderr=subprocess.DEVNULL)
                    killed |= sessions(directory)
            time.sleep(0.005)
        message = process.communicate(timeout=180)[1]
        self.assertEqual(0, process.returncode, message)
        self.assertIn("killed by signal 9", message)
        return directory

    def test_kills_change_nothing(self):
        """One worker comes to the rungs in one order, whatever happens to it."""
        directory = self.disturbed(self.write("killed"), 1, 6)
        straight = self.here / "straight"
        self.assertGreater(sum(record["deaths"] for record in outcomes(directory).values()), 1)
        self.assertEqual(reports(straight), reports(directory))
        self.assertGreater(len(reports(straight)), 8)
        expected = {case: record["status"] for case, record in outcomes(straight).items()}
        self.assertEqual({"done", "halted"}, set(expected.values()))
        self.assertEqual(expected, {case: record["status"] for case, record in outcomes(directory).items()})
        done = [f"cases/{case[:2]}/{case}/result.h5" for case, status in expected.items() if status == "done"]
        for result in done:
            self.assertEqual([], differences(straight / result, directory / result))
        others = [f"cases/{case[:2]}/{case}/result.h5" for case, status in expected.items() if status == "halted"]
        self.assertNotEqual([], differences(straight / done[0], straight / others[0]), "the control")

    def test_two_workers_are_killed(self):
        """Their order is their own, but every case ends, and reports once at each rung."""
        directory = self.disturbed(self.write("both"), 2, 6)
        found = outcomes(directory)
        self.assertEqual(8, len(found))
        self.assertEqual({"done", "halted"}, {record["status"] for record in found.values()})
        each = [(record["id"], record["rung"]) for record in (tomllib.loads(f"a = {text}")["a"] for text in reports(directory))]
        self.assertEqual(len(each), len(set(each)))
        self.assertEqual(8, sum(rung == 0 for _, rung in each))

    def test_nobody_is_started_in_vain(self):
        """While a long case is on its way to a rung the others stand."""
        sweep = self.write("long", LONG)
        run("sweep", "run", sweep, "--workers", 2)
        self.assertEqual(8, len(outcomes(sweep.with_suffix(""))))
        self.assertLess(len(list(sweep.with_suffix("").glob("workers/*.log"))), 6)


main()
