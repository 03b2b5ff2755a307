"""Filters from outside: the same bits on any number of ranks, and what they say fits together."""
import pathlib
import unittest

import h5py
import numpy as np
from support import differences, folder, in_parallel, main, provenance, run

FIT = """
[data]
file = "data.h5"
exclude_channels = [2]
[network]
neurons = 30
rank = 2
[observation]
kind = "{kind}"
[smc]
particles = 8
proposal = "{proposal}"
[encoder]
kernels = [5]
[training]
epochs = 40
steps_per_epoch = 10
batch_trials = 4
window = 30
[training.optimiser]
learning_rate = 0.02
"""
STEPS = np.array([60, 45, 60, 60, 30, 60, 60])


def prepare(here, kind, proposal):
    rng = np.random.default_rng(7)
    phase = rng.uniform(0, 2 * np.pi, (7, 1)) + 0.15 * np.arange(60)
    drive = np.stack([np.cos(phase), np.sin(phase)], axis=2) @ rng.normal(size=(2, 6))
    with h5py.File(here / "data.h5", "w") as file:
        group = file.create_group("recording")
        group["observations"] = rng.poisson(np.exp(drive - 0.5)) if kind == "poisson" else drive + 0.2 * rng.normal(
            size=drive.shape)
        group["mask"] = (np.arange(60) < STEPS[:, None]).astype("u1")
        group.attrs["bin_width_s"] = 0.02
        group.attrs["observation_kind"] = kind
    config = here / "fit.toml"
    config.write_text(FIT.format(kind=kind, proposal=proposal))
    run("fit", "vsmc", config, "-o", here / "fit.h5")


def r_squared(x, predicted):
    both = ~np.isnan(x) & ~np.isnan(predicted)
    mean = np.array([x[..., d][both[..., d]].mean() for d in range(x.shape[2])])
    return 1 - np.sum((x - predicted)[both] ** 2) / np.sum((x - mean)[both] ** 2)


def bits_per_spike(x, rates):
    """Over each channel's mean count."""
    both = ~np.isnan(x) & ~np.isnan(rates)
    mean = np.broadcast_to(np.nanmean(x, axis=(0, 1)), x.shape)[both]
    y, rate = x[both], rates[both]
    return np.sum(y * np.log(rate / mean) - rate + mean) / (np.log(2) * y.sum())


class Filter(unittest.TestCase):
    def check_ranks(self, here, name, settings):
        sets = [word for setting in settings for word in ("--set", setting)]
        for ranks in (1, 2, 3, 4):
            run("filter", here / "fit.h5", here / "data.h5", "-o", here / f"{name}-{ranks}.h5", *sets, ranks=ranks)
            self.assertEqual(ranks, provenance(here / f"{name}-{ranks}.h5")["ranks"])
            self.assertEqual([], differences(here / f"{name}-1.h5", here / f"{name}-{ranks}.h5"), f"{name}, {ranks}")
        run("filter", here / "fit.h5", here / "data.h5", "-o", here / f"{name}-0.h5", *sets, "--set", "filter.seed=2")
        changed = differences(here / f"{name}-1.h5", here / f"{name}-0.h5")
        self.assertIn("/filter/log_likelihood", changed)
        self.assertIn("/filter/latent_mean", changed)

    def test_ranks(self):
        for kind, proposal in (("gaussian", "optimal"), ("poisson", "encoder")):
            with folder() as name:
                here = pathlib.Path(name)
                prepare(here, kind, proposal)
                in_parallel([
                    lambda: self.check_ranks(here, "small", ["smc.particles=7", "filter.batch_trials=3",
                                                             "filter.smoothing=genealogy", "filter.forecast=[0, 1, 5]"]),
                    lambda: self.check_ranks(here, "large", ["smc.particles=400", "filter.smoothing=backward",
                                                             "filter.trajectories=3", "filter.precision=single"]),
                    lambda: self.check_ranks(here, "bootstrap", ["smc.particles=130", "smc.proposal=bootstrap",
                                                                 "smc.resampling=residual", "filter.parameters=last"]),
                ])

    def test_what_it_says(self):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here, "gaussian", "optimal")
            run("filter", here / "fit.h5", here / "data.h5", "--particles", 2000, "-o", here / "filtered.h5",
                "--set", "filter.forecast=[0, 1, 3]", "--set", "filter.batch_trials=5",
                "--set", "filter.smoothing=genealogy")
            # By default what was fitted is filtered, as it was fitted.
            run("filter", here / "fit.h5", "-o", here / "default.h5", cwd=here)
            with h5py.File(here / "filtered.h5") as file, h5py.File(here / "fit.h5") as fit:
                group, weights, bias = file["filter"], fit["observation/weights"][...], fit["observation/bias"][...]
                self.assertEqual(2000, group.attrs["particles"])
                seen = group["observed"][...] == 1
                np.testing.assert_array_equal(np.arange(60) < STEPS[:, None], seen)
                np.testing.assert_array_equal([0, 1, 3, 4, 5], group["channel_number"][...])
                forecast, mean = group["forecast"][...], group["latent_mean"][...]
                # The mean of an affine observation is that of the mean state; sums of 2000 terms in another order.
                np.testing.assert_allclose(mean @ weights.T + bias, forecast[0], rtol=0, atol=1e-11)
                for row, horizon in enumerate(group["horizon"][...].astype(int)):
                    np.testing.assert_array_equal(np.isnan(forecast[row]).all(axis=(0, 2)), np.arange(60) < horizon)
                covariance = group["latent_covariance"][...]
                np.testing.assert_allclose(covariance, np.swapaxes(covariance, 2, 3), rtol=0, atol=1e-15)
                self.assertGreater(np.linalg.eigvalsh(covariance).min(), 0)
                smoothed = np.trace(file["smoothed/latent_covariance"][...], axis1=2, axis2=3)[seen].mean()
                self.assertLess(smoothed, np.trace(covariance, axis1=2, axis2=3)[seen].mean())
                # Later data tell nothing about the last step.
                np.testing.assert_allclose(file["smoothed/latent_mean"][0, -1], mean[0, -1], rtol=0, atol=1e-12)
                with h5py.File(here / "data.h5") as data:
                    x = np.delete(data["recording/observations"][...], 2, axis=2)
                errors = [np.mean((forecast[row] - x)[:, 10:][seen[:, 10:]] ** 2) for row in range(3)]
                self.assertLess(errors[0], errors[1])
                self.assertLess(errors[1], errors[2])
                self.assertLess(errors[1], 0.2 * np.var(x))
                per_step = group["log_likelihood"][...][seen].mean()
                self.assertAlmostEqual(per_step, group.attrs["log_likelihood_per_step"], places=12)
                with h5py.File(here / "default.h5") as default:
                    self.assertEqual(8, default["filter"].attrs["particles"])
                    self.assertAlmostEqual(per_step, default["filter"].attrs["log_likelihood_per_step"], delta=0.2)

    def test_held_out_channels(self):
        """A channel that the filter does not see is told from the others."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here, "gaussian", "optimal")
            run("filter", here / "fit.h5", here / "data.h5", "--particles", 200, "-o", here / "filtered.h5",
                "--set", "filter.forecast=[0]", "--set", "filter.held_out=[3]")
            with h5py.File(here / "filtered.h5") as file, h5py.File(here / "data.h5") as data:
                x = data["recording/observations"][..., 3]
                told = file["filter/forecast"][0, :, :, 2]  # channel 2 was not fitted
                seen = file["filter/observed"][...] == 1
                self.assertLess(np.mean((told - x)[seen] ** 2), 0.2 * np.var(x[seen]))
                other = file["filter/forecast"][0, :, :, 3]
                error = np.mean((told - x)[seen] ** 2)
                self.assertGreater(np.mean((other - x)[seen] ** 2), 3 * error, "control: another channel")

    def test_evaluation_scores_forecasts(self):
        """What `evaluate` says of a fit's forecasts is what numpy makes of those that `filter` writes."""
        for kind, proposal, score in (("gaussian", "optimal", "r_squared"), ("poisson", "encoder", "bits_per_spike")):
            with folder() as name, self.subTest(kind):
                here = pathlib.Path(name)
                prepare(here, kind, proposal)
                run("filter", here / "fit.h5", "-o", here / "ahead.h5", "--set", "filter.forecast=[1, 3]", cwd=here)
                run("filter", here / "fit.h5", "-o", here / "hidden.h5", "--set", "filter.forecast=[0]", "--set",
                    "filter.held_out=[3]", cwd=here)
                for ranks in (1, 2):
                    run("evaluate", here / "fit.h5", "-o", here / f"scores-{ranks}.h5", "--set",
                        "evaluate.forecast=[1, 3]", "--set", "evaluate.held_out=[3]", cwd=here, ranks=ranks)
                self.assertEqual([], differences(here / "scores-1.h5", here / "scores-2.h5"))
                with h5py.File(here / "data.h5") as data:
                    x = np.delete(data["recording/observations"][...].astype(float), 2, axis=2)
                x[np.arange(60) >= STEPS[:, None]] = np.nan
                with h5py.File(here / "ahead.h5") as ahead, h5py.File(here / "hidden.h5") as hidden:
                    forecasts = ahead["filter/forecast"][...]
                    told = hidden["filter/forecast"][0, :, :, 2:3]  # channel 2 was not fitted
                with h5py.File(here / "scores-1.h5") as file:
                    found = {key: file[f"evaluation/{key}_{score}"][0] for key in ("forecast_1", "forecast_3",
                                                                                   "held_out")}
                of = r_squared if kind == "gaussian" else bits_per_spike
                self.assertAlmostEqual(found["forecast_1"], of(x, forecasts[0]), places=10)
                self.assertAlmostEqual(found["forecast_3"], of(x, forecasts[1]), places=10)
                self.assertAlmostEqual(found["held_out"], of(x[:, :, 2:3], told), places=10)
                self.assertGreater(found["forecast_1"], found["forecast_3"])
                self.assertGreater(found["held_out"], 0)
                self.assertNotAlmostEqual(found["held_out"], of(x[:, :, 3:4], told), places=2, msg="another channel")

    def test_mistakes(self):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here, "gaussian", "optimal")
            with h5py.File(here / "data.h5") as file, h5py.File(here / "narrow.h5", "w") as narrow:
                narrow["x"] = file["recording/observations"][..., :4]
                narrow["all"] = file["recording/observations"][...]
                narrow["u"] = np.zeros((7, 60, 1))
            for arguments, code, fragments in (
                    ([here / "data.h5", "--set", "data.exclude_channels=[]"], 3, ["6 channel(s)", "fitted to 5"]),
                    ([f"{here}/narrow.h5:/x"], 3, ["3 channel(s)", "fitted to 5", "data.channels"]),
                    ([f"{here}/narrow.h5:/all", "--set", "data.bin_width=0.01"], 3, ["0.01 s", "0.02 s"]),
                    ([f"{here}/narrow.h5:/all", "--set", f'data.inputs="{here}/narrow.h5:/u"'], 3, ["1 input(s)", "0"]),
                    ([here / "nowhere.h5"], 3, ["nowhere.h5", "does not exist"]),
                    ([here / "data.h5", "--set", "filter.held_out=[2]"], 2, ["filter.held_out", "channel 2", "5"]),
                    ([here / "data.h5", "--set", "smc.proposal=encoder"], 2, ["has no encoder", "bootstrap"]),
                    ([here / "data.h5", "--set", "filter.forecast=[3, 1]"], 2, ["filter.forecast", "ascend"]),
                    ([here / "data.h5", "--particles", "many"], 2, ["smc.particles", "many"]),
                    ([here / "data.h5", "--set", "smc.particle=5"], 2, ["smc.particle", "particles"]),
                    ([here / "data.h5", "--set", "filter.smoothing=backward", "--set", "filter.history_limit=1e-9"], 2,
                     ["GiB", "are allowed"]),
            ):
                done = run("filter", here / "fit.h5", *arguments, "-o", here / "out.h5", expect=code)
                for fragment in fragments:
                    self.assertIn(fragment, done.stderr)
                self.assertNotIn("internal", done.stderr)
                self.assertFalse((here / "out.h5").exists())
            self.assertIn("expected 'fit'",
                          run("filter", here / "data.h5", "-o", here / "out.h5", expect=3).stderr)


main()
