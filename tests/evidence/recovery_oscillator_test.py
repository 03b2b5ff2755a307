"""Student and teacher, Gaussian data: a rank-2 network fitted to a recording of a limit cycle turns with the teacher's
period and spectrum. Teacher: the preset limit_cycle, seen through 40 noisy channels for 8 trials of 4 s."""
import numpy as np

from recovery import SEEDS, FitCase, hellinger, mean_period, merged, periods, plane, report, spectrum
from support import Run, main

STEP, SEGMENT = 0.01, 400
TEACHER = {
    "network": {"source": "preset", "preset": "limit_cycle", "neurons": 2000},
    "time": {"step": STEP, "duration": 4.0, "trials": 8},
    "integration": {"space": "latent", "method": "euler"},
    "initial": {"latent_std": 1.0},
    "noise": {"latent": 0.02},
    "observation": {"kind": "gaussian", "channels": 40, "std": 0.2},
}
FIT = {
    "network": {"neurons": 64, "rank": 2},
    "smc": {"particles": 10},
    "training": {"epochs": 100, "steps_per_epoch": 20, "batch_trials": 8, "window": 100,
                 "validation_fraction": 0.25, "validation_every": 20,
                 "optimiser": {"kind": "adam", "learning_rate": 1e-2, "final_learning_rate": 1e-4,
                               "schedule": "cosine", "clip_norm": 10.0}},
}
# The transient from the random start is left out: 10 time constants.
SETTLED = 100


class Oscillator(FitCase):
    def compare(self, seed):
        """Relative error of the period and spectrum distance of: the fit, a rank-1 fit, an untrained network; and how
        far recordings as long as the one that was fitted deviate from a long one."""
        recording = self.recording(run={"seed": seed}, **TEACHER)
        # Channels and network are those of the recording; the noise differs, for it is numbered by step and trial.
        long = Run(self.recording(run={"seed": seed}, **merged(
            TEACHER, {"time": {"duration": 40.0, "trials": 24}})))["/recording/observations"][8:, SETTLED:]
        axes = plane(long)
        period, power = mean_period(periods(long, axes, STEP)), spectrum(long, axes, SEGMENT)
        # Pieces of the long run as long as the recording: 8 trials of 4 s.
        pieces = [long[8 * k : 8 * k + 8, 401 * i : 401 * (i + 1)] for k in range(2) for i in range(9)]
        period_spread = np.std([mean_period(periods(piece, axes, STEP)) / period - 1 for piece in pieces])
        distances = [hellinger(spectrum(piece, axes, SEGMENT), power) for piece in pieces]
        found = {}
        data = {"run": {"seed": seed}, "data": {"file": recording}}
        changes = {"fit": {}, "rank 1": {"network": {"rank": 1}}, "untrained": {"training": {"epochs": 0}}}
        for name, change in changes.items():
            series = self.generated(self.fit(FIT, data, change), seed=seed + 100, duration=40.0, trials=8)
            series = series["/trajectory/observations"][:, SETTLED:]
            found[name] = (mean_period(periods(series, axes, STEP)) / period - 1,
                           hellinger(spectrum(series, axes, SEGMENT), power))
        return period, period_spread, max(distances), found

    def test_period_and_spectrum_of_the_teacher(self):
        results = [self.compare(seed) for seed in SEEDS]
        report(self, "teacher's period, s", [r[0] for r in results])
        for k, (_, spread, distance, found) in enumerate(results):
            # The recording fixes the period to about the spread between recordings of its length.
            self.saw(f"seed {SEEDS[k]}: error of the period", f"{found['fit'][0]:+.4f}", f"{4 * spread:.4f}")
            self.saw(f"seed {SEEDS[k]}: spectrum distance", found["fit"][1], f"{2 * distance:.4f}")
        for name in ("fit", "rank 1", "untrained"):
            report(self, f"{name}: relative error of the period", [abs(r[3][name][0]) for r in results])
            report(self, f"{name}: spectrum distance", [r[3][name][1] for r in results])
        report(self, "recordings of the teacher, as long as the one fitted: largest spectrum distance",
               [r[2] for r in results])
        for _, spread, distance, found in results:
            self.assertLess(abs(found["fit"][0]), 4 * spread)
            self.assertLess(found["fit"][1], 2 * distance)
            for control in ("rank 1", "untrained"):
                self.assertGreater(abs(found[control][0]), 4 * spread)
                self.assertGreater(found[control][1], 2 * distance)


if __name__ == "__main__":
    main()
