"""Orders of convergence of the fixed-step methods: the error against a solution with a step 64 times finer than the
finest falls as step^order.
"""
import numpy as np

from support import Case, main

NEURONS, RANK, TAU, END = 40, 2, 0.5, 1.6
RANDOM = np.random.default_rng(3)
M = RANDOM.normal(size=(NEURONS, RANK))
N = 2 * M @ np.array([[1.2, -1.5], [1.5, 1.2]]).T + RANDOM.normal(size=(NEURONS, RANK))
B = RANDOM.normal(size=(NEURONS, 1))
D = 0.3 * RANDOM.normal(size=NEURONS)
Z0 = [1.0, -0.7]


def drive(z):
    return np.tanh(M @ z + D) @ N / NEURONS


def reference():
    """Classical Runge-Kutta of order 4 with 6400 steps, error 1e-13."""
    z, h = np.array(Z0), END / 6400 / TAU
    f = lambda z: drive(z) - z
    for _ in range(6400):
        a = f(z)
        b = f(z + h / 2 * a)
        c = f(z + h / 2 * b)
        z = z + h / 6 * (a + 2 * b + 2 * c + f(z + h * c))
    return z


class Order(Case):
    def run_network(self, step, integration, network=None, **tables):
        return self.simulate(
            network={"source": "arrays", "activation": "tanh", "tau": TAU,
                     "arrays": {"m": M, "n": N, "bias": D, "input_weights": B}} | (network or {}),
            time={"step": step, "duration": END, "save_every": END} | tables.pop("time", {}),
            integration=integration, **({"initial": {"latent": Z0}} | tables))

    def final(self, *args, **keys):
        return self.run_network(*args, **keys).latent[0, -1]

    def check_order(self, what, order, steps, errors, delta):
        """`delta`: what is left of the next order in the local slope of the two finest steps."""
        found = np.log(errors[-2] / errors[-1]) / np.log(steps[-2] / steps[-1])
        self.saw(f"order of {what}", f"{found:.3f} (errors {errors[0]:.2g} to {errors[-1]:.2g})",
                 f"{order} +- {delta}")
        self.assertAlmostEqual(found, order, delta=delta)

    def test_first_order_methods(self):
        exact = reference()
        steps = END / np.array([50, 200, 800])
        for method in ("euler", "exponential_euler", "map"):
            for space in ("latent", "neuron"):
                errors = [np.linalg.norm(self.final(h, {"space": space, "method": method}) - exact) for h in steps]
                # Error c h + d h^2: between the two finest steps the slope is 1 + O(h/tau) = 1 +- 0.01.
                self.check_order(f"{method} in {space} space", 1, steps, errors, 0.02)

    def test_runge_kutta_orders(self):
        exact = reference()
        # Steps short enough that the next order changes the slope by a few percent, errors far above rounding.
        for order, count in ((2, 800), (3, 400), (4, 200), (5, 100)):
            steps = END / np.array([count, 2 * count])
            errors = [np.linalg.norm(self.final(h, {"space": "latent", "method": "runge_kutta", "order": order,
                                                    "adaptive": False}) - exact) for h in steps]
            self.check_order(f"runge_kutta {order}", order, steps, errors, 0.1)

    def test_map_is_euler(self):
        step = END / 100
        euler = self.final(step, {"space": "latent", "method": "euler"})
        same = self.final(step, {"space": "latent", "method": "map"})
        explicit = self.final(step, {"space": "neuron", "method": "map"}, network={"decay": 1 - step / TAU})
        other = self.final(step, {"space": "latent", "method": "map"}, network={"decay": 1 - 1.001 * step / TAU})
        # 1 - (1 - h/tau) rounds by 1e-16 / 0.03, over 100 steps.
        self.saw("map against euler", np.max(np.abs(same - euler)), 1e-12)
        self.assertLess(np.max(np.abs(same - euler)), 1e-12)
        self.assertLess(np.max(np.abs(explicit - euler)), 1e-12)
        self.assertGreater(np.max(np.abs(other - euler)), 1e-6)

    def test_exponential_euler_solves_the_leak_exactly(self):
        network = {"source": "arrays", "tau": TAU, "leak": 1.7, "arrays": {"m": M, "n": 0 * N}}
        for space in ("latent", "neuron"):
            run = self.simulate(network=network, time={"step": END / 4, "duration": END},
                                integration={"space": space, "method": "exponential_euler"}, initial={"latent": Z0})
            exact = np.outer(np.exp(-1.7 * np.arange(5) * END / 4 / TAU), Z0)
            np.testing.assert_allclose(run.latent[0], exact, rtol=1e-13)

    def test_strong_order_of_euler_along_given_noise(self):
        """White noise that enters through the input weights, averaged over each step, is Euler-Maruyama with the path
        known: for additive noise its strong order is 1 (Kloeden & Platen 1992, sec. 10.2), rms over 64 paths."""
        paths, finest = 64, 4096
        increments = np.random.default_rng(5).normal(size=(paths, finest)) * np.sqrt(END / finest)

        def solve(count):
            mean = increments.reshape(paths, count, -1).sum(axis=2) / (END / count)
            return self.run_network(
                END / count, {"space": "latent", "method": "euler"}, time={"trials": paths},
                inputs=[{"kind": "file", "array": self.array(mean[:, :, None]), "amplitude": 0.4}]).latent[:, -1]

        exact = solve(finest)
        counts = np.array([16, 64, 256])
        errors = [np.sqrt(np.mean(np.sum((solve(count) - exact) ** 2, axis=1))) for count in counts]
        # Without noise-induced drift of half order the slope is 1; 64 paths share it to a few percent, and the
        # reference's own error is 1/16 of the finest. Order 1/2 would be far outside.
        self.check_order("Euler-Maruyama, strong", 1, END / counts, errors, 0.15)

    def test_weak_order_of_the_variance(self):
        """An uncoupled neuron's stationary variance is sigma^2; Euler-Maruyama's is sigma^2 / (1 - h / (2 tau)): weak
        order 1. Exponential Euler's is sigma^2 at any step. Every one of 10^6 neurons is a sample."""
        neurons = 1000000
        error = np.sqrt(2 / neurons)
        excess = []
        for ratio in (0.8, 0.4, 0.2):
            for method in ("euler", "exponential_euler"):
                run = self.simulate(
                    network={"source": "populations", "rank": 1, "neurons": neurons, "activation": "identity",
                             "tau": 1.0, "populations": [{"covariance": [[1.0]]}]},
                    # 10 time constants: the start is forgotten to exp(-20).
                    time={"step": ratio, "duration": 10.0 if ratio < 0.8 else 9.6, "save_every": 9.6 if ratio == 0.8
                          else 10.0},
                    integration={"space": "neuron", "method": method}, noise={"neuron": 1.0},
                    output={"network": False})
                variance = np.mean(run["/final/potentials"][0] ** 2)
                expected = 1 / (1 - ratio / 2) if method == "euler" else 1.0
                self.saw(f"variance, {method}, step {ratio} tau, z-score", (variance / expected - 1) / error, 4.5)
                self.assertLess(abs(variance / expected - 1), 4.5 * error)
                if method == "euler":
                    excess.append(variance - 1)
        # Exactly (h/2)/(1 - h/2): the slope between the finest two is 1 + log2((1 - 0.1)/(1 - 0.2)) = 1.17; the error
        # of the finest excess, 0.11 +- 0.0016, makes that +- 0.03.
        order = np.log2(excess[1] / excess[2])
        self.saw("weak order of Euler-Maruyama, local slope", order, "1.17 +- 0.12")
        self.assertAlmostEqual(order, 1 + np.log2(0.9 / 0.8), delta=0.12)


if __name__ == "__main__":
    main()
