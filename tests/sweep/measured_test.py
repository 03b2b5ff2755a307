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
        self.assertNotIn("measured", again.stderr)
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

    def test_it_is_stopped_while_it_measures(self):
        """Without a record, so that workers do not know how many ranks they should be."""
        directory = self.write("stopped", more=ENDLESS)
        process = subprocess.Popen(command_line("sweep", "run", "stopped.toml", ranks=2), cwd=self.here, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not list(directory.glob("measure/*/1x*/result.h5")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
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
