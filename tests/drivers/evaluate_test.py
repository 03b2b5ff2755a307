"""`rankflow evaluate`: statistics as numpy computes them, a file that xarray opens, the same bits on 1 to 4 ranks, and
messages that tell what to do."""
import pathlib
import unittest

import h5py
import numpy as np
import xarray
from support import differences, folder, in_parallel, main, provenance, run

USAGE, DATA = 2, 3
BIN = 0.01


def write_recording(path, values, kind="gaussian", mask=None):
    with h5py.File(path, "w") as file:
        file["recording/observations"] = values
        if mask is not None:
            file["recording/mask"] = mask
        file["recording"].attrs["bin_width_s"] = BIN
        file["recording"].attrs["observation_kind"] = kind


def intervals(train):
    """Of one trial's counts: the c spikes of a bin lie evenly in it."""
    times = [t + (i + 0.5) / c for t, c in enumerate(train.astype(int)) for i in range(c)]
    return np.diff(times)


def interval_statistics(counts):
    """Mean in seconds and variation per channel."""
    pooled = [np.concatenate([intervals(trial[:, d]) for trial in counts]) for d in range(counts.shape[2])]
    return np.array([x.mean() * BIN for x in pooled]), np.array([x.std() / x.mean() for x in pooled])


class Evaluate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.here = pathlib.Path(cls.folder.name)
        rng = np.random.default_rng(5)
        rates = rng.uniform(0.1, 1.5, size=4)
        cls.counts = rng.poisson(rates, size=(6, 200, 4)).astype(float)
        cls.other = rng.poisson(rates[::-1], size=(6, 200, 4)).astype(float)
        write_recording(cls.here / "counts.h5", cls.counts, "poisson")
        write_recording(cls.here / "other.h5", cls.other, "poisson")
        common = rng.normal(size=(1, 500, 1))
        cls.signal = rng.normal(size=(1, 500, 3)) + common * [1, 2, 3]
        cls.model = rng.normal(size=(2, 500, 3)) + 0.5
        write_recording(cls.here / "signal.h5", cls.signal)
        write_recording(cls.here / "model.h5", cls.model)

    def evaluate(self, generated, data, *arguments, ranks=0, expect=0):
        return run("evaluate", self.here / generated, self.here / data, *arguments, ranks=ranks, expect=expect)

    def test_counts_as_numpy_sees_them(self):
        done = self.evaluate("other.h5", "counts.h5", "-o", self.here / "spikes.h5")
        self.assertIn("6 generated trials compared with the data, all together\n", done.stdout)
        found = xarray.open_dataset(self.here / "spikes.h5", engine="h5netcdf", group="evaluation")
        self.assertEqual(found.attrs["observation_kind"], "poisson")
        self.assertEqual(found.interval_mean_data.dims, ("channel",))
        self.assertEqual(found.interval_mean_data.attrs["units"], "s")
        for side, counts in (("data", self.counts), ("generated", self.other)):
            mean, cv = interval_statistics(counts)
            rows = counts.reshape(-1, 4)
            for name, expected in (("interval_mean", mean), ("interval_cv", cv), ("rate", rows.mean(axis=0) / BIN),
                                   ("fano", rows.var(axis=0) / rows.mean(axis=0)), ("correlation", np.corrcoef(rows.T))):
                np.testing.assert_allclose(found[f"{name}_{side}"], expected, rtol=0, atol=1e-12 * np.max(expected))
        rates = [x.reshape(-1, 4).mean(axis=0) for x in (self.counts, self.other)]
        self.assertAlmostEqual(found.rate_correlation.item(), np.corrcoef(rates)[0, 1], 12)
        self.assertAlmostEqual(found.rate_error.item(),
                               np.linalg.norm(rates[1] - rates[0]) / np.linalg.norm(rates[0]), 12)

    def test_values_as_numpy_sees_them(self):
        self.evaluate("model.h5", "signal.h5", "-o", self.here / "values.h5", "--set", "evaluate.scaling=none")
        found = xarray.open_dataset(self.here / "values.h5", engine="h5netcdf", group="evaluation")
        self.assertEqual(found.state_divergence.dims, ("series",))
        shift = (self.model.mean(axis=1) - self.signal[0].mean(axis=0)) / self.signal[0].std(axis=0)
        np.testing.assert_allclose(found.mean_error, np.sqrt((shift**2).mean(axis=1)), rtol=1e-12)
        # Points of another generator: both estimates have a standard error.
        rng = np.random.default_rng(1)
        points = self.signal[0][rng.integers(500, size=4000)] + rng.normal(size=(4000, 3))
        logs = [np.log(np.mean(np.exp(-((points[:, None] - x) ** 2).sum(axis=2) / 2), axis=1))
                for x in (self.signal[0], self.model[0])]
        ratio = logs[0] - logs[1]
        error = np.hypot(ratio.std() / np.sqrt(4000), found.state_divergence_error[0].item())
        self.assertLess(abs(found.state_divergence_complete[0].item() - ratio.mean()), 4.5 * error)
        np.testing.assert_allclose(found.frequency, np.arange(250) / (500 * BIN), rtol=1e-12)

    def test_masked_times_drop_out(self):
        mask = np.ones((6, 200), dtype=np.uint8)
        mask[:, 150:] = 0
        holed = self.counts.copy()
        holed[:, 150:] = 77
        write_recording(self.here / "holed.h5", holed, "poisson", mask)
        write_recording(self.here / "cut.h5", self.counts[:, :150], "poisson")
        write_recording(self.here / "unmasked.h5", holed, "poisson")
        for name in ("holed", "cut", "unmasked"):
            self.evaluate("other.h5", f"{name}.h5", "-o", self.here / f"of_{name}.h5")
        with h5py.File(self.here / "of_holed.h5") as one, h5py.File(self.here / "of_cut.h5") as other:
            for name in ("rate_data", "interval_cv_data"):
                np.testing.assert_array_equal(one["evaluation"][name], other["evaluation"][name])
        self.assertIn("/evaluation/rate_data", differences(self.here / "of_unmasked.h5", self.here / "of_cut.h5"))

    def test_bits_do_not_depend_on_ranks(self):
        for data, generated in (("signal.h5", "model.h5"), ("counts.h5", "other.h5")):
            def job(ranks):
                return lambda: self.evaluate(generated, data, "-o", self.here / f"{ranks}_{data}", ranks=ranks)
            in_parallel([job(ranks) for ranks in (1, 2, 3, 4)])
            for ranks in (2, 3, 4):
                self.assertEqual(provenance(self.here / f"{ranks}_{data}")["ranks"], ranks)
                self.assertEqual(differences(self.here / f"1_{data}", self.here / f"{ranks}_{data}"), [])
        self.evaluate("model.h5", "signal.h5", "-o", self.here / "seed.h5", "--set", "evaluate.seed=2")
        changed = differences(self.here / "1_signal.h5", self.here / "seed.h5")
        self.assertIn("/evaluation/state_divergence", changed)
        self.assertNotIn("/evaluation/spectrum_distance", changed)

    def test_observations_of_any_hdf5_file(self):
        with h5py.File(self.here / "foreign.h5", "w") as file:
            file["eeg/signal"] = self.signal
        sets = ("--set", "data.bin_width=0.01", "-o")
        self.evaluate("model.h5", "foreign.h5:/eeg/signal", *sets, self.here / "foreign_out.h5")
        self.evaluate("model.h5", "signal.h5", "-o", self.here / "own_out.h5")
        self.assertEqual(differences(self.here / "foreign_out.h5", self.here / "own_out.h5"), [])

    def refuses(self, generated, data, arguments, code, *words):
        message = self.evaluate(generated, data, *arguments, expect=code).stderr
        for word in words:
            self.assertIn(word, message)

    def test_a_fit_leaves_nothing_behind(self):
        """What it generates on the way takes no place of the user's."""
        own = self.here / "fitted"
        own.mkdir()
        (own / "fit.toml").write_text(f'[data]\nfile = "{self.here}/signal.h5"\n[network]\nneurons = 16\n'
                                      '[smc]\nparticles = 4\n[training]\nepochs = 1\nbatch_trials = 1\nvalidation_fraction = 0.0\n')
        run("fit", "vsmc", own / "fit.toml", "-o", own / "fit.h5")
        for name in ("fit.generated.h5", "table.generated.h5"):
            (own / name).write_text("kept")
        before = sorted(path.name for path in own.iterdir())
        for ranks in (0, 2):
            self.evaluate("fitted/fit.h5", "signal.h5", ranks=ranks)
            self.assertEqual(before, sorted(path.name for path in own.iterdir()))
        self.evaluate("fitted/fit.h5", "signal.h5", "-o", own / "table.h5")
        self.assertEqual(sorted([*before, "table.h5"]), sorted(path.name for path in own.iterdir()))
        self.assertEqual("kept", (own / "fit.generated.h5").read_text())

    def test_observations_of_numpy(self):
        np.save(self.here / "signal.npy", self.signal)
        np.savez(self.here / "signal.npz", x=self.signal)
        expected = self.evaluate("model.h5", "signal.h5").stdout
        for data in ("signal.npy", "signal.npz:x"):
            self.assertEqual(expected, self.evaluate("model.h5", data, "--set", "data.bin_width=0.01").stdout)
        self.refuses("model.h5", "signal.npy", (), USAGE, "data.bin_width")
        self.refuses("signal.npy", "signal.h5", (), DATA, "signal.npy")

    def test_mistakes(self):
        with h5py.File(self.here / "empty.h5", "w") as file:
            file["trajectory/latent"] = np.zeros((1, 4, 2))
        flat = self.model.copy()
        flat[1, :, 2] = 0.25
        write_recording(self.here / "flat.h5", flat)
        for generated, data, arguments, code, *words in (
                ("empty.h5", "signal.h5", (), DATA, "holds no generated observations", "/trajectory/latent"),
                ("missing.h5", "signal.h5", (), DATA, "missing.h5"),
                ("other.h5", "signal.h5", (), DATA, "the data have 3 channel(s), the generated series 4",
                 "data.channels"),
                ("flat.h5", "signal.h5", (), DATA, "channel 2 of the generated series is constant",
                 "evaluate.scaling"),
                ("model.h5", "signal.h5", ("--set", "evaluate.discard=499"), USAGE, "evaluate.discard is 499",
                 "500 steps"),
                ("model.h5", "signal.h5", ("--set", "evaluate.sample=9"), USAGE, "sample", "Did you mean", "samples"),
                ("model.h5", "signal.h5", ("--set", "data.channels=[3]"), USAGE, "channel 3 does not exist"),
                ("other.h5", "counts.h5", ("--set", "evaluate.kind=poisson", "--set", "evaluate.smoothing=hann15"),
                 USAGE, "evaluate.smoothing", "counts"),
                ("model.h5", "signal.h5", ("--set", "evaluate.kind=poisson"), DATA, "needs counts")):
            with self.subTest(words=words):
                self.refuses(generated, data, arguments, code, *words)


main()
