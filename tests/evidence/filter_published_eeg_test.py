"""A published EEG network through `rankflow fit vsmc` (no training) and `rankflow filter`: its likelihood is that of the
published filter, step by step and over the whole recording; forecasts and smoothed latents are what they should be."""
import subprocess

import h5py
import numpy as np
from support import PROGRAM, Case, Run, main, shared

NETWORK = shared("published", "eeg_rank3_published_1.h5")
CHECK = shared("published", "eeg_rank3_published_1_filter_check.h5")
EEG = shared("eeg_schalk_S001R01.h5")
STEPS = 50


def parameters():
    """The [parameters] table: arrays straight from the published file."""
    plain = {"m": "m", "bias": "h", "initial_mean": "z0_mean", "transition_cholesky": "chol_Sigma_z",
             "initial_cholesky": "chol_Sigma_z0", "observation_bias": "bias", "observation_variance": "var_x"}
    turned = {"n": "n", "observation_weights": "B"}
    lines = [f'{key} = "{NETWORK}:/{name}"' for key, name in plain.items()]
    lines += [f'{key} = {{ file = "{NETWORK}:/{name}", transpose = true }}' for key, name in turned.items()]
    return "\n".join(lines)


class FilterOfPublishedEeg(Case):
    def setUp(self):
        super().setUp()
        with h5py.File(NETWORK) as file:
            self.decay = float(file["decay"][()])
        with h5py.File(CHECK) as file:
            self.samples = file["x"][...].astype(np.float64)

    def call(self, *arguments):
        done = subprocess.run([PROGRAM, "-q", *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}\n{done.stderr}")

    def fit(self, observations, decay=None):
        """A fit file of the published parameters: training for 0 epochs."""
        config = self.folder / "published.toml"
        output = self.folder / "published.h5"
        config.write_text(f"""
[run]
seed = 1
[data]
observations = "{observations}"
bin_width = 0.00625
[network]
neurons = 512
rank = 3
activation = "clipped_relu"
decay = {decay or self.decay!r}
[parameters]
{parameters()}
[smc]
particles = 10
[training]
epochs = 0
batch_trials = 1
validation_fraction = 0.0
""")
        self.call("fit", "vsmc", config, "-o", output)
        return output

    def filter(self, fit, **settings):
        self._runs += 1
        output = self.folder / f"filtered_{self._runs}.h5"
        sets = [item for key, value in settings.items() for item in ("--set", f"{key.replace('__', '.')}={value}")]
        self.call("filter", fit, "-o", output, *sets)
        return Run(output)

    def per_step(self, fit, particles):
        run = self.filter(fit, smc__particles=particles, filter__precision='"single"', filter__batch_trials=100)
        return run["/filter/log_likelihood"]

    def test_likelihood_of_the_first_samples(self):
        """100 filters of the same 50 samples: trials have random numbers of their own."""
        runs = 100
        fit = self.fit(self.array(np.repeat(self.samples[None], runs, axis=0)))
        for particles, name in ((10, "optimal_K10_200runs"), (1000, "optimal_K1000_100runs")):
            with h5py.File(CHECK) as file:
                published = file[name]["loglik_per_step_avg"][...].astype(np.float64)
            found = self.per_step(fit, particles)
            # log p(x(0)) is exact; single precision adds 64 terms of about 100.
            np.testing.assert_allclose(found[:, 0], -30.747009374549464, atol=1e-4)
            averages = found.mean(axis=1)
            error = np.hypot(averages.std(ddof=1) / runs**0.5, published.std(ddof=1) / len(published) ** 0.5)
            z = (averages.mean() - published.mean()) / error
            ratio = np.log(averages.std(ddof=1) / published.std(ddof=1)) / np.sqrt(0.5 / runs + 0.5 / len(published))
            self.saw(f"log-likelihood per step, K = {particles}", f"{averages.mean():.4f}",
                     f"{published.mean():.4f}, z below 4")
            self.saw("  z of the mean, and of the spread", f"{z:.2f}, {ratio:.2f}")
            self.assertLess(abs(z), 4)
            self.assertLess(abs(ratio), 4)
        other = self.per_step(self.fit(self.array(np.repeat(self.samples[None], runs, axis=0)), decay=0.5), 10)
        self.assertGreater(abs(other.mean() - published.mean()), 0.1, "another decay must be told apart")

    def test_likelihood_of_the_whole_recording(self):
        """Published figure, rounded to three digits after the point: -15.944. One filter of 9640 steps scatters by
        0.0007 (50 / 9640)^(1/2)."""
        run = self.filter(self.fit(f"{EEG}:/signal"), smc__particles=1000, filter__forecast="[0, 1, 5]",
                          filter__precision='"single"')
        per_step = run["/filter/log_likelihood"].mean()
        self.saw("log-likelihood per step of the whole recording", f"{per_step:.4f}", "-15.944 +- 0.0008")
        self.assertLess(abs(per_step + 15.944), 5e-4 + 4 * 0.0007 * (50 / 9640) ** 0.5)

        with h5py.File(EEG) as file:
            signal = file["signal"][...].astype(np.float64)
        forecast = run["/filter/forecast"]
        explained = [1 - np.nansum((signal - f) ** 2) / np.sum(((signal - signal.mean(axis=1)) ** 2)[~np.isnan(f)])
                     for f in forecast]
        self.saw("R^2 given the sample itself, 1 and 5 steps ahead", ", ".join(f"{r:.3f}" for r in explained))
        self.assertEqual([int(np.isnan(f[0, :, 0]).sum()) for f in forecast], [0, 1, 5])
        self.assertGreater(explained[0], explained[1])
        self.assertGreater(explained[1], explained[2])
        # Three principal components hold 89 % of the variance: latents cannot give more, and a fit is not much worse.
        self.assertLess(explained[0], 0.9)
        self.assertGreater(explained[0], 0.75)

    def test_smoothed_latents_explain_the_data_of_a_gap(self):
        """Samples 20 to 24 are hidden: given all data the latents there must predict them better than those given the
        past alone, by genealogy and by backward simulation alike."""
        hidden = slice(20, 25)
        gap = np.repeat(self.samples[None], 20, axis=0)
        gap[:, hidden] = np.nan
        fit = self.fit(self.array(gap))
        with h5py.File(NETWORK) as file:
            readout, bias = file["B"][...].astype(np.float64), file["bias"][...].astype(np.float64)

        def error(latent):
            """Of the mean over the trials, which are filters of the same data: little Monte Carlo error is left."""
            return np.mean((latent.mean(axis=0)[hidden] @ readout + bias - self.samples[hidden]) ** 2)

        genealogy = self.filter(fit, smc__particles=2000, filter__smoothing='"genealogy"')
        drawn = self.filter(fit, smc__particles=300, filter__smoothing='"backward"', filter__trajectories=50)
        past = error(genealogy["/filter/latent_mean"])
        by_genealogy = error(genealogy["/smoothed/latent_mean"])
        backward = error(drawn["/smoothed/trajectories"].mean(axis=1))
        self.saw("mean squared error in the gap: past, genealogy, backward",
                 f"{past:.4f}, {by_genealogy:.4f}, {backward:.4f}")
        self.assertLess(by_genealogy, 0.9 * past)
        # Two estimates of one mean: 1000 trajectories leave a thousandth of the latents' own variance, about the error.
        self.assertLess(abs(backward - by_genealogy), 0.02 * by_genealogy)


if __name__ == "__main__":
    main()
