"""The EEG-fitted networks of Pals et al. 2024 with noise: is what Rankflow generates as close to the EEG as what their
authors generated? The measures are computed here, in numpy.
"""
import numpy as np

from published_eeg import NETWORKS, PublishedEeg, allowed, divergences, reported, spectrum, spectrum_distance
from support import main

SERIES, KL_SERIES = 16, 4  # generated per network, and compared by KL


class Spectrum(PublishedEeg):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eeg_spectrum = spectrum(cls.eeg)

    def distances(self, series):
        return np.array([spectrum_distance(spectrum(x), self.eeg_spectrum) for x in series])

    def agrees(self, what, values, published, limit):
        self.saw(what, f"{np.mean(values):.3f} sd {np.std(values, ddof=1):.3f}", f"{published:.3f} +- {limit:.3f}")
        self.assertAlmostEqual(np.mean(values), published, delta=limit)

    def test_spectrum_and_divergence_are_those_the_authors_report(self):
        distances, kl = [], []
        random = np.random.default_rng(1)
        for number in NETWORKS:
            series = self.prepared(self.generate(number, SERIES))
            distances.append(self.distances(series))
            kl.append(divergences(self.eeg, series[:KL_SERIES], random))
            self.agrees(f"network {number} spectrum distance", distances[-1], reported(number, "PSH"),
                        allowed("PSH", SERIES))
            self.agrees(f"network {number} KL", kl[-1], reported(number, "KL_x"), allowed("KL_x", KL_SERIES))
            # 0.025 with the sampling error of a standard deviation of 16, 1/sqrt(30), four times.
            self.assertLess(distances[-1].std(ddof=1), 0.025 * (1 + 4 / np.sqrt(30)))
        for measure, values, series in (("PSH", distances, SERIES), ("KL_x", kl, KL_SERIES)):
            published = np.mean([reported(number, measure) for number in NETWORKS])
            self.agrees(f"all networks, {measure}", np.mean(values, axis=1), published,
                        allowed(measure, series, len(NETWORKS)))

    def test_control_a_faster_decay_and_missing_smoothing_are_seen(self):
        limit = reported(1, "PSH") + allowed("PSH", 4)
        for name, series in (("decay 0.6", self.prepared(self.generate(1, 4, decay=0.6))),
                             ("no smoothing", self.prepared(self.generate(1, 4), smoothing=False))):
            distance = self.distances(series).mean()
            self.saw(f"control, {name}", distance, f"> {limit:.2f}")
            self.assertGreater(distance, limit)


if __name__ == "__main__":
    main()
