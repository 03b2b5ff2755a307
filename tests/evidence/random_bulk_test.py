"""Networks with a random bulk g chi: silence below g = 1, chaos above, against dynamic mean-field theory (Sompolinsky,
Crisanti & Sommers 1988), and a bulk beside a rank-one part (Mastrogiuseppe & Ostojic 2018, eqs. 12 and 13).
"""
import numpy as np

from support import Case, main, normal_nodes

NODES, WEIGHTS = normal_nodes()
# Euler's step. Solved numerically for this step, the dynamic mean-field equations give the variance of the continuous
# ones to 4 digits.
STEP = 0.1
# Student's t with 7 and with 5 degrees of freedom exceeds these in one case of 1000.
T7, T5 = 5.4, 6.9


def expectation(function, variance):
    """E f(x) for x normal with mean 0."""
    return WEIGHTS @ function(np.sqrt(variance) * NODES)


def log_cosh(x):
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)


def chaotic_variance(gain):
    """Variance of x: the energy of Sompolinsky's particle is the same at lag 0 and at infinity,
    -V^2/2 + g^2 Var(log cosh x) = 0."""
    low, high = 1e-3, 10.0
    for _ in range(60):
        v = (low + high) / 2
        energy = -v * v / 2 + gain**2 * (expectation(lambda x: log_cosh(x) ** 2, v) - expectation(log_cosh, v) ** 2)
        low, high = (v, high) if energy > 0 else (low, v)
    return low


def heterogeneous_fixed_point(gain, overlap):
    """kappa and the variance of x of a tanh network with var m = 1, cov(m, n) = overlap."""
    variance = kappa = 1.0
    for _ in range(2000):
        kappa = kappa * overlap * expectation(lambda x: 1 / np.cosh(x) ** 2, variance)
        variance = gain**2 * expectation(lambda x: np.tanh(x) ** 2, variance) + kappa**2
    return kappa, variance


class RandomBulk(Case):
    def run_bulk(self, gain, neurons=1000, in_degree=100, kind="sparse", duration=200.0, seed=1, overlap=None,
                 latent=0.0, step=STEP, save_every=1.0, potential_std=1.0):
        """Without `overlap`, n = 0: the low-rank part only places a perturbation along m."""
        covariance = [[1.0]] if overlap is None else [[1.0, overlap], [overlap, 6.5]]
        return self.simulate(
            run={"seed": seed},
            network={"source": "populations", "rank": 1, "neurons": neurons, "activation": "tanh", "tau": 1.0,
                     "populations": [{"covariance": covariance}],
                     "bulk": {"kind": kind, "gain": gain, "in_degree": in_degree}},
            time={"step": step, "duration": duration, "save_every": save_every},
            integration={"space": "neuron", "method": "euler"},
            initial={"potential_std": potential_std, "latent": [latent]},
            output={"potentials": True, "final_state": False},
        )

    def potentials(self, *args, **keys):
        return self.run_bulk(*args, **keys)["/trajectory/potentials"][0]

    def test_chaos_has_the_variance_of_dynamic_mean_field_theory(self):
        theory = chaotic_variance(1.5)
        found = np.array([np.mean(self.potentials(1.5, seed=seed)[50:] ** 2) for seed in range(1, 9)])
        tolerance = T7 * found.std(ddof=1) / np.sqrt(len(found))
        self.saw("variance of x at g = 1.5, 8 networks of 1000", f"{found.mean():.3f} sd {found.std(ddof=1):.3f}",
                 f"{theory:.4f} +- {tolerance:.3f}")
        self.assertAlmostEqual(found.mean(), theory, delta=tolerance)
        # The tolerance comes from the sample: it must be small enough to tell g = 1.5 from 1.3 and 1.7.
        for gain in (1.3, 1.7):
            self.saw(f"control, theory at g = {gain}", chaotic_variance(gain))
            self.assertGreater(abs(chaotic_variance(gain) - found.mean()), tolerance)

    def test_silence_decays_at_the_rate_of_the_slowest_mode(self):
        # Largest eigenvalue -1 + g for large N: the variance falls as exp(-2 (1 - g) t); for 1000 neurons the edge of
        # the spectrum scatters by a few N^(-1/2) = 3 %, allowed 20 %.
        x = self.potentials(0.5, duration=60.0)
        variance = np.mean(x**2, axis=1)
        rate = np.log(variance[20] / variance[60]) / 40
        expected = -2 * np.log(1 - STEP * 0.5) / STEP
        self.saw("decay rate of the variance at g = 0.5", rate, f"{expected:.3f} +- 20 %")
        self.assertAlmostEqual(rate, expected, delta=0.2 * expected)

    def test_a_tiny_difference_grows_in_chaos_and_dies_in_silence(self):
        # The largest Lyapunov exponent is about (g - 1)^2 / 2 = 0.12 above g = 1 and -(1 - g) below.
        for gain, low, high in ((1.5, 0.03, 0.4), (0.5, -0.65, -0.35)):
            # A low gain's difference of 1e-3 stays above rounding of the decaying x; a high gain's 1e-9 below its size.
            size = 1e-9 if gain > 1 else 1e-3
            pair = [self.potentials(gain, duration=120.0, latent=latent) for latent in (0.0, size)]
            distance = np.linalg.norm(pair[1] - pair[0], axis=1)
            exponent = np.log(distance[100] / distance[20]) / 80
            self.saw(f"Lyapunov exponent at g = {gain}", exponent, f"{low} to {high}")
            self.assertGreater(exponent, low)
            self.assertLess(exponent, high)

    def test_procedural_and_sparse_are_the_same_network(self):
        sparse = self.potentials(1.5, duration=5.0)
        procedural = self.potentials(1.5, duration=5.0, kind="procedural")
        # Sums of 100 terms in another order; 5 time constants amplify by less than e^(5 g) = 2000.
        self.saw("procedural against sparse", np.max(np.abs(procedural - sparse)), 1e-11)
        self.assertLess(np.max(np.abs(procedural - sparse)), 1e-11)
        self.assertGreater(np.max(np.abs(self.potentials(1.5, duration=5.0, seed=2) - sparse)), 0.1)

    def test_all_to_all_bulk(self):
        # Dense and regenerated at every step: few neurons, wider limits. Chaos stays near the theory, silence decays.
        chaos = np.mean(self.potentials(1.5, 400, 0, "procedural", 40.0)[20:] ** 2)
        silence = np.mean(self.potentials(0.5, 400, 0, "procedural", 20.0)[20] ** 2)
        self.saw("variance of x, all-to-all 400 neurons, g = 1.5 and 0.5", f"{chaos:.3f}, {silence:.2g}")
        # One network of 400 over 20 time constants: sd about 0.15 (0.045 for 1000 neurons and 150), four times.
        self.assertAlmostEqual(chaos, chaotic_variance(1.5), delta=0.6)
        self.assertLess(silence, 1e-7)

    def test_rank_one_beside_a_bulk(self):
        gain, overlap = 1.2, 2.5
        kappa, variance = heterogeneous_fixed_point(gain, overlap)
        found = []
        for seed in range(1, 7):
            # A fixed point: any stable step will do.
            run = self.run_bulk(gain, 4000, 200, duration=60.0, step=0.5, seed=seed, overlap=overlap, latent=kappa,
                                save_every=60.0, potential_std=0.0)
            x = run["/trajectory/potentials"][0, -1]
            found.append([np.mean(run["/network/n"][:, 0] * np.tanh(x)), np.mean(x**2)])
        found = np.array(found)
        error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
        for name, value, theory, tolerance in zip(("kappa", "variance of x"), found.mean(axis=0), (kappa, variance),
                                                  T5 * error):
            self.saw(f"{name}, 6 networks of 4000", value, f"{theory:.4f} +- {tolerance:.3f}")
            self.assertAlmostEqual(value, theory, delta=tolerance)
        # Control: without the bulk kappa is elsewhere, by more than the tolerance. (The variance of x is not: overlap
        # E phi'(x) = 1 fixes it whatever the gain.)
        self.saw("control, kappa without the bulk", heterogeneous_fixed_point(0.0, overlap)[0])
        self.assertGreater(abs(heterogeneous_fixed_point(0.0, overlap)[0] - kappa), T5 * error[0])


if __name__ == "__main__":
    main()
