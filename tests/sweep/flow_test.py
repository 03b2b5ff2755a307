"""A sweep of flows of connectivity: run, ranked by the drift of what is sampled, collected."""
import pathlib
import sys
import unittest

import h5py
import pandas

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "drivers"))
from support import differences, folder, main, run  # noqa: E402

METRIC = "drift_error_validation"

FLOW = """
[network]
preset = "limit_cycle"
neurons = 300
[latents.simulation]
grid_points = 4
rows = 15
[loadings_flow]
epochs = 2
[conditional_flow]
epochs = 2
neurons = 300
judged_neurons = 300
"""

SWEEP = f"""
[sweep]
base = "flow.toml"
driver = "fit flow"
metric = "{METRIC}"
direction = "minimise"
seeds = 2
[sweep.grid]
"conditional_flow.epochs" = [1, 4]
"""


class Flows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kept = folder()
        cls.addClassCleanup(kept.cleanup)
        cls.here = pathlib.Path(kept.name)
        (cls.here / "flow.toml").write_text(FLOW)
        (cls.here / "study.toml").write_text(SWEEP)
        cls.plan = run("sweep", "plan", "study.toml", cwd=cls.here).stdout
        run("sweep", "run", "study.toml", "--workers", 2, cwd=cls.here)
        cls.collected = run("sweep", "collect", "study", "-o", "table.h5", cwd=cls.here).stdout
        cls.table = pandas.read_csv(cls.here / "table.csv", float_precision="round_trip")

    def test_plan(self):
        self.assertIn("4 cases of 'fit flow': 2 settings × 2 seeds", self.plan)
        self.assertIn(f"ranked by {METRIC}, smaller is better", self.plan)

    def test_metrics_are_those_of_the_files(self):
        self.assertEqual({"done"}, set(self.table["status"]))
        self.assertEqual(4, self.table[METRIC].nunique())
        for _, row in self.table.iterrows():
            with h5py.File(self.here / "study" / row["result"], "r") as file:
                self.assertEqual(file["judgement"].attrs[METRIC], row[METRIC])

    def test_ranking(self):
        """By the mean over seeds, the smallest first."""
        means = self.table.groupby("conditional_flow.epochs")[METRIC].mean().sort_values()
        ranked = [line.split() for line in self.collected.splitlines() if "of 2 " in line]
        self.assertEqual([str(epochs) for epochs in means.index], [words[-1] for words in ranked])
        self.assertIn("conditional_validation_loss of the best case", self.collected)

    def test_a_case_is_a_fit_of_its_own(self):
        first, other = (self.here / "study" / self.table["result"][i] for i in (0, 1))
        run("fit", "flow", first.with_name("config.toml"), "-o", "straight.h5", cwd=self.here)
        self.assertEqual([], differences(self.here / "straight.h5", first))
        self.assertNotEqual([], differences(self.here / "straight.h5", other))

    def test_a_killed_case_goes_on(self):
        """Again and again after a little more time, until it went on from a checkpoint; then to its end."""
        (self.here / "long.toml").write_text(SWEEP.replace("[1, 4]", "[100]").replace("seeds = 2", "seeds = 1"))
        run("sweep", "run", "long.toml", "-o", "straight", cwd=self.here)
        seconds = 0.5
        while not any("continuing" in log.read_text() for log in self.here.glob("again/cases/*/*/log.txt")):
            stopped = run("sweep", "run", "long.toml", "-o", "again", "--wall-time", seconds, cwd=self.here, expect=None)
            self.assertEqual(75, stopped.returncode, stopped.stderr)
            seconds *= 1.2
        run("sweep", "run", "long.toml", "-o", "again", cwd=self.here)
        (result,) = self.here.glob("again/cases/*/*/result.h5")
        self.assertEqual([], differences(self.here / "straight" / result.relative_to(self.here / "again"), result))


main()
