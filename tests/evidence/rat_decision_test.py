"""A rat's frontal cortex and striatum during the accumulation of evidence (Luo et al. 2025, session X087 2021-08-03):
`examples/rat_decision.toml`, a rank-2 network with the clicks as inputs, fitted to four fifths of the trials, predicts the
spikes of the others better than the average time courses (PSTH) and than rank 1, and its latents tell the choice."""
from pathlib import Path

import h5py
import numpy as np

from recovery import FULL, SEEDS, FitCase, bootstrap_filter, held_out_score, report
from support import main, shared

EXAMPLE = Path(__file__).parents[2] / "examples" / "rat_decision.toml"


def log_likelihood(counts, mask, rate):
    """Without the factorials, which all models share."""
    return np.sum((counts * np.log(rate) - rate) * mask[:, :, None])


def time_course(counts, mask, width):
    """Mean count per step and neuron, smoothed by a Gaussian; half a step of the grand mean keeps it positive."""
    lags = np.arange(-60, 61)
    kernel = np.exp(-0.5 * (lags / width) ** 2)

    def smooth(rows):
        return np.apply_along_axis(lambda row: np.convolve(row, kernel)[60:-60], 0, rows)

    grand = counts.sum(axis=(0, 1)) / mask.sum()
    return (smooth(counts.sum(axis=0)) + 0.5 * grand) / (smooth(mask.sum(axis=0)[:, None]) + 0.5)


def discriminant(train, labels, test):
    """Fisher's linear discriminant with a little of the identity in the covariance; the classes of `test`."""
    means = [train[labels == c].mean(axis=0) for c in (0, 1)]
    centred = train - np.where(labels[:, None] == 1, means[1], means[0])
    covariance = centred.T @ centred / len(train)
    covariance += 1e-3 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    direction = np.linalg.solve(covariance, means[1] - means[0])
    share = np.log(np.mean(labels == 1) / np.mean(labels == 0))
    return ((test - (means[0] + means[1]) / 2) @ direction + share > 0).astype(int)


class Rat(FitCase):
    def setUp(self):
        super().setUp()
        self.path = shared("rat_luo2025_X087_2021_08_03.h5")
        with h5py.File(self.path, "r") as file:
            self.counts, self.mask, self.inputs = (file[name][...].astype(float) for name in
                                                   ("spikes", "mask", "inputs"))
            self.choice, self.steps = file["choice"][...], file["n_steps"][...]

    def fitted(self, seed, *sets):
        self._runs += 1
        output = self.folder / f"{self._runs}.h5"
        data = [f"data.{name}={self.path}:/{source}" for name, source in
                (("observations", "spikes"), ("inputs", "inputs"), ("n_steps", "n_steps"))]
        self.call("fit", "vsmc", EXAMPLE, "-o", output, *(f"--set={key}" for key in (*data, f"run.seed={seed}", *sets)))
        return output

    def filtered(self, fit, seed):
        """Log-likelihood of each trial and mean latents: 100 particles in numpy, whatever proposal the fit used."""
        return bootstrap_filter(fit, self.counts, self.mask, self.inputs, 100, seed)

    def averages(self, train, test):
        """Log-likelihoods of `test` under constant rates, the PSTH, and the PSTH of the trials with the same choice.
        The smoothing is the best one for the test trials themselves, which favours these models."""
        counts, mask = self.counts, self.mask
        constant = counts[train].sum(axis=(0, 1)) / mask[train].sum()
        widths = (1, 2, 4, 8, 16)
        best = max(log_likelihood(counts[test], mask[test], time_course(counts[train], mask[train], w)) for w in widths)
        by_choice = max(sum(log_likelihood(counts[test & c], mask[test & c], time_course(counts[train & c],
                                                                                     mask[train & c], w))
                            for c in (self.choice == 0, self.choice == 1)) for w in widths)
        return log_likelihood(counts[test], mask[test], constant), best, by_choice

    def last_latents(self, filtered):
        """Mean over the last 300 ms of every trial."""
        return np.stack([z[max(0, n - 30) : n].mean(axis=0) for z, n in zip(filtered, self.steps)])

    def compare(self, seed):
        fit = self.fitted(seed)
        with h5py.File(fit, "r") as file:
            test = file["/data/held_out"][...] == 1
            order = file["/data/trial_number"][...]
        self.assertTrue(np.array_equal(order, np.arange(len(test))))
        total, filtered = self.filtered(fit, seed)
        smaller = self.filtered(self.fitted(seed, "network.rank=1"), seed)[0]
        constant, psth, by_choice = self.averages(~test, test)
        counts = self.counts[test].astype(int)
        factorials = np.sum(np.array([0.0, *np.cumsum(np.log(np.arange(1, 40)))])[counts] * self.mask[test][:, :, None])
        own = held_out_score(fit) * self.mask[test].sum() + factorials
        latents = self.last_latents(filtered)
        told = discriminant(latents[~test], self.choice[~test], latents[test])
        accuracy = np.mean(told == self.choice[test])
        shuffled = np.random.default_rng(seed).permutation(self.choice)
        chance = np.mean(discriminant(latents[~test], shuffled[~test], latents[test]) == shuffled[test])

        def per_spike(value):
            return (value - constant) / counts.sum()

        if FULL:
            for name, sets in (("rank 3", ("network.rank=3",)), ("bootstrap proposal", ("smc.proposal=bootstrap",))):
                other = self.filtered(self.fitted(seed, *sets), seed)[0]
                self.saw(f"seed {seed}: {name}", per_spike(other[test].sum()))
        scores = [per_spike(value) for value in (total[test].sum(), smaller[test].sum(), psth, by_choice, own)]
        return np.array([*scores, accuracy, chance, np.max(np.bincount(self.choice[test])) / test.sum()])

    def test_held_out_spikes_and_choice(self):
        results = np.array([self.compare(seed) for seed in SEEDS])
        names = ("rank 2", "rank 1", "PSTH", "PSTH by choice", "rank 2, 16 particles of its encoder")
        for k, name in enumerate(names):
            report(self, f"nats per spike above constant rates, held-out trials: {name}", results[:, k])
        report(self, "choice from the latents of held-out trials, last 300 ms: share correct", results[:, 5])
        report(self, "the same with shuffled choices", results[:, 6])
        report(self, "always the commoner choice", results[:, 7])
        for rank2, rank1, psth, by_choice, own, accuracy, chance, common in results:
            self.assertGreater(rank2, rank1)
            self.assertGreater(rank2, by_choice)
            self.assertGreater(by_choice, psth)
            # A lower bound of the same likelihood, by other code and fewer particles.
            self.assertLess(own, rank2)
            self.assertGreater(own, psth)
            # About 113 held-out trials: 4 binomial standard errors above the commoner choice and above shuffled ones.
            error = np.sqrt(0.25 / 113)
            self.assertGreater(accuracy, common + 4 * error)
            self.assertLess(chance, common + 2 * error)


if __name__ == "__main__":
    main()
