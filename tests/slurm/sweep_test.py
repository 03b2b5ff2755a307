"""Sweeps on a real SLURM: arrays whose tasks are cancelled, killed and lost, and whose cases all end exactly once."""
import pathlib
import re
import unittest

import h5py

from cluster import Cluster, kill, name_of, until  # first: it finds the module of tests/drivers
from pace import fitted_epochs, simulated_units
from support import differences, folder, main, run

CASE = 1.0  # s that a case works, alone on one rank
NODES = ("node0", "node1", "node2", "node3")

RECORDING = """
[network]
preset = "limit_cycle"
neurons = 512
[time]
step = 0.01
duration = 1.0
trials = 4
[integration]
space = "latent"
[initial]
latent_std = 1.0
[noise]
latent = 0.02
[observation]
channels = 10
std = 0.2
"""

FIT = """
[run]
checkpoint_every = 0.2
[data]
file = "recording.h5"
[network]
neurons = 64
[smc]
particles = 16
proposal = "optimal"
[training]
epochs = {epochs}
batch_trials = 4
window = 25
"""

FITS = """
[sweep]
base = "fit.toml"
driver = "fit vsmc"
metric = "held_out_log_likelihood"
seeds = 2
stale_after = 4
[sweep.grid]
network.rank = [1, 2]
training.optimiser.learning_rate = [0.001, 0.003, 0.01]
[sweep.submit]
per_task = 2
throttle = 3
"""

SIMULATION = """
[run]
checkpoint_every = 0.2
[network]
preset = "decision"
neurons = 50000
[time]
step = 0.01
duration = {duration}
save_every = 0.1
[noise]
neuron = 0.2
"""

SIMULATIONS = """
[sweep]
base = "simulation.toml"
driver = "simulate"
seeds = 4
ranks = 2
stale_after = 4
[sweep.grid]
noise.neuron = [0.1, 0.2, 0.3]
[sweep.submit]
per_task = 3
time = "00:20:00"
"""


class Sweeps(unittest.TestCase):
    def setUp(self):
        directory = folder()
        self.addCleanup(directory.cleanup)
        self.here = pathlib.Path(directory.name)
        self.cluster = self.enterContext(Cluster(self.here, cpus=2))
        for name, text in {"recording": RECORDING, "fits": FITS, "simulations": SIMULATIONS}.items():
            (self.here / f"{name}.toml").write_text(text)
        run("-q", "generate", "recording", "recording.toml", cwd=self.here)
        # Long enough that all disturbances come in time on any machine.
        epochs = fitted_epochs(CASE, FIT, self.here / "recording.h5")
        (self.here / "fit.toml").write_text(FIT.format(epochs=epochs))
        (self.here / "simulation.toml").write_text(SIMULATION.format(duration=simulated_units(CASE, SIMULATION)))

    def submit(self, name):
        """Submits a sweep; the numbers of its array and of the job that collects."""
        said = self.cluster.rankflow("sweep", "submit", f"{name}.toml")
        return (re.search(r"submitted job array (\d+): (\d+) of 12 cases", said).group(1),
                re.search(r"submitted job (\d+): results go to", said).group(1))

    def outcomes(self, name):
        """Text of every recorded outcome, by case."""
        return {path.stem: path.read_text() for path in (self.here / name / "ledger").glob("*/*.done")}

    def log(self, name, task):
        path = self.here / name / "jobs" / f"{name}-{task}.log"
        return path.read_text() if path.exists() else ""

    def logs(self, name):
        return "\n".join(f"--- {path}\n{path.read_text(errors='replace')}"
                         for path in sorted((self.here / name / "jobs").glob("*.log")))

    def ended(self, array, name):
        """Waits until no task of an array is left."""
        until(lambda: not self.cluster.command("squeue", "-h", "-j", array, "-t", "all", "-o", "%T", expect=None).stdout
              .replace("COMPLETED", "").replace("CANCELLED", "").replace("FAILED", "").strip(), 120,
              lambda: f"end of array {array}\n{self.cluster.command('squeue')}\n{self.logs(name)}")

    def workers(self, array, task=None):
        """(process number, node) of programs that work for an array, or for one of its tasks."""
        wanted = {f"SLURM_ARRAY_JOB_ID={array}".encode()}
        wanted |= {f"SLURM_ARRAY_TASK_ID={task}".encode()} if task is not None else set()
        return [(pid, node) for node in NODES for pid in self.cluster.on_node(node, wanted)
                if name_of(pid) == "rankflow\n"]

    def worker(self, array, task=None):
        """One of them, as soon as there is any."""
        return until(lambda: self.workers(array, task), 30, f"a worker of {array}_{task}")[0]

    def checkpoints(self, name):
        return list((self.here / name).glob("cases/*/*/result.h5.checkpoint-*[0-9]"))

    def check_collected(self, name, job):
        """The table holds every outcome that was recorded, once."""
        about = self.cluster.finished(job)
        self.assertEqual("COMPLETED", about["JobState"], self.logs(name))
        with h5py.File(self.here / name / "results.h5", "r") as file:
            table = file["cases"]
            ids, status = table["id"].asstr()[()], table["status"].asstr()[()]
            self.assertEqual(12, len(set(ids)))
            done = [one for one, how in zip(ids, status) if how == "done"]
        self.assertEqual(sorted(self.outcomes(name)), sorted(done))

    def check_bits(self, name, command):
        """Cases that were begun more than once have the files of runs that were not disturbed."""
        disturbed = [case for case, text in self.outcomes(name).items() if "sessions = 1\n" not in text]
        self.assertTrue(disturbed, f"no case of {name} was disturbed")
        for case in disturbed[:3]:
            there = self.here / name / "cases" / case[:2] / case
            straight = self.here / f"{case}.h5"
            run("-q", *command, there / "config.toml", "-o", straight)
            self.assertEqual([], differences(straight, there / "result.h5"), case)

    def test_disturbed(self):
        """24 cases; tasks warned, cancelled, killed at work, and lost with their node."""
        fits, collect_fits = self.submit("fits")
        until(lambda: self.outcomes("fits"), 60, lambda: self.logs("fits"))
        kill(self.worker(fits)[0])
        self.cluster.command("scancel", fits)
        self.ended(fits, "fits")
        self.assertLess(len(self.outcomes("fits")), 12, "was not disturbed before it ended")
        simulations, collect_simulations = self.submit("simulations")  # a node for each of the four tasks
        until(lambda: len(self.checkpoints("simulations")) > 3, 60, lambda: self.logs("simulations"))
        self.cluster.command("scancel", "--batch", "--signal=USR1", f"{simulations}_1")
        kill(self.worker(simulations, 2)[0])
        self.cluster.lose_node(self.worker(simulations, 3)[1])
        self.cluster.command("scancel", f"{simulations}_0")
        until(lambda: "requeued, continues by itself" in self.log("simulations", f"{simulations}_1"), 60,
              lambda: self.logs("simulations"))
        self.ended(simulations, "simulations")
        self.check_collected("fits", collect_fits)
        self.check_collected("simulations", collect_simulations)
        before = self.outcomes("fits")
        again = self.submit("fits")
        left = self.cluster.rankflow("sweep", "submit", "simulations.toml")
        self.ended(again[0], "fits")
        if array := re.search(r"submitted job array (\d+)", left):
            self.ended(array.group(1), "simulations")
        for name in ("fits", "simulations"):
            outcomes = self.outcomes(name)
            self.assertEqual(12, len(outcomes), self.logs(name))
            for text in outcomes.values():
                self.assertIn('status = "done"', text)
        self.assertEqual(before, {case: text for case, text in self.outcomes("fits").items() if case in before})
        self.check_collected("fits", again[1])
        self.check_bits("fits", ["fit", "vsmc"])
        self.check_bits("simulations", ["simulate"])
        self.assertIn("nothing to submit", self.cluster.rankflow("sweep", "submit", "fits.toml"))



main()
