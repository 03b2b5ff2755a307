"""Rank-one fixed points against the mean-field equation kappa = E[n phi(m kappa + d)] (Mastrogiuseppe & Ostojic 2018,
eq. 10), solved by Gauss-Hermite quadrature; a network of N neurons deviates from it as N^(-1/2), with a size known from
the central limit theorem.
"""
import numpy as np

from mean_field import MeanField, tanh_slope
from support import Case, chi_square_limits, main, slope

TANH = [{"covariance": [[1.0, 2.0], [2.0, 6.0]]}]
# Order of a rank-one network without inputs: m, n, d.
TWO_POPULATIONS = [
    {"weight": 3.0, "mean": [0.5, 1.0, -0.3],
     "covariance": [[0.5, 0.6, 0.0], [0.6, 2.0, 0.1], [0.0, 0.1, 0.2]]},
    {"weight": 1.0, "mean": [-0.4, -1.5, 0.6],
     "covariance": [[0.3, 0.2, 0.1], [0.2, 1.0, 0.0], [0.1, 0.0, 0.4]]},
]
SIZES = (1000, 10000, 100000, 1000000)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class FixedPoint(Case):
    def fixed_points(self, populations, activation, start, neurons, seed):
        """Euler steps of one time constant each, kappa -> F(kappa), contracting by 0.28 each."""
        run = self.simulate(
            run={"seed": seed},
            network={"source": "populations", "rank": 1, "neurons": neurons, "activation": activation, "tau": 1.0,
                     "populations": populations},
            time={"step": 1.0, "duration": 60.0, "save_every": 60.0, "trials": len(start)},
            integration={"space": "latent", "method": "euler"},
            initial={"latent": [[z] for z in start]},
            output={"network": False},
        )
        return run["/final/latent"][:, 0]

    def deviations(self, theory, point, populations, activation, sizes, seeds):
        """Per size, deviations in units of the deviation that the central limit theorem predicts for N = 1."""
        scale = np.sqrt(theory.fixed_point_covariance(point)[0, 0])
        return [np.array([self.fixed_points(populations, activation, [point[0]], neurons, 1000 * k + seed)[0] - point[0]
                          for seed in range(seeds)]) / scale for k, neurons in enumerate(sizes)]

    def check_size_of_deviations(self, sizes, deviations):
        """Deviations times sqrt(N) are standard normal: their sum of squares is chi-square. Terms of second order add
        about 1/sqrt(N), 3 % at N = 1000, well inside."""
        normal = np.concatenate([d * np.sqrt(n) for n, d in zip(sizes, deviations)])
        low, high = chi_square_limits(len(normal))
        self.saw(f"chi-square of {len(normal)} deviations", np.sum(normal**2), f"{low:.1f} to {high:.1f}")
        self.assertGreater(np.sum(normal**2), low)
        self.assertLess(np.sum(normal**2), high)
        return normal

    def test_tanh_deviation_falls_with_the_square_root_of_the_size(self):
        theory = MeanField(TANH, 1, np.tanh, tanh_slope, nodes=200)
        point = theory.fixed_point([1.5])
        self.saw("mean-field kappa", point[0])
        deviations = self.deviations(theory, point, TANH, "tanh", SIZES, 10)
        found, error = slope(SIZES, deviations)
        self.saw("slope of the deviation", f"{found:.3f}", f"-0.5 +- {4 * error:.2f}")
        self.assertAlmostEqual(found, -0.5, delta=4 * error)
        self.check_size_of_deviations(SIZES, deviations)
        # Control: a theory with an overlap 1 % too large is further off than chance allows at N = 10^6.
        wrong = MeanField([{"covariance": [[1.0, 2.02], [2.02, 6.0]]}], 1, np.tanh, tanh_slope, nodes=200)
        offset = (wrong.fixed_point([1.5]) - point)[0] / np.sqrt(theory.fixed_point_covariance(point)[0, 0])
        shifted = (deviations[-1] - offset) * np.sqrt(SIZES[-1])
        self.saw("control, chi-square of 10 with the overlap 1 % off", np.sum(shifted**2))
        self.assertGreater(np.sum(shifted**2), 2 * chi_square_limits(len(shifted))[1])

    def test_both_signs_and_the_unstable_origin(self):
        point = MeanField(TANH, 1, np.tanh, tanh_slope, nodes=200).fixed_point([1.5])[0]
        found = self.fixed_points(TANH, "tanh", [point, -point, 0.0, 0.1, -0.1], 10000, 7)
        # phi is odd, so the network's own fixed points are exactly opposite, and 0 maps to 0.
        self.assertAlmostEqual(found[0], -found[1], delta=1e-13)
        self.assertEqual(found[2], 0.0)
        self.assertAlmostEqual(found[3], found[0], delta=1e-12)
        self.assertAlmostEqual(found[4], found[1], delta=1e-12)

    def test_two_populations_with_bias(self):
        theory = MeanField(TWO_POPULATIONS, 1, sigmoid, lambda x: sigmoid(x) * sigmoid(-x))
        point = theory.fixed_point([0.3])
        self.saw("mean-field kappa of two populations", point[0])
        sizes = (1000, 30000, 1000000)
        normal = self.check_size_of_deviations(sizes, self.deviations(theory, point, TWO_POPULATIONS, "sigmoid", sizes,
                                                                      6))
        # A bias common to all networks would show in the mean, of standard error 1/sqrt(18).
        self.saw("mean of the normalised deviations", np.mean(normal), "+- 0.94")
        self.assertLess(abs(np.mean(normal)), 4 / np.sqrt(len(normal)))
        # Control: without the small population the fixed point is elsewhere, even for N = 1000.
        other = MeanField(TWO_POPULATIONS[:1], 1, sigmoid, lambda x: sigmoid(x) * sigmoid(-x)).fixed_point([0.3])
        scale = np.sqrt(theory.fixed_point_covariance(point)[0, 0] / sizes[0])
        self.assertGreater(abs(other[0] - point[0]), 8 * scale)


if __name__ == "__main__":
    main()
