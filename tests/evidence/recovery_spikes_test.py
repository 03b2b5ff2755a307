"""Student and teacher, Poisson data: the published oscillating teacher of Pals et al. 2024, 40 neurons, 400 trials of
200 steps (data/published/student_teacher_poisson_seed0.h5). The fit's own spikes have the teacher's rates and
inter-spike intervals, and its latents turn with the teacher's period."""
import h5py
import numpy as np

from recovery import FULL, SEEDS, FitCase, held_out_score, mean_period, periods, plane, report
from support import main, shared

FIT = {
    "network": {"neurons": 40, "rank": 2, "activation": "relu"},
    "observation": {"kind": "poisson", "source": "currents"},
    "smc": {"particles": 32},
    "encoder": {"kernels": [21, 11, 1], "channels": 32},
    "training": {"epochs": 16, "steps_per_epoch": 50, "batch_trials": 20, "window": 60,
                 "validation_fraction": 0.1, "validation_every": 4,
                 "optimiser": {"kind": "adam", "learning_rate": 1e-2, "final_learning_rate": 1e-4,
                               "schedule": "cosine", "clip_norm": 3.0}},
}
# Steps left out of every comparison: where trials begin differs between teacher and fit, and is forgotten on the limit
# cycle within a revolution.
SETTLED = 50


def statistics(counts):
    """Per neuron of counts [trial, time, neuron]: mean count, mean interval in steps, coefficient of variation of the
    intervals (spikes of one bin count once)."""
    interval, variation = [], []
    for neuron in np.moveaxis(counts, 2, 0):
        gaps = np.concatenate([np.diff(np.flatnonzero(trial)) for trial in neuron])
        interval.append(gaps.mean())
        variation.append(gaps.std() / gaps.mean())
    return np.stack([counts.mean(axis=(0, 1)), interval, variation])


class Spikes(FitCase):
    def setUp(self):
        super().setUp()
        self.path = shared("published", "student_teacher_poisson_seed0.h5")
        with h5py.File(self.path, "r") as file:
            self.counts = np.moveaxis(file["counts"][...].astype(float), 1, 2)
            self.latents = np.moveaxis(file["latents"][...], 1, 2)

    def compare(self, seed, *changes):
        """Of a fit's own 400 trials: relative error of the rates, the mean intervals and their variation (median over
        neurons), error of the period, and the held-out likelihood."""
        fit = self.fit(FIT, {"run": {"seed": seed}, "data": {
            "observations": f"{self.path}:/counts", "axes": "trial channel time", "bin_width": 0.01}}, *changes)
        run = self.generated(fit, seed=seed + 100, trials=400, duration=1.99)
        found = statistics(run["/trajectory/observations"][:, SETTLED:])
        errors = np.median(np.abs(found / statistics(self.counts[:, SETTLED:]) - 1), axis=1)
        own = run.latent[:, SETTLED:]
        turn = abs(mean_period(periods(own, plane(own), 1.0)))
        return np.array([*errors, abs(turn / self.period() - 1), held_out_score(fit)])

    def period(self):
        latents = self.latents[:, SETTLED:]
        return abs(mean_period(periods(latents, plane(latents), 1.0)))

    def period_error(self):
        """Relative standard error of the teacher's period over its trials."""
        latents = self.latents[:, SETTLED:]
        rates = 1 / periods(latents, plane(latents), 1.0)
        return np.std(rates) / abs(np.mean(rates)) / np.sqrt(len(rates))

    def floor(self):
        """Errors of the same statistics between two halves of the teacher's own trials, a fit's error being that of a
        finite sample at best."""
        halves = [statistics(self.counts[k::2, SETTLED:]) for k in (0, 1)]
        return np.median(np.abs(halves[0] / halves[1] - 1), axis=1)

    def check(self, proposal, share, changes):
        """An untrained network's errors times `share` are allowed; for the period four standard errors of the teacher's
        own trials plus one step in a revolution of 50."""
        floor = self.floor()
        change = {"smc": {"proposal": proposal}, **changes}
        untrained = self.compare(1, change, {"training": {"epochs": 0}})
        limits = (*untrained[:3] * share, 4 * self.period_error() + 0.02)
        results = np.array([self.compare(seed, change) for seed in SEEDS])
        self.saw("teacher's period, steps", self.period())
        for k, name in enumerate(("mean rates", "mean intervals", "variation of intervals", "period")):
            own = f"; teacher's halves {floor[k]:.3f}" if k < 3 else ""
            report(self, f"{proposal}: relative error of {name} (untrained {untrained[k]:.3f}{own})", results[:, k],
                   f"{limits[k]:.3f}")
        report(self, f"held-out log-likelihood per step (untrained {untrained[4]:.3f})", results[:, 4])
        for k, limit in enumerate(limits):
            self.assertLess(np.median(results[:, k]), limit)
        self.assertGreater(untrained[3], 2 * limits[3])
        self.assertGreater(np.min(results[:, 4]), untrained[4] + 1)

    def test_bootstrap_proposal(self):
        # Bounded rates: a ReLU network may escape to infinity after the 60 steps of a window (docs/evidence-fits.md).
        self.check("bootstrap", 1 / 8, {"network": {"activation": "clipped_relu"}})

    def test_encoder_proposal(self):
        # The encoder has to be learned beside the network: after 16 epochs rates are still an eighth too low, after 48 no
        # longer (docs/evidence-fits.md).
        if FULL:
            self.check("encoder", 1 / 8, {"training": {"epochs": 48}})
        else:
            self.check("encoder", 1 / 3, {})


if __name__ == "__main__":
    main()
