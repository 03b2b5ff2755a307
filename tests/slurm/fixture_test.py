"""The SLURM of the tests goes when the test that brought it up is killed, with all of its jobs."""
import pathlib
import subprocess
import sys
import unittest

from cluster import Cluster, environments, kill, until  # first: it finds the module of tests/drivers
from support import folder, main


def at_work(directory):
    """Brings a SLURM up, gives it jobs, says so and waits for ever."""
    with Cluster(directory) as cluster:
        jobs = [cluster.sbatch("--nodes=2", "--wrap", "srun sleep 1000"), cluster.sbatch("--wrap", "sleep 1000")]
        for job in jobs:
            until(lambda job=job: cluster.about(job)["JobState"] == "RUNNING", 30, f"start of job {job}")
        until(lambda: cluster.on_node("node1"), 30, "the step on the second node")
        print("at work", flush=True)
        sys.stdin.read()


def daemons(state):
    """Process numbers of a SLURM's own processes that are alive."""
    numbers = [int(path.read_text()) for path in (state / "pid").glob("*")]
    return [number for number in numbers if pathlib.Path(f"/proc/{number}/exe").exists()]


def in_jobs(state):
    mark = f"SLURM_CONF={state}/slurm.conf".encode()
    return [number for number, environment in environments() if mark in environment]


class Fixture(unittest.TestCase):
    def test_killed(self):
        with folder() as directory:
            state = pathlib.Path(directory) / "slurm"
            user = subprocess.Popen([sys.executable, __file__, *sys.argv[1:4], directory], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
            self.assertEqual("at work\n", user.stdout.readline())
            before = daemons(state)
            self.assertEqual(6, len(before), "munged, slurmctld, four slurmd")
            self.assertGreaterEqual(len(in_jobs(state)), 4)
            kill(user.pid)
            user.communicate()
            until(lambda: not state.exists(), 30, "the end of the fixture")
            self.assertEqual([], in_jobs(state))
            self.assertEqual([], [number for number in before if pathlib.Path(f"/proc/{number}/exe").exists()])


if len(sys.argv) > 4:
    at_work(sys.argv[4])
else:
    main()
