"""Plan, results and early stopping of a sweep of small fits, as a user meets them."""
import pathlib
import re
import sys
import tempfile
import unittest

import h5py
import numpy as np
import pandas
import xarray

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "drivers"))
from support import EXAMPLES, main, run  # noqa: E402

EXAMPLE = EXAMPLES / "sweeps" / "oscillator.toml"
METRIC = "held_out_log_likelihood"


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.here = pathlib.Path(cls.held.name)
        run("generate", "recording", EXAMPLES / "oscillator_recording.toml", "-o", "data.h5", cwd=cls.here)
        cls.sets = ["--set", "sweep.set.data.file=data.h5"]
        cls.plan = run("sweep", "plan", EXAMPLE, "-o", "study", *cls.sets, cwd=cls.here).stdout
        assert not (cls.here / "study").exists(), "sweep plan wrote something"
        run("sweep", "run", EXAMPLE, "-o", "study", "--workers", "2", *cls.sets, cwd=cls.here)
        cls.collected = run("sweep", "collect", "study", "-o", "table.h5", cwd=cls.here)

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def test_plan_says_what_there_is(self):
        self.assertIn("16 cases of 'fit vsmc': 8 settings × 2 seeds; 1 setting left out by constraints", self.plan)
        self.assertRegex(self.plan, r"network.rank +3 values: 1, 2, 3\n")
        self.assertRegex(self.plan, r"learning_rate +3 values: 0.005, 0.015, 0.045\n")
        self.assertIn("not begun", self.plan)
        self.assertRegex(self.plan, r"memory of a case: at most [0-9.]+ MiB")
        again = run("sweep", "plan", EXAMPLE, "-o", "study", *self.sets, cwd=self.here).stdout
        self.assertIn("16 of its 16 cases over", again)

    def test_status_counts(self):
        status = run("sweep", "status", "study", cwd=self.here).stdout
        counts = re.search(r"(\d+) of 16 done, 0 running, 0 waiting, 0 failed, (\d+) ended early", status)
        self.assertEqual(int(counts[1]) + int(counts[2]), 16)
        self.assertIn(f"best so far: {METRIC}", status)
        watched = run("sweep", "status", "study", "--watch", cwd=self.here).stdout
        self.assertEqual(status, watched)

    def test_pandas_opens_both_tables(self):
        csv = pandas.read_csv(self.here / "table.csv", float_precision="round_trip")
        with xarray.open_dataset(self.here / "table.h5", engine="h5netcdf", group="cases") as data:
            hdf5 = data.to_dataframe().reset_index()
        self.assertEqual(len(csv), 16)
        for name in ("id", "status", "network.rank", "seed", "epochs", METRIC, "result"):
            self.assertEqual(list(csv[name]), list(hdf5[name]), name)
        self.assertEqual(csv["network.rank"].dtype, np.int64)
        # Only cases of rank 3 have this key.
        self.assertEqual(set(csv["network.rank"][csv["smc.particles"].notna()]), {3})
        self.assertEqual(set(csv["status"]), {"done", "halted"})
        with h5py.File(self.here / "table.h5") as file:
            self.assertEqual(file.attrs["file_type"], "sweep")
            self.assertNotIn("seconds", file["cases"])
            self.assertEqual(len(file["provenance/cases/seconds"]), 16)

    def test_table_is_what_the_results_hold(self):
        csv = pandas.read_csv(self.here / "table.csv", float_precision="round_trip")
        for _, row in csv.iterrows():
            with h5py.File(self.here / "study" / row["result"]) as file:
                curve = file["training/validation_log_likelihood"][:]
                self.assertEqual(curve[file["training"].attrs["best_epoch"]], row[METRIC])
                self.assertEqual(file["training"].attrs["epochs_done"], row["epochs"])

    def test_ranking_is_that_of_the_finished(self):
        csv = pandas.read_csv(self.here / "table.csv", float_precision="round_trip")
        done = csv[csv["status"] == "done"].copy()
        keys = ["network.rank", "training.optimiser.learning_rate"]
        expected = done.groupby(keys)[METRIC].agg(["mean", "std", "size"]).sort_values("mean", ascending=False)
        with xarray.open_dataset(self.here / "table.h5", engine="h5netcdf", group="ranking") as data:
            ranking = data.to_dataframe()
        self.assertEqual([tuple(row) for row in ranking[keys].to_numpy()], list(expected.index))
        np.testing.assert_allclose(ranking[METRIC + "_mean"], expected["mean"], rtol=1e-14)
        np.testing.assert_allclose(ranking[METRIC + "_spread"], expected["std"], rtol=1e-9)
        self.assertEqual(list(ranking["values"]), list(expected["size"]))
        self.assertIn("validation_log_likelihood of the best case", self.collected.stdout)
        self.assertIn("epoch 9", self.collected.stdout)

    def test_a_promoted_case_resumes_bit_by_bit(self):
        csv = pandas.read_csv(self.here / "table.csv", float_precision="round_trip")
        self.assertEqual(set(csv["epochs"][csv["status"] == "done"]), {9})
        self.assertTrue(set(csv["epochs"][csv["status"] == "halted"]) <= {1, 3})
        self.assertGreaterEqual((csv["status"] == "halted").sum(), 8)
        one = csv[csv["status"] == "done"].iloc[0]
        self.assertGreaterEqual(one["sessions"], 3)
        case = (self.here / "study" / one["result"]).parent
        run("fit", "vsmc", case / "config.toml", "-o", "straight.h5", cwd=self.here)
        with h5py.File(case / "result.h5") as paused, h5py.File(self.here / "straight.h5") as straight:
            for name in ("model/best", "model/last", "training/validation_log_likelihood", "training/gradient_norm"):
                self.assertTrue(np.array_equal(paused[name][:], straight[name][:], equal_nan=True), name)
        with h5py.File(self.here / "straight.h5") as straight:
            other = csv[(csv["status"] == "done") & (csv["id"] != one["id"])].iloc[0]
            with h5py.File(self.here / "study" / other["result"]) as file:
                self.assertFalse(np.array_equal(straight["training/validation_log_likelihood"][:],
                                                file["training/validation_log_likelihood"][:], equal_nan=True))

    def test_halted_cases_say_what_they_were_worth(self):
        csv = pandas.read_csv(self.here / "table.csv")
        for _, row in csv[csv["status"] == "halted"].iterrows():
            said = re.fullmatch(rf"ended early, others did better: {METRIC} (\S+) after (\d+) epochs", row["message"])
            self.assertIsNotNone(said, row["message"])
            self.assertEqual(int(said[2]), row["epochs"])
            self.assertAlmostEqual(float(said[1]), row[METRIC], delta=1e-5 * abs(row[METRIC]))

    def test_collect_spares_what_is_no_table(self):
        def collect(output, expect=2):
            return run("sweep", "collect", "study", "-o", output, expect=expect, cwd=self.here).stderr
        before = (self.here / "data.h5").read_bytes()
        said = collect("data.h5")
        self.assertIn("is a recording file, expected a sweep file; give -o another name", said)
        self.assertEqual((self.here / "data.h5").read_bytes(), before)
        (self.here / "letter.txt").write_text("dear")
        self.assertIn("is not replaced", collect("letter.txt"))
        self.assertEqual((self.here / "letter.txt").read_text(), "dear")
        self.assertIn("give -o other.h5", collect("other.csv"))
        self.assertFalse((self.here / "other.csv").exists())
        collect("table.h5", expect=0)

    def test_reports_are_stored_in_order(self):
        reports = sorted((self.here / "study" / "halving").iterdir())
        self.assertEqual([int(path.name) for path in reports], list(range(1, len(reports) + 1)))
        self.assertGreaterEqual(len(reports), 16)


class Mistakes(unittest.TestCase):
    def test_directories_that_are_no_sweep(self):
        with tempfile.TemporaryDirectory() as here:
            for command in ("status", "collect"):
                said = run("sweep", command, here, expect=2).stderr
                self.assertIn("holds no sweep: there is no plan.toml", said)

    def test_a_sweep_file_is_checked_before_anything_runs(self):
        with tempfile.TemporaryDirectory() as here:
            path = pathlib.Path(here)
            (path / "base.toml").write_text("[data]\nfile = 'none.h5'\n")
            (path / "sweep.toml").write_text("[sweep]\nbase = 'base.toml'\n[sweep.grid]\n'network.rnak' = [1]\n")
            for command in ("plan", "run"):
                said = run("sweep", command, "sweep.toml", expect=2, cwd=path).stderr
                self.assertIn("Did you mean 'network.rank'?", said)
            (path / "sweep.toml").write_text("[sweep]\nbase = 'base.toml'\n")
            said = run("sweep", "plan", "sweep.toml", expect=None, cwd=path)
            self.assertIn(said.returncode, (2, 3, 5))
            self.assertIn("none.h5", said.stderr)
            self.assertIn("while looking at the case with", said.stderr)
            self.assertEqual(sorted(p.name for p in path.iterdir()), ["base.toml", "sweep.toml"])


main()
