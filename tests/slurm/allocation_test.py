"""A sweep inside one allocation: `rankflow sweep run` gives groups of ranks to cases as steps of the job."""
import os
import pathlib
import tomllib
import unittest

from cluster import Cluster, kill, name_of, until  # first: it finds the module of tests/drivers
from pace import simulated_units
from support import RANKFLOW, differences, folder, main, run

CASE = 1.0  # s that a case works, alone on one rank
TASKS = "affinity" if {0, 1} <= os.sched_getaffinity(0) else "none"  # the nodes are this host, whose processors they name
NODES = ("node0", "node1", "node2", "node3")

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

SWEEP = """
[sweep]
base = "simulation.toml"
driver = "simulate"
stale_after = 4
ranks = {ranks}
[sweep.grid]
noise.neuron = {values}
"""


class Allocation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = folder()
        cls.addClassCleanup(directory.cleanup)
        cls.here = pathlib.Path(directory.name)
        cls.cluster = cls.enterClassContext(Cluster(cls.here, cpus=2, tasks=TASKS))
        (cls.here / "simulation.toml").write_text(SIMULATION.format(duration=simulated_units(CASE, SIMULATION)))

    def sweep(self, name, ranks, values):
        (self.here / f"{name}.toml").write_text(SWEEP.format(ranks=ranks, values=values))
        return self.here / name

    def submit(self, name, *options):
        """A job with a supervisor in it."""
        return self.cluster.sbatch("-o", f"{name}.log", *options, "--wrap", f"exec {RANKFLOW} sweep run {name}.toml")

    def workers(self, job):
        """{step: [(process number, node)]} of the programs that steps of the job run."""
        found = {}
        for node in NODES:
            for pid in self.cluster.on_node(node, {f"SLURM_JOB_ID={job}".encode()}):
                text = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if name_of(pid) == "rankflow\n" else []
                step = [entry for entry in text if entry.startswith(b"SLURM_STEP_ID=")]
                if step:
                    found.setdefault(int(step[0].split(b"=")[1]), []).append((pid, node))
        return found

    def check(self, directory, job, ranks, cases):
        about = self.cluster.finished(job, 120)
        self.assertEqual(("COMPLETED", "0:0"), (about["JobState"], about["ExitCode"]), self.cluster.logs())
        records = {path.stem: tomllib.loads(path.read_text()) for path in directory.glob("ledger/*/*.done")}
        self.assertEqual(cases, len(records))
        self.assertEqual({("done", ranks)}, {(record["status"], record["ranks"]) for record in records.values()})
        return records

    def test_groups_on_two_nodes(self):
        """Two groups of two ranks at once, on four processors; one of them dies and is replaced."""
        directory = self.sweep("groups", 2, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35])
        job = self.submit("groups", "--nodes=2", "--ntasks=4", "--mem=1500")

        def two_groups():
            steps = self.workers(job)
            return steps if sorted(map(len, steps.values())) == [2, 2] else None

        steps = until(two_groups, 60, lambda: f"two steps: {self.workers(job)}\n{self.cluster.logs()}")
        until(lambda: len(list(directory.glob("cases/*/*/*checkpoint-*[0-9]"))) > 1, 60, self.cluster.logs)
        for group in steps.values():
            self.assertEqual(1, len({node for _, node in group}), f"a group fits on one node: {steps}")
        self.assertEqual(2, len({node for group in steps.values() for _, node in group}))
        if TASKS == "affinity":
            held = [(node, *os.sched_getaffinity(pid)) for group in steps.values() for pid, node in group]
            self.assertEqual({2}, {len(places) for places in held}, f"each rank has one core: {held}")
            self.assertEqual(4, len(set(held)), f"of its own: {held}")
        kill(next(iter(steps.values()))[0][0])
        records = self.check(directory, job, 2, 6)
        self.assertEqual(1, sum(record["deaths"] for record in records.values()))
        self.assertIn("another one takes its place", (self.here / "groups.log").read_text())
        disturbed = [case for case, record in records.items() if record["deaths"]][0]
        there = directory / "cases" / disturbed[:2] / disturbed
        run("-q", "simulate", there / "config.toml", "-o", self.here / "straight.h5")
        self.assertEqual([], differences(self.here / "straight.h5", there / "result.h5"))

    def test_single_ranks(self):
        """As many workers as the job has tasks, each a step of its own; none takes the job's memory from the others."""
        directory = self.sweep("singles", 1, [0.1, 0.2, 0.3, 0.4])
        job = self.submit("singles", "--nodes=2", "--ntasks=4", "--mem=1500")
        until(lambda: len(self.workers(job)) == 4, 30, lambda: f"four steps: {self.workers(job)}\n{self.cluster.logs()}")
        self.check(directory, job, 1, 4)

    def test_a_group_larger_than_the_allocation(self):
        self.sweep("large", 3, [0.1])
        job = self.submit("large", "--ntasks=2")
        self.assertEqual("2:0", self.cluster.finished(job)["ExitCode"])
        self.assertIn("ask for 3 ranks, and there are 2 processors", (self.here / "large.log").read_text())


main()
