"""Held-out log-likelihood rises up to the teacher's rank and not beyond: ranks 1, 2, 3 fitted to a recording of the
rank-2 preset limit_cycle."""
import h5py
import numpy as np

from recovery import SEEDS, FitCase, held_out_score, report
from recovery_oscillator_test import FIT, TEACHER
from support import main

CHANNELS = TEACHER["observation"]["channels"]


class RankSelection(FitCase):
    def scores(self, seed):
        recording = self.recording(run={"seed": seed}, **TEACHER)
        data = {"run": {"seed": seed}, "data": {"file": recording}}
        fits = [self.fit(FIT, data, {"network": {"rank": rank}}) for rank in (1, 2, 3)]
        with h5py.File(fits[0], "r") as file:
            steps = np.sum(file["/data/length"][...][file["/data/held_out"][...] == 1])
        # The log density of a sample around its mean, in D channels, has variance D / 2.
        return [held_out_score(fit) for fit in fits], np.sqrt(CHANNELS / 2 / steps)

    def test_held_out_likelihood_stops_improving_at_rank_two(self):
        results = [self.scores(seed) for seed in SEEDS]
        for rank in (1, 2, 3):
            report(self, f"rank {rank}: held-out log-likelihood per step", [scores[rank - 1] for scores, _ in results])
        needed = [scores[1] - scores[0] for scores, _ in results]
        beyond = [scores[2] - scores[1] for scores, _ in results]
        report(self, "gain of rank 2 over rank 1", needed)
        report(self, "gain of rank 3 over rank 2", beyond, f"{2 * results[0][1]:.2f}")
        for gain, more, (_, error) in zip(needed, beyond, results):
            # Twice the sampling error of the held-out likelihood itself: what a selection by it cannot see.
            self.assertLess(more, 2 * error)
            self.assertGreater(gain, 20 * error)


if __name__ == "__main__":
    main()
