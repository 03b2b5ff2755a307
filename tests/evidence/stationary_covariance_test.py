"""Noise of linear networks: the sampled stationary covariance against the exact Lyapunov equation.

Activation identity: tau dx = (J - 1) x dt + sigma sqrt(2 tau) dW with J = m n'/N. Every method is a linear recursion
x' = A x + noise of covariance Q, whose stationary covariance solves C = A C A' + Q.
The sampling error of a sample covariance of a Gaussian process follows from Isserlis' theorem,
  Var C_ij = 1/T sum_k [C_ii(k) C_jj(k) + C_ij(k) C_ji(k)],   C(k) = A^k C,
so that each entry has a z-score.
"""
import numpy as np

from support import Case, main

NEURONS = 6
SIGMA = 0.7
ROWS, BURN, TRIALS = 20000, 200, 4
M = np.array([[1.0, 0.4], [-0.5, 1.2], [0.8, -0.7], [1.5, 0.3], [-1.1, 0.6], [0.2, -0.9]])
N = np.array([[2.0, -1.0], [0.5, 1.5], [1.0, 1.0], [-0.5, 0.7], [-1.5, 0.4], [0.3, -2.0]])
L = np.array([[0.5, 0.0], [0.3, 0.4]])


def stationary(a, q):
    """C = A C A' + Q, as a linear system."""
    size = len(a)
    return np.linalg.solve(np.eye(size * size) - np.kron(a, a), q.ravel()).reshape(size, size)


def coefficients(method, ratio):
    """Gain g and noise variance s^2 of x' = x + g (drive - x) + s sigma normal, from their definitions."""
    if method == "euler":
        return ratio, 2 * ratio
    return 1 - np.exp(-ratio), 1 - np.exp(-2 * ratio)  # exponential_euler


class Stationary(Case):
    def z_scores(self, samples, a, c):
        """Samples [trial, time, i] with mean 0, against C."""
        variance = np.zeros_like(c)
        lagged = c
        for k in range(400):  # slowest mode: 0.966 per step (map), 0.966^400 = 1e-6
            diagonal = np.diag(lagged)
            term = np.outer(diagonal, diagonal) + lagged * lagged.T
            variance += term if k == 0 else 2 * term
            lagged = a @ lagged
        steps = samples.shape[0] * samples.shape[1]
        found = np.einsum("bti,btj->ij", samples, samples) / steps
        return (found - c) / np.sqrt(variance / steps)

    def check(self, what, samples, a, q):
        c = stationary(a, q)
        z = self.z_scores(samples, a, c)[np.triu_indices(len(c))]
        # The largest of up to 21 normal values exceeds 4.5 by chance once in 7000.
        self.saw(f"{what}: largest |z| of {z.size} entries", np.max(np.abs(z)), 4.5)
        self.assertLess(np.max(np.abs(z)), 4.5)
        return c

    def run_network(self, method, ratio, space, noise, low_rank=True, seed=1):
        run = self.simulate(
            run={"seed": seed},
            network={"source": "arrays", "activation": "identity", "tau": 0.02,
                     "arrays": {"m": M, "n": N if low_rank else 0 * N}},
            time={"step": 0.02 * ratio, "duration": 0.02 * ratio * (ROWS + BURN), "trials": TRIALS},
            integration={"space": space, "method": method}, noise=noise,
            output={"potentials": space == "neuron"},
        )
        path = "/trajectory/potentials" if space == "neuron" else "/trajectory/latent"
        return run[path][:, BURN + 1 :]

    def test_noise_of_every_neuron(self):
        ratio = 0.4
        identity = np.eye(NEURONS)
        covariances = {}
        for method in ("euler", "exponential_euler"):
            gain, square = coefficients(method, ratio)
            a = identity + gain * (M @ N.T / NEURONS - identity)
            x = self.run_network(method, ratio, "neuron", {"neuron": SIGMA}, seed=3)
            covariances[method] = self.check(f"neuron noise, {method}", x, a, square * SIGMA**2 * identity)
        # Control: Euler's covariance at this step is not that of exponential Euler: the test resolves the difference.
        z = self.z_scores(x, a, covariances["euler"])
        self.saw("control, largest |z| of the wrong method", np.max(np.abs(z)))
        self.assertGreater(np.max(np.abs(z)), 9)

    def test_exponential_euler_is_exact_for_leak_and_noise(self):
        # tau dx = -x dt + sigma sqrt(2 tau) dW: variance sigma^2, correlation exp(-t/tau), at any step, 3 tau too.
        for ratio in (0.2, 3.0):
            x = self.run_network("exponential_euler", ratio, "neuron", {"neuron": SIGMA}, low_rank=False)
            a = np.exp(-ratio) * np.eye(NEURONS)
            exact = (1 - np.exp(-2 * ratio)) * SIGMA**2 * np.eye(NEURONS)
            c = self.check(f"uncoupled neurons, step {ratio} tau", x, a, exact)
            np.testing.assert_allclose(c, SIGMA**2 * np.eye(NEURONS), atol=1e-14)
            # Correlation of one step: its sampling error is at most that of white noise, 1/sqrt(samples), for
            # each of 6 neurons.
            lag = np.einsum("bti,bti->i", x[:, 1:], x[:, :-1]) / np.einsum("bti,bti->i", x, x)
            error = np.sqrt(1 / (TRIALS * ROWS))
            self.saw(f"autocorrelation after {ratio} tau, deviation", np.max(np.abs(lag - np.exp(-ratio))), 4.5 * error)
            self.assertLess(np.max(np.abs(lag - np.exp(-ratio))), 4.5 * error)

    def test_noise_of_every_latent(self):
        ratio = 0.2
        identity = np.eye(2)
        for method in ("euler", "exponential_euler"):
            gain, square = coefficients(method, ratio)
            a = identity + gain * (N.T @ M / NEURONS - identity)
            q = square * L @ L.T
            z = self.run_network(method, ratio, "latent", {"latent_cholesky": L}, seed=4)
            self.check(f"latent noise, {method}, latent space", z, a, q)
            # In neuron space x = m z with the same noise: covariance m C m'.
            x = self.run_network(method, ratio, "neuron", {"latent_cholesky": L}, seed=5)
            projected = x @ np.linalg.pinv(M).T
            self.check(f"latent noise, {method}, neuron space", projected, a, q)
            self.assertLess(np.max(np.abs(x - projected @ M.T)), 1e-12)
        # Control: L' in the place of L.
        wrong = self.z_scores(z, a, stationary(a, square * L.T @ L))
        self.saw("control, largest |z| with L transposed", np.max(np.abs(wrong)))
        self.assertGreater(np.max(np.abs(wrong)), 9)

    def test_map_noise_is_per_step(self):
        z = self.simulate(
            network={"source": "arrays", "activation": "identity", "decay": 0.9, "arrays": {"m": M, "n": N}},
            time={"step": 1.0, "duration": float(ROWS + BURN), "trials": TRIALS},
            integration={"space": "latent", "method": "map"}, noise={"latent_cholesky": L},
        ).latent[:, BURN + 1 :]
        self.check("map", z, 0.9 * np.eye(2) + 0.1 * N.T @ M / NEURONS, L @ L.T)


if __name__ == "__main__":
    main()
