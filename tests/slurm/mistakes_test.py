"""Mistakes in job scripts, cluster profiles and submissions: each has its message and exit code 2."""
import os
import pathlib
import re
import unittest

from cluster import JOBS, Cluster, until  # first: it finds the module of tests/drivers
from support import MPIEXEC, RANKFLOW, folder, main

SIMULATION = """
[network]
neurons = 100
[time]
duration = 0.1
"""

SWEEP = """
[sweep]
base = "simulation.toml"
driver = "simulate"
ranks = {ranks}
[sweep.grid]
noise.neuron = [0.1, 0.2]
[sweep.submit]
{submit}
"""


class Mistakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = folder()
        cls.addClassCleanup(directory.cleanup)
        cls.here = pathlib.Path(directory.name)
        cls.cluster = cls.enterClassContext(Cluster(cls.here))
        (cls.here / "simulation.toml").write_text(SIMULATION)
        for name, ranks, submit in (("good", 1, "per_task = 1"), ("large", 9, "per_task = 1"), ("typo", 1, "per_tsk = 2"),
                                    ("timeless", 1, 'time = "soon"')):
            (cls.here / f"{name}.toml").write_text(SWEEP.format(ranks=ranks, submit=submit))
        # Every program of this machine but those of SLURM.
        cls.elsewhere = cls.here / "bin"
        cls.elsewhere.mkdir()
        for program in pathlib.Path("/usr/bin").iterdir():
            if program.name not in ("sbatch", "srun", "scontrol", "squeue"):
                (cls.elsewhere / program.name).symlink_to(program)

    def refused(self, *words, **settings):
        """What a command says when it ends with exit code 2."""
        done = self.cluster.command(*words, expect=None, **settings)
        self.assertEqual(2, done.returncode, f"{words}: {done.stdout}{done.stderr}")
        return " ".join(done.stderr.split())

    def script(self, name, *words, **settings):
        return self.refused(JOBS / f"{name}.sbatch", *words, **settings)

    def profile(self, text):
        """What is said of a cluster profile with this text."""
        path = self.here / "wrong.toml"
        path.write_text(text)
        return self.script("simulate", "simulation.toml", RANKFLOW_CLUSTER=str(path))

    def in_job(self, *words, **settings):
        """What a job's log says whose script refused to go on; it is not requeued."""
        job = self.cluster.sbatch(*words, **settings)
        about = self.cluster.finished(job)
        self.assertEqual(("FAILED", "2:0", "0"), (about["JobState"], about["ExitCode"], about["Restarts"]))
        return (self.here / f"simulate-{job}.log").read_text()

    def test_the_control(self):
        """What the others get wrong is accepted when it is right."""
        self.assertIn("sbatch --nodes=2", self.cluster.command(JOBS / "simulate.sbatch", "--nodes=2", "--print",
                                                               "simulation.toml"))
        job = self.cluster.sbatch("--wait", JOBS / "simulate.sbatch", "simulation.toml")
        self.assertEqual("COMPLETED", self.cluster.about(job)["JobState"])
        self.submitted("good.toml", "-o", "good study")
        self.assertTrue((self.here / "good study" / "results.h5").exists())

    def test_no_slurm(self):
        here = {"PATH": str(self.elsewhere)}
        self.assertIn("no SLURM here: sbatch is not in PATH", self.script("simulate", "simulation.toml", **here))
        said = self.refused(RANKFLOW, "sweep", "submit", "good.toml", **here)
        self.assertIn("no SLURM here: sbatch is not in PATH", said)
        self.assertIn("rankflow sweep run good.toml", said)
        self.assertFalse((self.here / "good").exists(), "nothing is written when nothing can be submitted")

    def test_profile(self):
        missing = self.script("simulate", "simulation.toml", RANKFLOW_CLUSTER="nowhere.toml")
        self.assertIn("RANKFLOW_CLUSTER names the cluster profile 'nowhere.toml', which cannot be read", missing)
        said = self.profile('# mine\npartition = "debug"\npartitoin = "debug"\n')
        self.assertIn("wrong.toml:3: unknown key 'partitoin'; known: account binding constraint", said)
        self.assertIn("wrong.toml:1: expected key = \"value\", found: threads = 2", self.profile("threads = 2\n"))
        self.assertIn("launcher is 'mpiexec'; possible: srun mpirun none", self.profile('launcher = "mpiexec"\n'))
        self.assertIn("binding is 'core'; possible: cores none", self.profile('binding = "core"\n'))
        self.assertIn("threads must be a whole number, found 'two'", self.profile('threads = "two"\n'))

    def test_arguments(self):
        self.assertIn("rankflow fit vsmc needs a file", self.script("fit"))
        self.assertIn("'nowhere.toml' is not there, seen from /", self.script("fit", "nowhere.toml"))
        self.assertIn("'2' is not there", self.script("fit", "--nodes", "2", "simulation.toml"))
        self.assertIn("what to generate is 'recordin'; possible: recording network",
                      self.script("generate", "recordin", "simulation.toml"))

    def test_in_the_job(self):
        self.assertIn("'nowhere.toml' is not there", self.in_job(JOBS / "simulate.sbatch", "nowhere.toml"))
        for key, value, message in (
                ("program", "/nowhere/rankflow", "the program '/nowhere/rankflow' of the cluster profile is not there"),
                ("modules", "openmpi/4.1", "the cluster profile asks for modules (openmpi/4.1)"),
                ("setup", "source nowhere.sh", "the cluster profile's setup failed: source nowhere.sh")):
            path = self.cluster.profile(f"{key}.toml", **{key: value})
            self.assertIn(message, self.in_job(JOBS / "simulate.sbatch", "simulation.toml",
                                               RANKFLOW_CLUSTER=str(path)))
        said = self.in_job(JOBS / "simulate.sbatch", "simulation.toml", "--set", "network.neurns=1")
        self.assertIn("network.neurons", said)

    def test_submission(self):
        said = self.refused(RANKFLOW, "sweep", "submit", "large.toml")
        self.assertIn("Batch job submission failed", said)
        self.assertIn("change what it asks for in [sweep.submit], sweep.ranks or the cluster profile", said)
        self.assertIn("Invalid --time specification", self.refused(RANKFLOW, "sweep", "submit", "timeless.toml"))
        self.assertIn("per_task", self.refused(RANKFLOW, "sweep", "submit", "typo.toml"))
        (self.here / "empty").mkdir()
        self.assertIn("empty", self.refused(RANKFLOW, "sweep", "submit", "empty"))
        self.assertIn("is the directory of a sweep; name the file",
                      self.refused(RANKFLOW, "sweep", "submit", "empty", "--set", "sweep.ranks=2"))
        several = self.refused(MPIEXEC, "-n", "2", "--oversubscribe", RANKFLOW, "sweep", "submit", "good.toml")
        self.assertIn("run it without mpirun or srun", several)

    def test_directories(self):
        """What would be a pattern in the name of a log, and what cannot be said in a job script."""
        self.submitted("good.toml", "-o", "50%j of it")
        logs = sorted(path.name for path in (self.here / "50%j of it" / "jobs").glob("*.log"))
        self.assertEqual(3, len(logs), logs)
        self.assertTrue(all(name.startswith("50%j of it-") for name in logs), logs)
        said = self.refused(RANKFLOW, "sweep", "submit", "good.toml", "-o", 'so "called"')
        self.assertIn("a quotation mark, a backslash or a line break; give sweep.directory or -o another name", said)

    def test_large_arrays(self):
        """More tasks than the cluster allows in an array."""
        (self.here / "many.toml").write_text(SWEEP.format(ranks=1, submit="per_task = 1").replace("ranks", "seeds = 5\nranks"))
        said = self.submitted("many.toml")
        self.assertIn("8 tasks instead of 10: the cluster allows no more in an array (MaxArraySize)", said)
        self.assertIn("10 of 10 cases in 8 tasks", said)
        self.assertEqual(10, len(list((self.here / "many" / "ledger").glob("*/*.done"))))
        control = self.cluster.command("sbatch", "--array=0-8", "--wrap=true", expect=None)
        self.assertIn("Invalid job array", control.stderr)

    def submitted(self, *words):
        """What `sweep submit` says, after the job that collects has ended."""
        said = self.cluster.rankflow("sweep", "submit", *words)
        job = re.search(r"submitted job (\d+): results go to", said).group(1)
        self.assertEqual("COMPLETED", self.cluster.finished(job)["JobState"])
        return said

    def test_what_failed_is_submitted_again_when_asked(self):
        (self.here / "repaired.toml").write_text(
            SWEEP.format(ranks=1, submit="collect = false").replace("[sweep.grid]\nnoise.neuron = [0.1, 0.2]\n",
            "[[sweep.cases]]\nnoise.neuron = 0.1\n[[sweep.cases]]\nnetwork.source = 'file'\nnetwork.file = 'later.h5'\n"))

        def submit(*options):
            return self.cluster.rankflow("sweep", "submit", "repaired.toml", *options)

        def wait_for(*statuses):
            def found():
                return sorted(path.read_text().split('status = "')[1].split('"')[0]
                              for path in (self.here / "repaired" / "ledger").glob("*/*.done"))
            until(lambda: found() == sorted(statuses), 30, lambda: f"{statuses}, found {found()}\n{self.cluster.logs()}")

        submit()
        wait_for("done", "failed")
        self.assertIn("nothing to submit", submit())
        self.assertIn("nothing to submit", submit("--retry", "dead,timeout"))
        (self.here / "network.toml").write_text("[network]\nneurons = 100\n")
        self.cluster.rankflow("generate", "network", "network.toml", "-o", "later.h5")
        said = submit("--retry", "failed,timeout,dead")
        self.assertIn("1 of 2 cases begin again", said)
        self.assertIn("1 of 2 cases in 1 tasks", said)
        wait_for("done", "failed", "done")  # what was recorded stays
        status = self.cluster.command(RANKFLOW, "sweep", "status", "repaired")
        self.assertIn("2 of 2 done, 0 running, 0 waiting, 0 failed", status)

    def test_ranks_that_nobody_measured(self):
        """And what it takes: a measurement in an allocation."""
        # Two rounds on two processors, so that there is something to choose.
        text = SWEEP.format(ranks='"measured"', submit="collect = false").replace("[0.1, 0.2]", "[0.1, 0.2, 0.3]")
        (self.here / "measured.toml").write_text(text)
        said = self.refused(RANKFLOW, "sweep", "submit", "measured.toml")
        self.assertIn("nothing was measured in", said)
        self.assertIn("run 'rankflow sweep measure' on this sweep where its cases shall run", said)
        self.cluster.sbatch("--wait", "--nodes=1", "--ntasks=2", "-o", "measure.log", "--wrap",
                            f"exec {RANKFLOW} sweep measure measured.toml")
        self.assertRegex((self.here / "measure.log").read_text(),
                         r"ranks of a case: [12] \(measured for 3 cases on 2 processors: \S+ s with 1, \S+ s with 2\)")
        self.assertIn("3 of 3 cases in 3 tasks", self.cluster.rankflow("sweep", "submit", "measured.toml"))

    def test_templates_agree(self):
        """All job scripts ask SLURM for the same, but for their names."""
        def demands(path):
            lines = path.read_text().splitlines()
            return [line for line in lines if line.startswith("#SBATCH") and "--job-name" not in line], lines[-2:-1]
        paths = sorted(JOBS.glob("*.sbatch"))
        self.assertEqual(12, len(paths))
        for path in paths:
            self.assertEqual(demands(paths[0]), demands(path), path)
            self.assertIn(f"#SBATCH --job-name={path.stem}", path.read_text())
            self.assertTrue(os.access(path, os.X_OK), path)
        for demand in ("--signal=B:USR1@120", "--requeue", "--open-mode=append", "--mail-type=NONE"):
            self.assertIn(f"#SBATCH {demand}", demands(paths[0])[0])

    def test_example_profile(self):
        """Every key is explained in the example, which can be used as it is and with all its lines."""
        text = (JOBS / "cluster.example.toml").read_text()
        known = self.profile('wrong = "x"\n').split("known: ")[1].split()
        for key in known:
            self.assertRegex(text, rf'(?m)^(# )?{key} = "', key)
        path = self.here / "example.toml"
        path.write_text(text)
        self.cluster.command(JOBS / "simulate.sbatch", "--print", "simulation.toml", RANKFLOW_CLUSTER=str(path))
        path.write_text("\n".join(line.removeprefix("# ") if re.match('# [a-z_]+ = "', line) else line for line in text.splitlines()))
        said = self.cluster.command(JOBS / "simulate.sbatch", "--print", "simulation.toml", RANKFLOW_CLUSTER=str(path))
        self.assertIn("--partition=standard --account=project123", said)


main()
