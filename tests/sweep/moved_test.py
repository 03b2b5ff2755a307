"""A sweep that is moved with its data goes on from its checkpoints."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "drivers"))
from pace import fitted_epochs, simulated_units  # noqa: E402
from support import EXAMPLES, differences, folder, main, run  # noqa: E402

STOPPED = 75
CASE = 1.0  # s that a case works

FIT = """
[run]
checkpoint_every = 0.05
[data]
file = "data.h5"
[network]
neurons = 64
[smc]
particles = 16
[training]
epochs = {epochs}
batch_trials = 8
window = 25
"""

SIMULATION = """
[run]
checkpoint_every = 0.05
[network]
source = "file"
file = "network.h5"
[time]
step = 0.01
duration = {duration}
save_every = 1.0
[integration]
method = "euler"
[noise]
latent = 0.1
"""

NETWORK = """
[network]
preset = "decision"
neurons = 2000
"""

SWEEP = """
[sweep]
base = "base.toml"
driver = "{driver}"
seeds = 1
"""


class Moved(unittest.TestCase):
    def setUp(self):
        kept = folder()
        self.addCleanup(kept.cleanup)
        self.root = pathlib.Path(kept.name)
        self.here = self.root / "before"
        self.here.mkdir()

    def stopped(self, base, driver):
        """Begins a sweep of one case and stops it with a checkpoint; then everything moves."""
        (self.here / "base.toml").write_text(base)
        (self.here / "sweep.toml").write_text(SWEEP.format(driver=driver))
        wall_time = CASE / 8
        while not list(self.here.glob("sweep/cases/*/*/result.h5.checkpoint-*[0-9]")):
            run("sweep", "run", self.here / "sweep.toml", "--workers", 1, "--wall-time", wall_time, expect=STOPPED)
            wall_time *= 1.5
        self.here = self.here.rename(self.root / "after")

    def check(self, command):
        run("sweep", "run", self.here / "sweep.toml", "--workers", 1)
        self.assertEqual(1, len(list(self.here.glob("sweep/ledger/*/*.done"))))
        case = next(self.here.glob("sweep/cases/*/*"))
        log = (case / "log.txt").read_text()
        self.assertRegex(log, r"continuing \S*/after/\S* from [0-9.]*[1-9]")
        self.assertNotIn("anew", log)
        run(*command, case / "config.toml", "-o", self.root / "straight.h5")
        self.assertEqual([], differences(self.root / "straight.h5", case / "result.h5"))

    def begins_anew(self):
        """The control."""
        run("sweep", "run", self.here / "sweep.toml", "--workers", 1)
        self.assertIn("beginning anew", next(self.here.glob("sweep/cases/*/*/log.txt")).read_text())

    def record(self, seed):
        run("generate", "recording", EXAMPLES / "oscillator_recording.toml", "-o", self.here / "data.h5", "--overwrite",
            "--set", f"run.seed={seed}")

    def draw(self, seed):
        (self.root / "network.toml").write_text(NETWORK + f"[run]\nseed = {seed}\n")
        run("generate", "network", self.root / "network.toml", "-o", self.here / "network.h5")

    def fit(self):
        self.record(1)
        self.stopped(FIT.format(epochs=fitted_epochs(CASE, FIT, self.here / "data.h5")), "fit vsmc")

    def simulation(self):
        self.draw(1)
        text = SIMULATION.replace('"network.h5"', f'"{self.here}/network.h5"')
        self.stopped(SIMULATION.format(duration=simulated_units(CASE, text)), "simulate")

    def test_fit(self):
        self.fit()
        self.check(["fit", "vsmc"])

    def test_simulation(self):
        self.simulation()
        self.check(["simulate"])

    def test_fit_to_other_data(self):
        self.fit()
        self.record(2)
        self.begins_anew()

    def test_simulation_of_another_network(self):
        self.simulation()
        self.draw(2)
        self.begins_anew()


main()
