"""The limit cycle's period and radius and the drift along the ring attractor against mean-field theory (Beiran et al.
2021): what a finite network deviates falls as N^(-1/2).
"""
import numpy as np

from presets import TAU, THEORY, PresetCase, radius
from support import chi_square_limits, main, slope

# Limit cycle: m is isotropic, so kappa = c(|z|) Sigma z. The radius stands still where 1.6 c = 1, and there the phase
# turns by 0.8 c / tau = 0.5 / tau.
PERIOD = 4 * np.pi * TAU


class LimitCycleAndRing(PresetCase):
    def period(self, neurons, seed):
        """Time of the last whole revolution of three, between upward passages of z_0 = 0 interpolated by cubics."""
        z = self.run_preset("limit_cycle", neurons, seed, [[radius(THEORY["limit_cycle"]), 0.0]], 3.2 * PERIOD)[0]
        x = z[:, 0]
        passages = []
        for k in np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0)):
            if 1 <= k < len(x) - 2:  # time as a cubic function of x
                passages.append(np.polynomial.Polynomial.fit(x[k - 1 : k + 3], np.arange(k - 1, k + 3), 3)(0.0) * 0.02)
        return np.diff(passages)[-1], np.sqrt(np.mean(np.sum(z[-63:] ** 2, axis=1)))

    def test_period_of_the_limit_cycle_converges(self):
        sizes, seeds = (1000, 10000, 100000, 1000000), (8, 8, 8, 3)
        found = [np.array([self.period(n, 100 * k + s) for s in range(count)])
                 for k, (n, count) in enumerate(zip(sizes, seeds))]
        deviations = [f[:, 0] / PERIOD - 1 for f in found]
        for n, d in zip(sizes, deviations):
            self.saw(f"period at N = {n}, relative rms deviation", np.sqrt(np.mean(d**2)))
        rate, error = slope(sizes, deviations)
        self.saw("slope of the period's deviation", f"{rate:.3f}", f"-0.5 +- {4 * error:.2f}")
        self.assertAlmostEqual(rate, -0.5, delta=4 * error)
        # The size for N = 10^6, scaled from the other networks: their mean within 4.5 standard errors.
        unit = np.sqrt(np.mean(np.concatenate([d**2 * n for n, d in zip(sizes[:-1], deviations)])))
        limit = 4.5 * unit / np.sqrt(sizes[-1] * seeds[-1])
        self.saw("mean period at N = 10^6, relative deviation", np.mean(deviations[-1]), limit)
        self.assertLess(abs(np.mean(deviations[-1])), limit)
        self.assertLess(limit, 0.01)  # tells 4 pi tau from a frequency 1 % off
        expected = radius(THEORY["limit_cycle"])
        self.saw("radius at N = 10^6", np.mean(found[-1][:, 1]), f"{expected:.4f} +- 1 %")
        # The radius of one network deviates by (1 - 0.42)^-1 sqrt(1.5 / N) = 0.2 %.
        self.assertAlmostEqual(np.mean(found[-1][:, 1]), expected, delta=0.01 * expected)

    def test_drift_along_the_ring_falls_with_the_size(self):
        """On the ring the mean field stands still; a finite network drifts with an angular speed of order N^(-1/2)."""
        theory = THEORY["ring_attractor"]
        ring = radius(theory)
        angles = 2 * np.pi * np.arange(16) / 16
        start = ring * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        tangent = np.stack([-np.sin(angles), np.cos(angles)], axis=1)
        # To first order the tangential speed is kappa_N . t / tau, of variance t' fluctuation t / N.
        variance = np.mean([t @ theory.fluctuation(z) @ t for z, t in zip(start, tangent)]) / (ring * TAU) ** 2
        sizes, seeds, speeds = (1000, 10000, 100000, 1000000), (8, 8, 6, 3), []
        for k, (n, count) in enumerate(zip(sizes, seeds)):
            at_size = []
            for seed in range(count):
                # A hundredth of a time constant; turning angle over time.
                z = self.run_preset("ring_attractor", n, 200 * k + seed, start, 0.001, method="euler", step=0.001)
                turned = np.sum((z[:, -1] - start) * tangent, axis=1) / ring
                at_size.append(np.sqrt(np.mean((turned / 0.001) ** 2)))
            speeds.append(np.array(at_size))
            self.saw(f"rms drift at N = {n}, in units of theory's", np.sqrt(np.mean(speeds[-1] ** 2) * n / variance))
        # The speed along the ring is a few Fourier components, 4 or so independent values per network: the log of the
        # rms of k networks has a standard error of about 1/sqrt(8 k), less than the 1/sqrt(2 k) used here.
        rate, error = slope(sizes, speeds)
        self.saw("slope of the drift speed", f"{rate:.3f}", f"-0.5 +- {4 * error:.2f}")
        self.assertAlmostEqual(rate, -0.5, delta=4 * error)
        normal = np.concatenate([s**2 * n / variance for n, s in zip(sizes, speeds)])
        low, high = chi_square_limits(len(normal))
        self.assertGreater(np.sum(normal), low)
        self.assertLess(np.sum(normal), high)

    def test_states_stay_on_the_ring(self):
        theory, neurons = THEORY["ring_attractor"], 100000
        ring = radius(theory)
        angles = np.tile(2 * np.pi * np.arange(6) / 6, 2)
        start = ring * np.repeat([0.4, 1.6], 6)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        z = self.run_preset("ring_attractor", neurons, 5, start, 40 * TAU, method="euler", step=0.5 * TAU)[:, -1]
        here = np.array([ring, 0.0])
        spread = np.sqrt(np.diag(theory.fluctuation(here)) / neurons) / ring
        # The radius deviates by (1 - F')^-1 times the fluctuation, the angle turns by the fluctuation in each tau.
        limit = 4.5 * spread[0] / (1 - theory.jacobian(here)[0, 0])
        distance = np.max(np.abs(np.hypot(z[:, 0], z[:, 1]) / ring - 1))
        self.saw("ring of 100000 neurons, largest relative deviation of the radius", distance, f"{limit:.3f}")
        self.assertLess(distance, limit)
        # Neighbouring starts are 1.05 rad apart: the memory of the angle outlives 40 time constants.
        turned = np.angle(np.exp(1j * (np.arctan2(z[:, 1], z[:, 0]) - angles)))
        limit = 4.5 * 40 * spread[1]
        self.saw("angle turned in 40 time constants, largest, rad", np.max(np.abs(turned)), f"{limit:.2f}")
        self.assertLess(np.max(np.abs(turned)), limit)
        self.assertLess(limit, 1.0)


if __name__ == "__main__":
    main()
