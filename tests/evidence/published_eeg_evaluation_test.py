"""`rankflow evaluate` on the EEG-fitted networks of Pals et al. 2024: does it find the distances that their authors
report, and the same numbers as the computation in numpy?
"""
import subprocess

import numpy as np

from published_eeg import BURN, NETWORKS, PublishedEeg, allowed, divergences, reported, spectrum, spectrum_distance
from support import PROGRAM, Run, main, shared

SERIES = 8  # generated per network


class Evaluation(PublishedEeg):
    def evaluate(self, run, *sets):
        """The file that `rankflow evaluate` writes."""
        self._runs += 1
        output = self.folder / f"{self._runs}.h5"
        settings = [f"evaluate.discard={BURN}", "evaluate.smoothing=hann15", f"data.bin_width={1 / 160}", *sets]
        command = [PROGRAM, "-q", "evaluate", run._path, f"{shared('eeg_schalk_S001R01.h5')}:/signal", "-o", output]
        for setting in settings:
            command += ["--set", setting]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return Run(output)

    def test_distances_are_those_the_authors_report(self):
        found = {"PSH": [], "KL_x": []}
        for number in NETWORKS:
            result = self.evaluate(self.generate(number, SERIES))
            for measure, name in (("PSH", "spectrum_distance"), ("KL_x", "state_divergence")):
                values = result[f"/evaluation/{name}"]
                self.assertEqual(len(values), SERIES)
                limit = allowed(measure, SERIES)
                self.saw(f"network {number} {name}", f"{values.mean():.3f} sd {values.std(ddof=1):.3f}",
                         f"{reported(number, measure):.3f} +- {limit:.3f}")
                self.assertAlmostEqual(values.mean(), reported(number, measure), delta=limit)
                found[measure].append(values)
        for measure, values in found.items():
            published = np.mean([reported(number, measure) for number in NETWORKS])
            limit = allowed(measure, SERIES, len(NETWORKS))
            self.saw(f"all networks, {measure}, mean and median", f"{np.mean(values):.3f}, {np.median(values):.3f}",
                     f"{published:.3f} +- {limit:.3f}")
            self.assertAlmostEqual(np.mean(values), published, delta=limit)

    def test_numbers_are_those_of_numpy(self):
        run = self.generate(1, 2)
        result, other_seed = self.evaluate(run), self.evaluate(run, "evaluate.seed=2")
        series = self.prepared(run)
        # numpy's form divides by the sum before the last bin is dropped.
        exact = [spectrum(x) / spectrum(x).sum(axis=0) for x in (self.eeg, *series)]
        expected = np.array([spectrum_distance(x, exact[0]) for x in exact[1:]])
        self.saw("spectrum distance, largest difference to numpy",
                 np.max(np.abs(result["/evaluation/spectrum_distance"] - expected)), 1e-10)
        np.testing.assert_allclose(result["/evaluation/spectrum_distance"], expected, rtol=0, atol=1e-10)
        np.testing.assert_array_equal(other_seed["/evaluation/spectrum_distance"],
                                      result["/evaluation/spectrum_distance"])
        above = np.triu_indices(64, 1)
        data, generated = (np.corrcoef(x.T)[above] for x in (self.eeg, series[0]))
        self.assertAlmostEqual(result["/evaluation/pairwise_correlation"][0], np.corrcoef(data, generated)[0, 1], 10)
        # The divergence by points of its own: both estimates scatter.
        expected = divergences(self.eeg, series, np.random.default_rng(3))
        error = result["/evaluation/state_divergence_error"] * np.sqrt(2)
        deviations = (result["/evaluation/state_divergence"] - expected) / error
        self.saw("divergence, deviations from numpy in standard errors", np.round(deviations, 2), 4.5)
        self.assertLess(np.max(np.abs(deviations)), 4.5)
        self.assertTrue(np.all(other_seed["/evaluation/state_divergence"] != result["/evaluation/state_divergence"]))

    def test_control_a_faster_decay_is_seen(self):
        result = self.evaluate(self.generate(1, 4, decay=0.6))
        for measure, name in (("PSH", "spectrum_distance"), ("KL_x", "state_divergence")):
            limit = reported(1, measure) + allowed(measure, 4)
            self.saw(f"control, decay 0.6, {name}", result[f"/evaluation/{name}"].mean(), f"> {limit:.2f}")
            self.assertGreater(result[f"/evaluation/{name}"].mean(), limit)


if __name__ == "__main__":
    main()
