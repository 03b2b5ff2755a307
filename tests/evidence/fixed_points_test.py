"""Number and places of the fixed points of bistable and quadstable against mean-field theory (Beiran et al. 2021;
Dubreuil, Valente et al. 2022).
"""
import numpy as np

from presets import TAU, THEORY, PresetCase
from support import chi_square_limits, main


class FixedPoints(PresetCase):
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
