"""Job scripts on a real SLURM: on several nodes, stopped, requeued, continued, cancelled."""
import pathlib
import unittest

from cluster import JOBS, Cluster, until  # first: it finds the module of tests/drivers
from support import differences, folder, main, provenance, run

RECORDING = """
[run]
seed = 3
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
[data]
file = "recording.h5"
[network]
neurons = 64
rank = 2
[smc]
particles = 16
proposal = "optimal"
[training]
epochs = {epochs}
batch_trials = 4
window = 25
"""

SIMULATION = """
[network]
preset = "decision"
neurons = 4000
[time]
step = 0.01
duration = {duration}
save_every = 1.0
[noise]
neuron = 0.2
"""


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = folder()
        cls.addClassCleanup(directory.cleanup)
        cls.here = pathlib.Path(directory.name)
        cls.cluster = cls.enterClassContext(Cluster(cls.here))
        (cls.here / "recording.toml").write_text(RECORDING)
        (cls.here / "fit.toml").write_text(FIT.format(epochs=400))
        run("-q", "generate", "recording", "recording.toml", cwd=cls.here)

    def log(self, name, job):
        path = self.here / f"{name}-{job}.log"
        return path.read_text() if path.exists() else ""

    def working(self, name, job):
        """Waits until the program in the job is at work."""
        until(lambda: "% " in self.log(name, job), 30, lambda: f"progress of job {job}\n{self.cluster.logs()}")

    def stopped_and_continued(self, name, job, starts=2):
        """Asserts that the job was requeued until it completed; its log."""
        about = self.cluster.finished(job)
        log = self.log(name, job)
        self.assertEqual(("COMPLETED", "0:0", str(starts - 1)),
                         (about["JobState"], about["ExitCode"], about["Restarts"]), log)
        for start in range(1, starts + 1):
            self.assertEqual(1, log.count(f"start {start} of"), log)
        self.assertEqual(starts - 1, log.count("requeued, continues by itself"), log)
        self.assertRegex(log, r"continuing .* from [1-9]")
        return log

    def test_fit_on_two_nodes(self):
        """Warned, as before a time limit, it checkpoints, requeues itself, continues, and gives the same bits."""
        job = self.cluster.sbatch("--nodes=2", "--ntasks=2", JOBS / "fit.sbatch", "fit.toml", "-o", "two_nodes.h5")
        run("-q", "fit", "vsmc", "fit.toml", "-o", "straight.h5", cwd=self.here)
        self.working("fit", job)
        self.cluster.command("scancel", "--batch", "--signal=USR1", job)
        log = self.stopped_and_continued("fit", job)
        self.assertIn("on node[0-1], until 20", log)
        about = provenance(self.here / "two_nodes.h5")
        self.assertEqual((2, 1, "complete"), (about["ranks"], about["resumes"], about["status"]))
        self.assertEqual([], differences(self.here / "straight.h5", self.here / "two_nodes.h5"))
        self.assertEqual([], list(self.here.glob("two_nodes.h5.checkpoint-*")))


if __name__ == "__main__":
    main()
