"""Student and teacher with inputs: a rank-1 network fitted to recordings of a decision (the preset `decision`, pulses
of evidence of both signs) decides as the teacher does: the same share of choices at every strength of the evidence,
with noise of its own."""
import h5py
import numpy as np

from recovery import SEEDS, FitCase, report
from support import Run, main

STRENGTHS = [-0.4, -0.2, -0.1, -0.05, 0.05, 0.1, 0.2, 0.4]


def teacher(repeats):
    trials = repeats * len(STRENGTHS)
    return {
        "network": {"source": "preset", "preset": "decision", "neurons": 2000},
        "time": {"step": 0.01, "duration": 1.0, "trials": trials},
        "integration": {"space": "latent", "method": "euler"},
        "noise": {"latent": 0.1},
        "inputs": [{"kind": "pulse", "channel": 0, "start": 0.1, "stop": 0.5, "amplitudes": STRENGTHS * repeats}],
        "observation": {"kind": "gaussian", "channels": 30, "std": 0.3},
    }


FIT = {
    "network": {"neurons": 64, "rank": 1, "activation": "tanh", "input_path": "filtered"},
    "smc": {"particles": 10},
    "training": {"epochs": 40, "steps_per_epoch": 20, "batch_trials": 10, "window": 0,
                 "validation_fraction": 0.1, "validation_every": 10,
                 "optimiser": {"kind": "adam", "learning_rate": 1e-2, "final_learning_rate": 1e-4,
                               "schedule": "cosine", "clip_norm": 10.0}},
}


def choices(observations, direction):
    """Share of positive final states for each strength."""
    final = observations[:, -10:].mean(axis=1) @ direction
    return np.array([np.mean(final[k :: len(STRENGTHS)] > 0) for k in range(len(STRENGTHS))])


class Decision(FitCase):
    def compare(self, seed):
        """Shares of choices of the teacher (many trials), of a fit and of one that was not told the inputs."""
        recording = self.recording(run={"seed": seed}, **teacher(40))
        with h5py.File(recording, "r") as file:
            direction = file["/truth/observation_weights"][:, 0]
            data = file["/recording/observations"][...]
        # Other trials of the same teacher: those behind the first 320 have noise of their own.
        many = Run(self.recording(run={"seed": seed}, **teacher(160)))["/recording/observations"][data.shape[0]:]
        shares = [choices(many, direction)]
        blind = {"data": {"observations": f"{recording}:/recording/observations", "bin_width": 0.01}}
        for change in ({"data": {"file": recording}}, blind):
            fit = self.fit(FIT, {"run": {"seed": seed}}, change)
            series = self.generated(fit, seed=seed + 100, trials=data.shape[0])["/trajectory/observations"]
            shares.append(choices(series, direction))
        return shares

    def test_choices_at_every_strength(self):
        results = [self.compare(seed) for seed in SEEDS]
        # Shares of 40 fitted and of 40 compared trials per strength: binomial errors, with one more choice of each kind
        # so that none is 0.
        def deviation(shares, own):
            p = (40 * own + 1) / 42
            return np.max(np.abs(shares - own) / np.sqrt(2 * p * (1 - p) / 40))

        for k, (own, fitted, blind) in enumerate(results):
            self.saw(f"seed {SEEDS[k]}: shares of positive choices, teacher", np.round(own, 2).tolist())
            self.saw(f"seed {SEEDS[k]}: fit", np.round(fitted, 2).tolist())
            self.saw(f"seed {SEEDS[k]}: fit without inputs", np.round(blind, 2).tolist())
        report(self, "mean difference of a share", [np.mean(np.abs(f - own)) for own, f, _ in results])
        report(self, "largest difference, standard errors", [deviation(f, own) for own, f, _ in results], 4)
        report(self, "the same, fit without inputs", [deviation(b, own) for own, _, b in results])
        for own, fitted, blind in results:
            self.assertLess(deviation(fitted, own), 4)
            self.assertGreater(deviation(blind, own), 8)
            # The teacher's choices depend on the strength, by chance in between.
            self.assertGreater(own[-1] - own[0], 0.8)
            self.assertLess(own[4] - own[3], 0.8)


if __name__ == "__main__":
    main()
