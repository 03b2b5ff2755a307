"""sweep.ranks = "measured": one case is tried on groups of several sizes, and what that says is kept and used."""
import os
import pathlib
import signal
import subprocess
import sys
import time
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "drivers"))
from pace import simulated_units  # noqa: E402
from support import command_line, differences, folder, main, run  # noqa: E402

CASE = 0.25  # s that a case works, alone on one rank

BASE = """
[network]
preset = "decision"
neurons = 1300
[time]
step = 0.01
duration = {duration}
save_every = 1.0
[integration]
method = "euler"
[noise]
latent = 0.1
neuron = 0.2
"""

# Three cases on two processors: two rounds of single ranks, so that groups of two could be faster.
SWEEP = """
[sweep]
base = "base.toml"
driver = "simulate"
ranks = {ranks}
[sweep.set]
{more}
[sweep.grid]
"noise.neuron" = [0.1, 0.2, 0.3]
"""

ENDLESS = '"time.duration" = 10000000\n"time.save_every" = 10000'


class Measured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = folder()
        cls.addClassCleanup(kept.cleanup)
        cls.here = pathlib.Path(kept.name)
        os.environ.pop("OMPI_MCA_rmaps_base_oversubscribe", None)  # what the program starts has to do without
        (cls.here / "base.toml").write_text(BASE.format(duration=simulated_units(CASE, BASE)))
        cls.write("single", "1")
        run("sweep", "run", "single.toml", cwd=cls.here)

    @classmethod
    def write(cls, name, ranks='"measured"', more=""):
        (cls.here / f"{name}.toml").write_text(SWEEP.format(ranks=ranks, more=more))
        return cls.here / name

    def record(self, directory):
        return tomllib.loads((directory / "ranks.toml").read_text())

    def check(self, directory):
        """Every case ran on the ranks that are recorded, and gave the bits of one rank; the record."""
        record = self.record(directory)
        outcomes = [tomllib.loads(path.read_text()) for path in directory.glob("ledger/*/*.done")]
        self.assertEqual([("done", record["ranks"])] * 3, [(outcome["status"], outcome["ranks"]) for outcome in outcomes])
        for result in directory.glob("cases/*/*/result.h5"):
            self.assertEqual([], differences(self.here / "single" / result.relative_to(directory), result))
        self.assertFalse((directory / "measure").exists(), "what was tried is thrown away")
        return record

    def test_inside_an_mpi_job(self):
        directory = self.write("job")
        plan = run("sweep", "plan", "job.toml", cwd=self.here).stdout
        self.assertIn("ranks of a case: as measured before the first case runs", plan)
        done = run("sweep", "run", "job.toml", ranks=2, cwd=self.here)
        record = self.check(directory)
        self.assertEqual((2, 3, [1, 2]), (record["processors"], record["cases"], record["sizes"]))
        self.assertEqual("", record["note"])
        single, double = record["seconds"]
        # As src/sweep/group_size.cpp chooses: two rounds against three, and 5 % at least.
        self.assertEqual(2 if 3 * double < 0.95 * 2 * single else 1, record["ranks"])
        said = f"ranks of a case: {record['ranks']} (measured for 3 cases on 2 processors: "
        for text in (done.stderr, run("sweep", "status", directory).stdout,
                     run("sweep", "plan", "job.toml", cwd=self.here).stdout):
            self.assertIn(said, text)
        before = (directory / "ranks.toml").stat()
        (self.here / "job.toml").write_text((self.here / "job.toml").read_text().replace("0.3]", "0.3, 0.4]"))
        again = run("sweep", "run", "job.toml", ranks=2, cwd=self.here)
        self.assertNotIn("rank for a case", again.stderr)
        self.assertEqual(before.st_mtime_ns, (directory / "ranks.toml").stat().st_mtime_ns, "not measured twice")

    def test_by_a_supervisor(self):
        """And what is recorded is what all others use."""
        directory = self.write("given")
        self.assertIn("'rankflow sweep measure'",
                      run("sweep", "submit", "given.toml", "--dry-run", cwd=self.here, expect=2).stderr)
        said = run("sweep", "measure", "given.toml", cwd=self.here).stdout
        if len(os.sched_getaffinity(0)) == 1:
            self.assertIn("nothing to measure: there is one processor", said)
            return
        self.assertIn("(measured for 3 cases on ", said)
        path = directory / "ranks.toml"
        for ranks in (1, 2):
            lines = [f"ranks = {ranks}" if line.startswith("ranks =") else line for line in path.read_text().splitlines()]
            path.write_text("\n".join(lines) + "\n")
            script = run("sweep", "submit", "given.toml", "--dry-run", cwd=self.here).stdout
            self.assertIn(f"#SBATCH --ntasks={ranks}\n", script)
        run("sweep", "run", "given.toml", cwd=self.here)
        self.assertEqual(2, self.check(directory)["ranks"])

    def test_alone(self):
        """One call without a launcher measures, and runs on what it measured; more ranks than cores can be asked for."""
        directory = self.write("lone")
        run("sweep", "run", "lone.toml", cwd=self.here)
        processors = len(os.sched_getaffinity(0))
        if processors == 2:
            self.check(directory)
        self.write("many", processors + 1, '"time.duration" = 1')
        run("sweep", "run", "many.toml", "--workers", 1, cwd=self.here)
        (directory / "ranks.toml").write_text("ranks = [")
        said = run("sweep", "status", directory).stdout + run("sweep", "plan", "lone.toml", cwd=self.here).stdout
        self.assertEqual(2, said.count("ranks.toml' is damaged: it is not valid TOML"))
        self.assertIn("is damaged", run("sweep", "collect", directory).stderr)
        self.assertIn("is damaged", run("sweep", "run", "lone.toml", cwd=self.here, expect=5).stderr)

    def test_more_ranks_are_recorded_than_there_are(self):
        directory = self.write("large")
        run("sweep", "measure", "large.toml", ranks=2, cwd=self.here)
        path = directory / "ranks.toml"
        path.write_text("\n".join("ranks = 1000" if line.startswith("ranks =") else line
                                  for line in path.read_text().splitlines()))
        for ranks in (0, 2):
            said = run("sweep", "run", "large.toml", cwd=self.here, ranks=ranks, expect=2).stderr
            self.assertIn("ranks.toml' gives a case 1000 ranks", said)
            self.assertIn("rankflow sweep measure", said)

    def start(self, name, ranks=0):
        return subprocess.Popen(command_line("sweep", "measure", f"{name}.toml", ranks=ranks), cwd=self.here, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_until(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_a_case_that_hangs(self):
        """Opening a pipe that nobody writes to. It takes the 30 s of patience that a case has at least to stop."""
        os.mkfifo(self.here / "pipe.h5")
        (self.here / "hanging.toml").write_text(BASE.format(duration=1).replace(
            'preset = "decision"\nneurons = 1300', f'source = "file"\nfile = "{self.here}/pipe.h5"'))
        for name in ("stuck", "stuck_job"):
            directory = self.write(name)
            path = directory.with_suffix(".toml")
            path.write_text(path.read_text().replace("base.toml", "hanging.toml").replace(
                '[sweep.set]', 'stale_after = 1\n[sweep.set]'))
        begin = time.monotonic()
        alone, job = self.start("stuck"), self.start("stuck_job", 2)
        for process, name in ((alone, "stuck"), (job, "stuck_job")):
            said = "".join(process.communicate(timeout=100))
            self.assertEqual(process is alone, process.returncode == 0, said)
            record = self.record(self.here / name)
            self.assertEqual((1, [1]), (record["ranks"], record["sizes"]))
            self.assertIn("with 1 rank: the case neither ended nor stopped within 33 s", record["note"])
            self.assertIn(record["note"], said)
            self.assertFalse((self.here / name / "measure").exists())
        self.assertLess(time.monotonic() - begin, 60)

    def test_it_is_stopped_while_it_measures(self):
        """Without a record, so that workers do not know how many ranks they should be."""
        directory = self.write("stopped", more=ENDLESS)
        process = subprocess.Popen(command_line("sweep", "run", "stopped.toml", ranks=2), cwd=self.here, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait_until(lambda: list(directory.glob("measure/*/1x*/result.h5")))
        process.send_signal(signal.SIGTERM)
        message = process.communicate(timeout=60)[1]
        self.assertEqual([], list(directory.glob("ranks.toml")), message)
        self.assertEqual([], list(directory.glob("ledger/*/*.1")), "no case was begun")
        self.assertIn("nothing was measured in", run("sweep", "work", directory, expect=2).stderr)

    def test_mistakes(self):
        self.write("number", "2")
        self.assertIn("there is nothing to measure: sweep.ranks is a number",
                      run("sweep", "measure", "number.toml", cwd=self.here, expect=2).stderr)
        self.write("typo", '"mesured"')
        self.assertIn("typo.toml:5: 'sweep.ranks' = \"mesured\" must be an integer",
                      run("sweep", "plan", "typo.toml", cwd=self.here, expect=2).stderr)
        self.write("alone")
        self.assertIn("know nothing of one another",
                      run("sweep", "measure", "alone.toml", "--here", cwd=self.here, expect=2).stderr)


main()
