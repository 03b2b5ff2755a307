"""A run that was stopped, or killed, and resumed on other ranks gives the bits of a run that was not."""
import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import h5py
from support import command_line, differences, folder, in_parallel, main, provenance, run

STOPPED = 75
LENGTHS = 4  # that are tried, each three times the one before

CONFIGURATION = """
[run]
seed = 5
[network]
preset = "decision"
neurons = 1300
[time]
step = 0.01
duration = {duration}
save_every = {save_every}
trials = 2
[integration]
restart_every = 0.25
[initial]
latent_std = 0.5
[[inputs]]
kind = "ornstein_uhlenbeck"
std = 0.3
[observation]
kind = "poisson"
channels = 5
[output]
population_means = true
rates = true
neurons = [0, 3, 511, 512, 1299]
"""

FIXED = ["noise.latent=0.1"]
# Name -> (simulated seconds, settings). Where these are over before they can be stopped there are more.
CASES = {
    "map": (160, FIXED + ["integration.method=map", "noise.neuron=0.2"]),
    "euler": (160, FIXED + ["integration.method=euler", "noise.neuron=0.2"]),
    "euler-single": (320, FIXED + ["integration.method=euler", "noise.neuron=0.2", "run.precision=single"]),
    "exponential_euler": (140, FIXED + ["integration.method=exponential_euler", "noise.neuron=0.2"]),
    "euler-sparse": (60, FIXED + ["integration.method=euler", "network.bulk.kind=sparse", "network.bulk.gain=1.2",
                                    "network.bulk.in_degree=30"]),
    "exponential_euler-procedural": (8, FIXED + ["integration.method=exponential_euler", "network.bulk.gain=1.2",
                                                   "network.bulk.kind=procedural", "network.bulk.in_degree=10"]),
    "runge_kutta_fixed": (60, ["integration.method=runge_kutta", "integration.adaptive=false"]),
    "runge_kutta_adaptive": (24, ["integration.method=runge_kutta"]),
    "adams": (12, ["integration.method=adams"]),
    "bdf": (6, ["integration.method=bdf"]),
    "bdf-sparse": (2, ["integration.method=bdf", "network.bulk.kind=sparse", "network.bulk.gain=1.2",
                        "network.bulk.in_degree=30"]),
    "euler-latent": (360, FIXED + ["integration.space=latent", "integration.method=euler"]),
    "map-latent": (360, FIXED + ["integration.space=latent", "integration.method=map"]),
    "runge_kutta-latent": (48, ["integration.space=latent", "integration.method=runge_kutta"]),
    "bdf-latent": (12, ["integration.space=latent", "integration.method=bdf"]),
}


def started(*arguments, ranks=0):
    """A run that has begun to simulate."""
    process = subprocess.Popen(command_line(*arguments, ranks=ranks), text=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    for line in process.stderr:
        if "simulating" in line:
            return process
    raise AssertionError(f"{' '.join(process.args)} ended with {process.wait()} before it could be stopped")


def children(pid):
    """Process numbers of the programs that a launcher started."""
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


class Resume(unittest.TestCase):
    def write(self, here, name, duration, save_every=None):
        config = here / f"{name}.toml"
        config.write_text(CONFIGURATION.format(duration=duration, save_every=save_every or duration / 200))
        return config

    def stop(self, process, number, name):
        """Asks the run to stop at a random moment; False when it was done by then."""
        time.sleep(random.uniform(0.0, 0.2))
        process.send_signal(number)
        message = process.communicate(timeout=60)[1]
        # A signal between the end of the work and that of the process finds nobody who waits for it.
        if "wrote" in message and process.returncode in (0, -number, 128 + number):
            return False
        self.assertEqual(STOPPED, process.returncode, f"{name}: {message}")
        self.assertIn("--resume", message)
        return True

    def check(self, here, name, duration, settings, number):
        sets = [word for setting in settings for word in ("--set", setting)]
        straight, broken = here / f"{name}.h5", here / f"{name}-resumed.h5"
        # mpiexec hands SIGUSR1 on to its ranks; a lone process gets what a batch system sends.
        launched = number % 2 == 0
        first, then = (2, 3) if launched else (0, 2)
        for _ in range(LENGTHS):
            config = self.write(here, name, duration)
            process = started("simulate", config, "-o", broken, *sets, "--overwrite", ranks=first)
            if self.stop(process, signal.SIGUSR1 if launched else signal.SIGTERM, name):
                break
            duration *= 3
        run("simulate", config, "-o", straight, *sets)
        self.assertEqual("stopped", provenance(broken)["status"], name)
        self.assertIn("/trajectory/latent", differences(straight, broken), f"{name}: was not stopped in the middle")
        done = run("simulate", config, "-o", broken, *sets, "--resume", ranks=then)
        self.assertRegex(done.stderr, r"continuing .* from [1-9]", name)
        self.assertEqual([], differences(straight, broken), name)
        about = provenance(broken)
        self.assertEqual((then, 1, "complete"), (about["ranks"], about["resumes"], about["status"]), name)
        self.assertEqual([], list(here.glob(f"{name}-resumed.h5.checkpoint-*")), "checkpoints of a complete run go")

    def test_every_method(self):
        with folder() as name:
            here = pathlib.Path(name)
            in_parallel([lambda n=n, c=case: self.check(here, c[0], *c[1], n) for n, case in enumerate(CASES.items())])

    def timed(self, here, settings, at_least):
        """A straight run of at least so many seconds on this machine: its configuration and what it took."""
        duration = 500
        while True:
            config = self.write(here, "config", duration)
            start = time.monotonic()
            run("simulate", config, "-o", here / "straight.h5", *settings)
            seconds = time.monotonic() - start
            if seconds >= at_least:
                return config, seconds
            duration *= 3

    def test_wall_time(self):
        """Stops when its time is up, again and again, until it is done."""
        with folder() as name:
            here = pathlib.Path(name)
            straight, broken = here / "straight.h5", here / "broken.h5"
            sets = ["--set", "integration.method=euler", "--set", "noise.neuron=0.2"]
            # A sixth of its own time: several sessions whatever the machine's speed, also when it is less busy later.
            config, seconds = self.timed(here, sets, at_least=3)
            budget = ["--set", f"run.wall_time={seconds / 6:.3f}"]
            sessions = 0
            code = STOPPED
            while code == STOPPED:
                resume = ["--resume"] if sessions else []
                code = run("simulate", config, "-o", broken, *sets, *budget, *resume, ranks=sessions % 3 + 1,
                           expect=None).returncode
                sessions += 1
                self.assertLess(sessions, 100)
                if code == STOPPED:
                    self.assertEqual("stopped", provenance(broken)["status"])
                    self.assertIn("/trajectory/latent", differences(straight, broken))
            self.assertEqual(0, code)
            self.assertGreater(sessions, 1, f"{seconds:.1f} s of work fitted into a sixth of that")
            self.assertEqual([], differences(straight, broken))
            about = provenance(broken)
            self.assertEqual(("complete", sessions - 1), (about["status"], about["resumes"]))

    def killed(self, here, config, sets, ranks):
        """Kills a run, or one rank of it, when two checkpoints are there."""
        output = here / "killed.h5"
        process = started("simulate", config, "-o", output, *sets, "--set", "run.checkpoint_every=0.1", ranks=ranks)
        deadline = time.monotonic() + 30
        while len(list(here.glob("killed.h5.checkpoint-*[0-9]"))) < 2:
            self.assertLess(time.monotonic(), deadline, "no checkpoints")
            self.assertIsNone(process.poll(), "ended before it was killed")
            time.sleep(0.005)
        victim = children(process.pid)[-1] if ranks else process.pid
        signal.pidfd_send_signal(os.pidfd_open(victim), signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertNotEqual(0, process.returncode)
        return output

    def test_kill(self):
        with folder() as name:
            here = pathlib.Path(name)
            config = self.write(here, "config", 1000)
            sets = ["--set", "integration.method=euler", "--set", "noise.neuron=0.2"]
            run("simulate", config, "-o", here / "straight.h5", *sets)
            for ranks, then in ((0, 2), (3, 1)):
                output = self.killed(here, config, sets, ranks)
                with h5py.File(output, "r") as file:
                    self.assertEqual("running", file["provenance"].attrs["status"])
                    self.assertEqual(2, file["trajectory/latent"].shape[0])
                report = run("inspect", output).stdout
                self.assertIn("running (or killed)", report)
                self.assertIn("--resume", report)
                run("simulate", config, "-o", output, *sets, "--resume", ranks=then)
                self.assertEqual([], differences(here / "straight.h5", output))

    def test_damaged_checkpoint(self):
        """The checkpoint before a damaged one is taken, with a warning; without any sound one the run says so."""
        with folder() as name:
            here = pathlib.Path(name)
            config = self.write(here, "config", 1000)
            sets = ["--set", "integration.method=euler"]
            run("simulate", config, "-o", here / "straight.h5", *sets)
            output = self.killed(here, config, sets, 0)
            checkpoints = sorted(here.glob("killed.h5.checkpoint-*[0-9]"), key=lambda path: int(path.name.split("-")[-1]))
            self.assertEqual(2, len(checkpoints))
            newest = bytearray(checkpoints[-1].read_bytes())
            newest[len(newest) // 2:len(newest) // 2 + 64] = bytes(64)
            newest[-64:] = bytes(64)
            checkpoints[-1].write_bytes(newest)
            older = checkpoints[0].read_bytes()
            checkpoints[0].write_bytes(older[: len(older) // 2])
            done = run("simulate", config, "-o", output, *sets, "--resume", expect=3)
            self.assertIn("no checkpoint of", done.stderr)
            checkpoints[0].write_bytes(older)
            done = run("simulate", config, "-o", output, *sets, "--resume")
            self.assertIn("damaged and passed over", done.stderr)
            self.assertEqual([], differences(here / "straight.h5", output))


main()
