"""A rat's frontal cortex and striatum during the accumulation of evidence (Luo et al. 2025, session X087 2021-08-03): a
rank-2 network with the clicks as inputs, fitted to four fifths of the trials, predicts the spikes of the others better
than the average time course (PSTH) and than rank 1, and its latents tell the choice."""
import h5py
import numpy as np

from recovery import FULL, SEEDS, FitCase, bootstrap_filter, held_out_score, report
from support import main, shared

FIT = {
    "network": {"neurons": 64, "rank": 2, "activation": "relu"},
    "observation": {"kind": "poisson"},
    "smc": {"particles": 16, "proposal": "bootstrap"},
    "training": {"epochs": 12, "batch_trials": 10, "window": 0, "validation_fraction": 0.2,
                 "validation_every": 2,
                 "optimiser": {"kind": "adam", "learning_rate": 2e-2, "final_learning_rate": 1e-4,
                               "schedule": "cosine", "clip_norm": 3.0}},
}


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

    def fitted(self, seed, **changes):
        data = {name: f"{self.path}:/{source}" for name, source in
                (("observations", "spikes"), ("inputs", "inputs"), ("mask", "mask"))}
        return self.fit(FIT, {"run": {"seed": seed}, "data": {**data, "bin_width": 0.01}}, changes)

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
        fit, smaller = self.fitted(seed), self.fitted(seed, network={"rank": 1})
        with h5py.File(fit, "r") as file:
            test = file["/data/held_out"][...] == 1
            order = file["/data/trial_number"][...]
        self.assertTrue(np.array_equal(order, np.arange(len(test))))
        total, filtered = bootstrap_filter(fit, self.counts, self.mask, self.inputs, 100, seed)
        spikes = self.counts[test].sum()
        constant, psth, by_choice = self.averages(~test, test)
        factorials = np.sum((np.array([0.0, *np.cumsum(np.log(np.arange(1, 40)))])[self.counts[test].astype(int)])
                            * self.mask[test][:, :, None])
        rank1 = held_out_score(smaller) * self.mask[test].sum() + factorials
        own = held_out_score(fit) * self.mask[test].sum() + factorials
        error = np.std(total[test]) / np.sqrt(test.sum())
        latents = self.last_latents(filtered)
        told = discriminant(latents[~test], self.choice[~test], latents[test])
        accuracy = np.mean(told == self.choice[test])
        shuffled = np.random.default_rng(seed).permutation(self.choice)
        chance = np.mean(discriminant(latents[~test], shuffled[~test], latents[test]) == shuffled[test])
        scores = [(value - constant) / spikes for value in (total[test].sum(), own, rank1, psth, by_choice)]
        if FULL:
            for name, change in (("rank 3", {"network": {"rank": 3}}), ("encoder", {"smc": {"proposal": "encoder"}})):
                score = held_out_score(self.fitted(seed, **change)) * self.mask[test].sum() + factorials
                self.saw(f"seed {seed}: {name}", (score - constant) / spikes)
        return np.array([*scores, accuracy, chance, np.max(np.bincount(self.choice[test])) / test.sum(), error])

    def test_held_out_spikes_and_choice(self):
        results = np.array([self.compare(seed) for seed in SEEDS])
        names = ("rank 2, filter in numpy", "rank 2, as the fit judged it", "rank 1", "PSTH", "PSTH by choice")
        for k, name in enumerate(names):
            report(self, f"nats per spike above constant rates, held-out trials: {name}", results[:, k])
        report(self, "choice from the latents of held-out trials, last 300 ms: share correct", results[:, 5])
        report(self, "the same with shuffled choices", results[:, 6])
        report(self, "always the commoner choice", results[:, 7])
        for numpy_score, own, rank1, psth, by_choice, accuracy, chance, common, _ in results:
            # Two Monte Carlo estimates of the same: bounds that rise with the particles, 100 here and 16 there.
            self.assertAlmostEqual(numpy_score, own, delta=0.25 * own)
            self.assertGreater(own, psth)
            self.assertGreater(own, rank1)
            # About 113 held-out trials: 4 binomial standard errors above the commoner choice and above shuffled ones.
            error = np.sqrt(0.25 / 113)
            self.assertGreater(accuracy, common + 4 * error)
            self.assertLess(chance, common + 2 * error)


if __name__ == "__main__":
    main()
