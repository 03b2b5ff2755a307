"""Attractors of the named networks against mean-field theory: the period and radius of the limit cycle, the drift along
the ring, number and places of the fixed points of bistable and quadstable (Beiran et al. 2021; Dubreuil, Valente et al.
2022; numbers of the Connector paper, Kim et al. 2026).
"""
import numpy as np

from mean_field import MeanField, tanh_slope
from support import Case, chi_square_limits, main, slope


def planar(sigma):
    """m of variance 1, n of variance 4, cov(n_r, m_s) = sigma[r][s]."""
    sigma = np.array(sigma)
    return [{"covariance": np.block([[np.eye(2), sigma.T], [sigma, 4 * np.eye(2)]])}]


def clouds():
    return [{"mean": [0.87 * a, 0.87 * b, 2.31 * a, 2.31 * b], "covariance": 0.25 * np.eye(4)}
            for a in (-1, 1) for b in (-1, 1)]


THEORY = {name: MeanField(populations, 2, np.tanh, tanh_slope) for name, populations in {
    "bistable": planar([[1.2, 0.8], [0.0, 1.6]]), "quadstable": clouds(),
    "limit_cycle": planar([[1.6, -0.8], [0.8, 1.6]]), "ring_attractor": planar([[1.6, 0.0], [0.0, 1.6]])}.items()}
TAU = 0.1
# Limit cycle: m is isotropic, so kappa = c(|z|) Sigma z. The radius stands still where 1.6 c = 1, and there the phase
# turns by 0.8 c / tau = 0.5 / tau.
PERIOD = 4 * np.pi * TAU


def radius(theory):
    """Where the radial flow vanishes, by bisection."""
    low, high = 0.3, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if theory.drive(np.array([middle, 0.0]))[0] > middle else (low, middle)
    return low


class Attractors(Case):
    def run_preset(self, preset, neurons, seed, start, duration, method="runge_kutta", step=0.02, **output):
        """Latent space; Runge-Kutta of order 4 with 5 steps per time constant has an error below 1e-5 per period."""
        return self.simulate(
            run={"seed": seed}, network={"preset": preset, "neurons": neurons, "tau": TAU},
            time={"step": step, "duration": duration, "trials": len(start)} | output,
            integration={"space": "latent", "method": method, "order": 4, "adaptive": False},
            initial={"latent": np.array(start)}, output={"network": False}).latent

    def period(self, neurons, seed):
        """Time of the third revolution, between upward passages of z_0 = 0 interpolated by cubics."""
        z = self.run_preset("limit_cycle", neurons, seed, [[radius(THEORY["limit_cycle"]), 0.0]], 4.2 * PERIOD)[0]
        x = z[:, 0]
        passages = []
        for k in np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0)):
            if 1 <= k < len(x) - 2:  # time as a cubic function of x
                passages.append(np.polynomial.Polynomial.fit(x[k - 1 : k + 3], np.arange(k - 1, k + 3), 3)(0.0) * 0.02)
        return np.diff(passages)[-1], np.sqrt(np.mean(np.sum(z[-63:] ** 2, axis=1)))

    def test_period_of_the_limit_cycle_converges(self):
        sizes, seeds = (1000, 10000, 100000, 1000000), (12, 12, 8, 3)
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
        sizes, seeds, speeds = (1000, 10000, 100000, 1000000), (12, 12, 8, 4), []
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
        self.saw("angle turned in 40 time constants, largest, rad", np.max(np.abs(turned)), f"{4.5 * 40 * spread[1]:.2f}")
        self.assertLess(np.max(np.abs(turned)), 4.5 * 40 * spread[1])

    def ends(self, preset, neurons, seed):
        """Distinct points where a grid of starts comes to rest. Euler with a step of tau is z -> F(z), whose slowest
        mode here shrinks by 0.75 a step: 0.75^100 = 3e-13."""
        grid = np.linspace(-2.4, 2.4, 5)  # without the middle, which lies near the unstable origin
        start = [[x, y] for y in grid for x in grid if (x, y) != (0.0, 0.0)]
        z = self.run_preset(preset, neurons, seed, start, 120 * TAU, method="euler", step=TAU, save_every=60 * TAU)
        self.assertLess(np.max(np.abs(z[:, -1] - z[:, -2])), 1e-4)  # at rest
        points = []
        for end in z[:, -1]:
            if not any(np.linalg.norm(end - p) < 1e-3 for p in points):
                points.append(end)
        return np.array(points)

    def check_fixed_points(self, preset, expected_starts, networks):
        theory = THEORY[preset]
        expected = np.array([theory.fixed_point(start) for start in expected_starts])
        for point in expected:
            self.assertLess(np.max(np.linalg.eigvals(theory.jacobian(point)).real), 1)  # stable in theory
        inverse = np.linalg.inv(theory.fixed_point_covariance(expected[0]))
        total, control, degrees = 0.0, 0.0, 0
        for neurons, seeds in networks:
            for seed in range(seeds):
                points = self.ends(preset, neurons, 10 * neurons + seed)
                self.assertEqual(len(points), len(expected), f"{preset}, N = {neurons}: {points}")
                # The points of one network deviate together: the first one counts.
                deviation = points[np.argmin(np.linalg.norm(points - expected[0], axis=1))] - expected[0]
                total += neurons * deviation @ inverse @ deviation
                shifted = deviation - 0.05 * expected[0]
                control += neurons * shifted @ inverse @ shifted
                degrees += 2
        low, high = chi_square_limits(degrees)
        self.saw(f"{preset}: {len(expected)} fixed points, first at", np.round(expected[0], 4))
        self.saw(f"{preset}: chi-square of {degrees} deviations", total, f"{low:.2f} to {high:.1f}")
        self.saw("control, the same around places 5 % off", control)
        self.assertGreater(total, low)
        self.assertLess(total, high)
        self.assertGreater(control, 2 * high)

    def test_bistable(self):
        # The overlaps 1.2, 0.8, 0, 1.6 turn complex when the 0 falls below -0.05: with a deviation of 2.1 / sqrt(N), a
        # network of 1000 often oscillates, one of 30000 never does.
        self.check_fixed_points("bistable", [[0.85, 0.42], [-0.85, -0.42]], [(30000, 5), (300000, 3)])

    def test_quadstable(self):
        self.check_fixed_points("quadstable", [[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]],
                                [(1000, 4), (30000, 3), (300000, 2)])


if __name__ == "__main__":
    main()
