"""Sweeps as a user runs them: killed, stopped, failing, and completed by the same command."""
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

STOPPED = 75
CASE = 0.6  # s that a case works: long enough to be met in the middle

BASE = """
[run]
seed = 5
checkpoint_every = 0.05
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

SWEEP = """
[sweep]
base = "base.toml"
driver = "simulate"
metric = "latent_rms"
stale_after = 4
{more}
[sweep.grid]
"noise.neuron" = [0.1, 0.2, 0.3]
"""

ENDLESS = """
[sweep]
base = "base.toml"
driver = "simulate"
stale_after = 600
{more}
[sweep.set]
"time.save_every" = 10000
[sweep.grid]
"time.duration" = [10000000, 20000000]
"""


def outcomes(directory):
    """{id: record}"""
    return {path.name.split(".")[0]: tomllib.loads(path.read_text()) for path in directory.glob("ledger/*/*.done")}


def results(directory):
    return {path.parent.name: path for path in directory.glob("cases/*/*/result.h5")}


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(word) for word in text.split()]


def workers(supervisor):
    """Not the helper that MPI starts for a program without a launcher."""
    found = [pid for pid in children(supervisor) if b"work" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert found, "the supervisor has no workers"
    return found


def wait_for(condition, what, seconds=180):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)
    return found


def kill(pid, number=signal.SIGKILL):
    try:
        signal.pidfd_send_signal(os.pidfd_open(pid), number)
    except ProcessLookupError:
        pass


def is_told(pid, number):
    """Whether a stopped process has a signal before it."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return any(int(line.split()[1], 16) >> (number - 1) & 1 for line in text.splitlines() if "Pnd:" in line)


def is_over(pid):
    """Also when whoever inherited it has not noticed."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def owner_of(directory, case):
    """Process that holds the case."""
    last = max(directory.glob(f"ledger/*/{case}.*[0-9]"), key=lambda path: int(path.suffix[1:]))
    return tomllib.loads(wait_for(last.read_text, "its owner"))["process"]


class Execution(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """The sweep that nothing happened to."""
        cls.kept = folder()
        cls.here = pathlib.Path(cls.kept.name)
        cls.units = simulated_units(CASE, BASE)
        (cls.here / "base.toml").write_text(BASE.format(duration=cls.units))
        cls.write("straight", "")
        done = run("sweep", "run", cls.here / "straight.toml", "--workers", 1)
        cls.assertIn(cls, "all 3 cases are", done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.kept.cleanup()

    @classmethod
    def write(cls, name, more, text=SWEEP):
        (cls.here / f"{name}.toml").write_text(text.format(more=more))
        return cls.here / f"{name}.toml"

    def started(self, sweep, *arguments, ranks=0):
        """A sweep of which a case has written a checkpoint."""
        directory = sweep.with_suffix("")
        process = subprocess.Popen(command_line("sweep", "run", sweep, *arguments, ranks=ranks), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda: self.checkpoints(directory), "a checkpoint")
        return process, directory

    @staticmethod
    def checkpoints(directory):
        return list(directory.glob("cases/*/*/result.h5.checkpoint-*[0-9]"))

    def frozen(self, sweep, *arguments, ranks=0):
        """A sweep, and the process of one of its cases, which stands still in the middle: how fast this machine is
        does not matter then."""
        process, directory = self.started(sweep, *arguments, ranks=ranks)

        def in_the_middle():
            for path in self.checkpoints(directory):
                worker = owner_of(directory, path.parent.name)
                kill(worker, signal.SIGSTOP)
                if path.exists() and path.parent.name not in outcomes(directory):
                    return worker
                kill(worker, signal.SIGCONT)
            return None

        return process, directory, wait_for(in_the_middle, "a case to stop in the middle")

    def check(self, directory, deaths):
        """Everything is done, once, and as if nothing had happened."""
        found = outcomes(directory)
        straight = results(self.here / "straight")
        self.assertEqual(set(straight), set(found), "the same cases")
        self.assertEqual({"done"}, {record["status"] for record in found.values()})
        self.assertEqual(deaths, sum(record["deaths"] for record in found.values()))
        for case, path in results(directory).items():
            self.assertEqual([], differences(straight[case], path), case)
            self.assertEqual([], list(path.parent.glob("*.checkpoint-*")))
        self.assertNotEqual([], differences(*sorted(straight.values())[:2]), "the control")

    def test_a_worker_is_killed(self):
        process, directory, worker = self.frozen(self.write("worker", ""), "--workers", "1")
        self.assertEqual([worker], workers(process.pid))
        kill(worker)
        message = process.communicate(timeout=180)[1]
        self.assertEqual(0, process.returncode, message)
        self.assertIn("killed by signal 9", message)
        self.check(directory, deaths=1)
        self.assertEqual(2, max(record["sessions"] for record in outcomes(directory).values()))

    def held_by_two(self, name):
        """A supervisor and its two workers, each of which has written a checkpoint of its case."""
        sweep = self.write(name, "", ENDLESS)
        process, directory = self.started(sweep, "--workers", "2")
        wait_for(lambda: len({path.parent for path in self.checkpoints(directory)}) == 2,
                 "the other checkpoint")
        return process, directory

    def test_a_killed_worker_is_replaced_while_another_works(self):
        process, directory = self.held_by_two("replaced")
        kill(workers(process.pid)[0])
        wait_for(lambda: list(directory.glob("ledger/*/*.2")), "a second session", seconds=20)
        process.send_signal(signal.SIGTERM)
        message = process.communicate(timeout=180)[1]
        self.assertEqual(STOPPED, process.returncode, message)
        self.assertEqual({}, outcomes(directory))
        self.assertEqual(1, len(list(directory.glob("ledger/*/*.died"))))
        self.assertEqual(2, len(list(directory.glob("ledger/*/*.released"))))

    def test_workers_that_always_die_take_no_others_with_them(self):
        process, directory = self.held_by_two("hopeless")
        (directory / "plan.toml").rename(directory / "elsewhere")  # what no new worker can do without
        kill(workers(process.pid)[0])
        message = process.communicate(timeout=180)[1]
        self.assertEqual(5, process.returncode, message)
        self.assertIn("again and again", message)
        self.assertIn("plan.toml", message)
        released = list(directory.glob("ledger/*/*.released"))
        self.assertEqual(1, len(released), "the healthy worker was asked to stop")
        self.assertEqual({"1"}, {path.suffixes[0][1:] for path in released})

    def orphaned(self, sweep):
        """A sweep's directory after its supervisor was killed and its worker ended. (It does not stand still meanwhile:
        the kernel hangs up on stopped processes whose parent ends.)"""
        process, directory = self.started(sweep, "--workers", "1")
        worker = workers(process.pid)[0]
        kill(process.pid)
        process.communicate(timeout=180)
        wait_for(lambda: is_over(worker), "the end of its worker")
        return directory

    def test_the_supervisor_is_killed(self):
        directory = self.orphaned(self.write("orphan", "", ENDLESS))
        self.assertEqual(1, len(list(directory.glob("ledger/*/*.released"))), "its worker stopped with a checkpoint")
        sweep = self.write("supervisor", "")
        directory = self.orphaned(sweep)
        done = run("sweep", "run", sweep)
        self.assertIn("all 3 cases are", done.stderr)
        self.check(directory, deaths=0)

    def test_it_is_stopped_and_goes_on(self):
        sweep = self.write("stopped", "")
        process, directory, worker = self.frozen(sweep, "--workers", "1")
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: is_told(worker, signal.SIGUSR1), "the supervisor to tell its worker")
        kill(worker, signal.SIGCONT)
        message = process.communicate(timeout=180)[1]
        self.assertEqual(STOPPED, process.returncode, message)
        self.assertIn("the same command continues", message)
        self.assertLess(len(outcomes(directory)), 3)
        run("sweep", "run", sweep)
        self.check(directory, deaths=0)
        again = run("sweep", "run", sweep)
        self.assertIn("3 of 3 cases are over", again.stderr)
        self.assertEqual({1, 2}, {record["sessions"] for record in outcomes(directory).values()})

    def test_a_rank_of_an_mpi_job_is_killed(self):
        sweep = self.write("mpi", "")
        process, directory, worker = self.frozen(sweep, ranks=2)
        self.assertIn(worker, children(process.pid))
        kill(worker)
        process.communicate(timeout=180)
        self.assertNotEqual(0, process.returncode)
        run("sweep", "run", sweep, ranks=2)
        self.check(directory, deaths=1)  # only of the one that was killed: the other was asked to stop

    def test_an_mpi_job_says_what_it_leaves_to_others(self):
        process, directory = self.held_by_two("shared")
        done = run("sweep", "run", directory, ranks=2, expect=STOPPED)
        self.assertIn("2 of 2 cases are not over", done.stderr)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=180)
        self.assertEqual(STOPPED, process.returncode)
        done = run("sweep", "run", self.here / "straight", ranks=2)
        self.assertNotIn("not over", done.stderr)

    def test_wall_time_stops_every_case(self):
        """Of which starting may take any part: each session has more than the last, so that there is an end."""
        sweep = self.write("budget", "")
        wall_time, growth, enough = CASE / 4, 1.5, 100 * CASE
        while (code := run("sweep", "run", sweep, "--workers", 1, "--wall-time", wall_time, expect=None).returncode) == STOPPED:
            wall_time *= growth
            self.assertLess(wall_time, enough)
        self.assertEqual(0, code)
        self.assertGreater(wall_time, CASE / 4, "the first one is too short for all cases")
        released = [path.read_text() for path in sweep.with_suffix("").glob("ledger/*/*.released")]
        self.assertTrue(any('"time"' in text for text in released), released)
        self.check(sweep.with_suffix(""), deaths=0)

    def test_failures_and_timeouts_are_recorded_and_end_nothing(self):
        text = """
[sweep]
base = "base.toml"
driver = "simulate"
timeout = 3
{more}
[[sweep.cases]]
"time.duration" = 1
[[sweep.cases]]
"network.activation" = "identity"
"initial.latent_std" = 1.0
"time.duration" = 10000000
"time.save_every" = 10000
[[sweep.cases]]
"time.duration" = 10000000
"time.save_every" = 10000
[[sweep.cases]]
"time.duration" = 3
"""
        sweep = self.write("mixed", "", text)
        done = run("sweep", "run", sweep)
        found = {record["status"]: record for record in outcomes(sweep.with_suffix("")).values()}
        self.assertEqual({"done", "failed", "timeout"}, set(found))
        self.assertEqual(4, found["failed"]["exit_code"])
        self.assertIn("kappa_", found["failed"]["message"])
        self.assertIn("sweep.timeout", found["timeout"]["message"])
        self.assertGreater(found["timeout"]["seconds"], 3)
        self.assertIn("kappa_", done.stderr)
        self.assertIn("2 of 4 cases are not done", done.stderr)
        self.assertNotIn("simulating", done.stderr, "a case's output goes to its log")
        logs = [path.read_text() for path in sweep.with_suffix("").glob("cases/*/*/log.txt")]
        self.assertTrue(any("kappa_" in log for log in logs))
        before = outcomes(sweep.with_suffix(""))
        run("sweep", "run", sweep)
        self.assertEqual(before, outcomes(sweep.with_suffix("")), "what is over is not begun again")

    def test_what_is_not_done_is_tried_again_when_asked(self):
        text = """
[sweep]
base = "base.toml"
driver = "simulate"
{more}
[[sweep.cases]]
"time.duration" = 1
[[sweep.cases]]
"network.source" = "file"
"network.file" = "later.h5"
"time.duration" = 2
[[sweep.cases]]
"time.duration" = {duration}
"""
        text = text.replace("{duration}", str(6 * self.units))
        sweep = self.write("again", "timeout = 1", text)
        directory = sweep.with_suffix("")
        run("sweep", "run", sweep, "--workers", 1)

        def statuses():
            status = run("sweep", "status", directory).stdout
            return status[status.index("]") + 2:status.index("failed")]

        self.assertIn("1 of 3 done, 0 running, 0 waiting, 2", statuses())
        first = outcomes(directory)
        failed, late, done = ([case for case, record in first.items() if record["status"] == status][0]
                              for status in ("failed", "timeout", "done"))
        wrong = run("sweep", "run", sweep, "--retry", "failed,late", expect=2).stderr
        self.assertIn("--retry takes failed, timeout, dead or several of them with commas between; found 'late'", wrong)
        self.assertEqual([], list(directory.glob("ledger/*/*.retried")))

        (self.here / "network.toml").write_text("[network]\npreset = 'decision'\nneurons = 1300\n")
        run("generate", "network", self.here / "network.toml", "-o", self.here / "later.h5")
        said = run("sweep", "work", directory, "--retry", "failed").stderr  # what a job of SLURM runs
        self.assertIn("1 case begins again (--retry failed)", said)
        self.assertIn("2 of 3 done, 0 running, 0 waiting, 1", statuses())
        log = (directory / "cases" / late[:2] / late / "log.txt").read_text()
        run("sweep", "run", sweep)
        self.assertEqual(log, (directory / "cases" / late[:2] / late / "log.txt").read_text(), "not without being asked")

        self.write("again", "timeout = 600", text)
        run("sweep", "run", sweep, "--workers", 1, "--retry", "timeout,dead")
        self.assertIn("3 of 3 done, 0 running, 0 waiting, 0", statuses())
        self.assertRegex((directory / "cases" / late[:2] / late / "log.txt").read_text(), r"continuing .* from [0-9.]*[1-9]")
        for case in (failed, late):
            again = tomllib.loads(next(directory.glob(f"ledger/*/{case}.1.done")).read_text())
            self.assertEqual(("done", 2, 0), (again["status"], again["sessions"], again["deaths"]))
            self.assertGreater(again["seconds"], first[case]["seconds"])
        before = {case: tomllib.loads(next(directory.glob(f"ledger/*/{case}.done")).read_text()) for case in first}
        self.assertEqual(first, before, "what was recorded stays")
        self.assertEqual(1, len(list(directory.glob(f"ledger/*/{done}.[0-9]*"))))
        straight = self.here / "again_straight.h5"
        run("simulate", directory / "cases" / late[:2] / late / "config.toml", "-o", straight)
        self.assertEqual([], differences(straight, directory / "cases" / late[:2] / late / "result.h5"))

    def test_a_case_that_kills_its_process_is_given_up(self):
        text = """
[sweep]
base = "base.toml"
driver = "simulate"
{more}
[[sweep.cases]]
"time.duration" = 10000000
"time.save_every" = 10000
[[sweep.cases]]
"time.duration" = 1
[[sweep.cases]]
"time.duration" = 2
"""
        sweep = self.write("deadly", "", text)
        directory = sweep.with_suffix("")
        process = subprocess.Popen(command_line("sweep", "run", sweep, "--workers", "1"), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for session in (1, 2):  # of the plan's first case
            first = wait_for(lambda s=session: [path for path in directory.glob(f"ledger/*/*.{s}")], "a session")[0]
            text = wait_for(first.read_text, "its owner")
            kill(tomllib.loads(text)["process"])
        message = process.communicate(timeout=180)[1]
        self.assertEqual(0, process.returncode, message)
        found = outcomes(directory)
        self.assertEqual(["dead", "done", "done"], sorted(record["status"] for record in found.values()))
        dead = next(record for record in found.values() if record["status"] == "dead")
        self.assertEqual(2, dead["deaths"])
        self.assertIn("died 2 times", dead["message"])
        self.assertIn("session 2: process", dead["message"])
        again = subprocess.Popen(command_line("sweep", "run", sweep, "--workers", "1", "--retry", "dead"), text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        session = wait_for(lambda: list(directory.glob("ledger/*/*.4")), "another session")[0]  # the third gave it up
        kill(tomllib.loads(wait_for(session.read_text, "its owner"))["process"])
        wait_for(lambda: list(directory.glob("ledger/*/*.5")), "one more: all attempts count anew")
        again.send_signal(signal.SIGTERM)
        message = again.communicate(timeout=180)[1]
        self.assertEqual(STOPPED, again.returncode, message)
        self.assertEqual(1, len(list(directory.glob("ledger/*/*.3.retried"))))
        self.assertEqual([], list(directory.glob("ledger/*/*.3.done")))

    def test_more_ranks_than_there_are(self):
        sweep = self.write("wide", "ranks = 64")
        done = run("sweep", "run", sweep, expect=2)
        self.assertIn("ask for 64 ranks", done.stderr)
        done = run("sweep", "run", sweep, expect=2, ranks=2)
        self.assertIn("mpirun -n 64", done.stderr)

    def test_groups_of_two_ranks(self):
        sweep = self.write("pairs", "ranks = 2")
        run("sweep", "run", sweep, "--workers", "1")
        self.assertEqual({2}, {record["ranks"] for record in outcomes(sweep.with_suffix("")).values()})
        self.check(sweep.with_suffix(""), deaths=0)

    def test_a_supervisor_that_mpirun_starts(self):
        """Its workers must not take themselves for ranks of its job."""
        sweep = self.write("launched", "")
        done = run("sweep", "run", sweep, "--workers", "1", ranks=1)
        self.assertNotIn("a worker ended", done.stderr)
        self.check(sweep.with_suffix(""), deaths=0)
        sweep = self.write("launched_pairs", "ranks = 2")
        run("sweep", "run", sweep, "--workers", "1", ranks=1)
        self.check(sweep.with_suffix(""), deaths=0)

    def test_nothing_is_left_between_cases(self):
        """One process after the other case: its open files do not grow."""
        (self.here / "many.toml").write_text(
            '[sweep]\nbase = "base.toml"\ndriver = "simulate"\nseeds = 120\n[sweep.set]\n"time.duration" = 1\n')
        process = subprocess.Popen(command_line("sweep", "run", self.here / "many.toml", "--workers", "1"),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        directory = self.here / "many"
        worker = wait_for(lambda: workers(process.pid) if list(directory.glob("ledger/*/*.done")) else [], "a worker")[0]
        counts = []  # of files, by cases that are over
        while process.poll() is None:
            try:
                files = len(os.listdir(f"/proc/{worker}/fd"))
                counts.append((len(list(directory.glob("ledger/*/*.done"))), files))
            except FileNotFoundError:
                break
            time.sleep(0.005)
        process.wait(timeout=180)
        self.assertEqual(120, len(outcomes(directory)))
        early = max(files for over, files in counts if 1 <= over <= 50)
        late = max(files for over, files in counts if over >= 80)
        self.assertLess(late, early + 10, "30 cases between them")

    def test_work_needs_a_plan(self):
        done = run("sweep", "work", self.here / "nothing", expect=2)
        self.assertIn("nothing", done.stderr)


main()
