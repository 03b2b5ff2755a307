"""Job scripts on a real SLURM: on several nodes, stopped, requeued, continued, cancelled."""
import pathlib
import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from cluster import JOBS, Cluster, until  # first: it finds the module of tests/drivers
from pace import fitted_epochs, simulated_units
from support import RANKFLOW, differences, folder, main, provenance, run

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
neurons = {neurons}
[time]
step = 0.01
duration = {duration}
save_every = {save_every}
[noise]
neuron = 0.2
"""

FLOW = """
[network]
preset = "limit_cycle"
neurons = 500
[latents.simulation]
grid_points = 4
rows = 15
[loadings_flow]
epochs = 2
[conditional_flow]
epochs = 2
neurons = 500
judged_neurons = 500
"""

SAFE = "--exclude=node[2-3]"  # one of them will be lost


class Jobs(unittest.TestCase):
    """Most of a requeue is waiting, therefore all jobs run at the same time; each test then looks at its own."""

    @classmethod
    def setUpClass(cls):
        directory = folder()
        cls.addClassCleanup(directory.cleanup)
        cls.here = pathlib.Path(directory.name)
        cls.cluster = cls.enterClassContext(Cluster(cls.here, cpus=4))
        cls.cluster.profile("scratch.toml", launcher="mpirun", scratch="$SLURM_SUBMIT_DIR/scratch",
                            # Shared memory of Open MPI would mix up nodes of one host that mpirun knows apart.
                            launcher_options="--mca btl tcp,self")
        cls.cluster.profile("once.toml", maximum_requeues="0")
        (cls.here / "recording.toml").write_text(RECORDING)
        run("-q", "generate", "recording", "recording.toml", cwd=cls.here)
        (cls.here / "flow.toml").write_text(FLOW)
        (cls.here / "fit.toml").write_text(FIT.format(epochs=fitted_epochs(3, FIT, cls.here / "recording.h5")))
        # Some seconds of work each, on any machine; few long steps where ranks exchange messages between nodes.
        # "longer" is at work whenever SLURM looks at time limits.
        cls.simulations({"short": 3, "long": 5, "longer": 16}, neurons=2000, save_every=50)
        cls.simulations({"wide": 3}, neurons=200000, save_every=0.1)
        cls.dying_rank()
        pool = ThreadPoolExecutor(9)
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.jobs = {}
        for name in ("time_limit", "fit", "node_lost", "mpirun", "early", "cancelled", "templates", "dead_rank"):
            cls.jobs[name] = pool.submit(getattr(cls, f"run_{name}"))
        cls.straight = pool.submit(cls.run_straight)

    @classmethod
    def simulations(cls, seconds, neurons, save_every):
        """Writes some; `seconds`: how long each works, by name."""
        text = SIMULATION.format(neurons=neurons, save_every=save_every, duration="{duration}")
        per_second = simulated_units(1, text, first=100 * save_every)
        for name, time in seconds.items():
            (cls.here / f"{name}.toml").write_text(text.format(duration=round(per_second * time)))

    @classmethod
    def dying_rank(cls):
        """Profiles with a program of which one rank is killed before it has met the others."""
        program = cls.here / "dying"
        program.write_text(f'#!/bin/sh\n[ "$SLURM_PROCID" = 0 ] && kill -KILL $$\nexec {RANKFLOW} "$@"\n')
        program.chmod(0o755)
        cls.cluster.profile("dying.toml", program=program)
        cls.cluster.profile("forlorn.toml", program=program, launcher_options="--wait=0")

    @classmethod
    def run_straight(cls):
        run("-q", "fit", "vsmc", "fit.toml", "-o", "fit.h5", cwd=cls.here)
        for name in ("short", "long", "longer", "wide"):
            run("-q", "simulate", f"{name}.toml", "-o", f"{name}.h5", cwd=cls.here)

    @classmethod
    def log(cls, name, job):
        path = cls.here / f"{name}-{job}.log"
        return path.read_text() if path.exists() else ""

    @classmethod
    def working(cls, name, job):
        """Waits until the program in the job is at work."""
        until(lambda: "% " in cls.log(name, job), 60, lambda: f"progress of job {job}\n{cls.cluster.logs()}")

    @classmethod
    def warned(cls, name, job):
        """Waits until the job is at work, and warns it as SLURM does before a time limit; what it came to."""
        cls.working(name, job)
        cls.cluster.command("scancel", "--batch", "--signal=USR1", job)
        return job, cls.cluster.finished(job)

    @classmethod
    def run_fit(cls):
        return cls.warned("fit", cls.cluster.sbatch("--nodelist=node[0-1]", "--ntasks=2", JOBS / "fit.sbatch",
                                                    "fit.toml", "-o", "two_nodes.h5"))

    @classmethod
    def run_early(cls):
        """Warned while its program is starting."""
        job = cls.cluster.sbatch(SAFE, JOBS / "simulate.sbatch", "long.toml", "-o", "early.h5")
        until(lambda: "start 1 of" in cls.log("simulate", job), 60, cls.cluster.logs)
        cls.cluster.command("scancel", "--batch", "--signal=USR1", job)
        return job, cls.cluster.finished(job)

    @classmethod
    def run_mpirun(cls):
        return cls.warned("simulate", cls.cluster.sbatch(
            "--nodelist=node[0-1]", "--ntasks=2", JOBS / "simulate.sbatch", "wide.toml", "-o", "mpirun.h5",
            RANKFLOW_CLUSTER=str(cls.here / "scratch.toml")))

    @classmethod
    def run_time_limit(cls):
        """SLURM looks at time limits every 30 s: the job begins shortly before it does, until that has worked."""
        for _ in range(3):
            job = cls.cluster.sbatch("--time=1", "--signal=B:USR1@58", SAFE, f"--begin=now+{cls.cluster.until_look(10)}",
                                     JOBS / "simulate.sbatch", "longer.toml", "-o", "limited.h5", "--overwrite")
            about = cls.cluster.finished(job, 120)
            if about["Restarts"] != "0":
                break
        return job, about

    @classmethod
    def run_node_lost(cls):
        job = cls.cluster.sbatch("--exclude=node[0-1]", JOBS / "simulate.sbatch", "short.toml", "-o", "lost.h5",
                                 "--set", "run.checkpoint_every=0.2")
        until(lambda: len(list(cls.here.glob("lost.h5.checkpoint-*[0-9]"))) > 1, 60, "two checkpoints of lost.h5")
        cls.cluster.lose_node(cls.cluster.about(job)["NodeList"])
        return job, cls.cluster.finished(job)

    @classmethod
    def run_cancelled(cls):
        first = cls.cluster.sbatch(SAFE, JOBS / "simulate.sbatch", "short.toml", "-o", "cancelled.h5")
        cls.working("simulate", first)
        cls.cluster.command("scancel", first)
        cls.cluster.finished(first)
        # Warned, but may not be requeued any more.
        second = cls.cluster.sbatch(SAFE, JOBS / "simulate.sbatch", "short.toml", "-o", "cancelled.h5",
                                    RANKFLOW_CLUSTER=str(cls.here / "once.toml"))
        _, stopped = cls.warned("simulate", second)
        unfinished = provenance(cls.here / "cancelled.h5")["status"]
        third = cls.cluster.sbatch(SAFE, JOBS / "simulate.sbatch", "short.toml", "-o", "cancelled.h5")
        done = cls.cluster.finished(third)
        return first, cls.cluster.about(first), second, stopped, unfinished, third, done

    @classmethod
    def run_dead_rank(cls):
        """One job as the scripts have it, and one whose launcher does not end those who are left."""
        job, control = (cls.cluster.sbatch(SAFE, "--ntasks=2", JOBS / "simulate.sbatch", "short.toml", "-o", f"{name}.h5",
                                           RANKFLOW_CLUSTER=str(cls.here / f"{name}.toml"))
                        for name in ("dying", "forlorn"))
        about = cls.cluster.finished(job, 120)
        hanging = cls.cluster.about(control)
        cls.cluster.command("scancel", control)
        return job, about, hanging

    @classmethod
    def run_templates(cls):
        """The other templates, each submitted by itself with the profile."""
        cls.cluster.profile("here.toml", partition="debug", time="00:30:00", setup="export CAME_FROM_PROFILE=yes")

        def submit(name, *words):
            return cls.cluster.command(JOBS / f"{name}.sbatch", "--parsable", SAFE, *words,
                                       RANKFLOW_CLUSTER=str(cls.here / "here.toml"))

        cls.jobs["fit"].result()
        jobs = [submit("generate", "recording", "recording.toml", "-o", "generated.h5"),
                submit("filter", "two_nodes.h5", "-o", "filtered.h5"),
                submit("evaluate", "recording.h5", "recording.h5"),
                submit("analyze", "fixed-points", "two_nodes.h5", "-o", "points.h5"),
                submit("analyze", "populations", "two_nodes.h5", "-o", "populations.h5"),
                submit("fit_flow", "flow.toml", "-o", "flow.h5")]
        about = [(job, cls.cluster.finished(job)) for job in jobs]
        for words in (("sample", "flow.h5", "--neurons", "700", "-o", "drawn.h5"), ("compare", "drawn.h5", "drawn.h5")):
            job = submit(*words)
            about.append((job, cls.cluster.finished(job)))
        return about

    def check_continued(self, name, job, about):
        """Asserts that the job was requeued and completed; its log."""
        log = self.log(name, job)
        restarts = int(about["Restarts"])
        self.assertEqual(("COMPLETED", "0:0"), (about["JobState"], about["ExitCode"]), log)
        self.assertGreater(restarts, 0, log)
        for start in range(1, restarts + 2):
            self.assertEqual(1, log.count(f"start {start} of"), log)
        self.assertEqual(restarts, len(re.findall(r"continuing .* from [0-9.]*[1-9]", log)), log)
        return log

    def check_equal(self, straight, other):
        self.straight.result()
        about = provenance(self.here / other)
        self.assertGreater(about["resumes"], 0)
        self.assertEqual("complete", about["status"])
        self.assertEqual([], differences(self.here / straight, self.here / other))
        self.assertEqual([], list(self.here.glob(f"{other}.checkpoint-*")), "checkpoints of a complete file go")
        return about

    def test_fit_on_two_nodes(self):
        """Warned, as before a time limit, it checkpoints, requeues itself, continues, and gives the same bits."""
        log = self.check_continued("fit", *self.jobs["fit"].result())
        self.assertIn("of fit vsmc on node[", log)
        self.assertIn(", until 20", log)
        self.assertIn("requeued, continues by itself", log)
        self.assertEqual(2, self.check_equal("fit.h5", "two_nodes.h5")["ranks"])

    def test_early_warning(self):
        """Whatever the warning meets, it does not end the job."""
        job, about = self.jobs["early"].result()
        self.assertEqual("COMPLETED", about["JobState"], self.log("simulate", job))
        self.assertIn("signal: stopping", self.log("simulate", job))
        self.straight.result()
        self.assertEqual([], differences(self.here / "long.h5", self.here / "early.h5"))

    def test_mpirun_and_scratch(self):
        """With the other launcher, and with a file that grows elsewhere."""
        job, about = self.jobs["mpirun"].result()
        log = self.check_continued("simulate", job, about)
        self.assertRegex(log, r"continuing \S*/scratch/\S*/mpirun.h5 from")
        self.assertEqual(2, self.check_equal("wide.h5", "mpirun.h5")["ranks"])
        self.assertEqual([], list((self.here / "scratch").iterdir()))

    def test_time_limit(self):
        """A limit that is shorter than the job."""
        log = self.check_continued("simulate", *self.jobs["time_limit"].result())
        self.assertIn("requeued, continues by itself", log)
        self.check_equal("longer.h5", "limited.h5")

    def test_lost_node(self):
        """Its last checkpoint is taken up on another node."""
        log = self.check_continued("simulate", *self.jobs["node_lost"].result())
        self.assertNotIn("requeued, continues by itself", log)
        nodes = [line.split(" on ")[1].split(",")[0] for line in log.splitlines() if "start " in line]
        self.assertEqual(["node2", "node3"], sorted(nodes))
        self.check_equal("short.h5", "lost.h5")

    def test_cancelled(self):
        """A job that its user cancels stays cancelled; submitted again it continues."""
        first, cancelled, second, stopped, unfinished, third, done = self.jobs["cancelled"].result()
        self.assertEqual(("CANCELLED", "0"), (cancelled["JobState"], cancelled["Restarts"]), self.log("simulate", first))
        self.assertEqual(("FAILED", "75:0", "0"), (stopped["JobState"], stopped["ExitCode"], stopped["Restarts"]))
        self.assertIn("requeued 0 times already (maximum_requeues)", self.log("simulate", second))
        self.assertEqual("stopped", unfinished)
        self.assertEqual("COMPLETED", done["JobState"], self.log("simulate", third))
        self.check_equal("short.h5", "cancelled.h5")

    def test_dead_rank(self):
        """A rank that is killed in its first moments leaves nobody waiting for it."""
        job, about, hanging = self.jobs["dead_rank"].result()
        self.assertEqual(("FAILED", "0"), (about["JobState"], about["Restarts"]), self.log("simulate", job))
        self.assertIn("ended with exit code 137", self.log("simulate", job))
        self.assertEqual("RUNNING", hanging["JobState"], "the control")

    def test_other_templates(self):
        for job, about in self.jobs["templates"].result():
            name = about["JobName"]
            self.assertEqual(("COMPLETED", "00:30:00", "debug"),
                             (about["JobState"], about["TimeLimit"], about["Partition"]), self.log(name, job))
        for name in ("generated.h5", "filtered.h5", "points.h5", "populations.h5", "drawn.h5"):
            self.assertTrue((self.here / name).exists(), name)
        self.assertEqual([], differences(self.here / "recording.h5", self.here / "generated.h5"))



main()
