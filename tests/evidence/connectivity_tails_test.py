"""Heavy tails that the dynamics require: with rates that grow without bound E[n | m] = A m has the tail of m. The chain from
the network to sampled ones keeps its index; a Gaussian network of the same overlap has another."""
import subprocess

import h5py
import numpy as np

from support import PROGRAM, Case, main

FREEDOM = 3.0
NEURONS = 4000
OVERLAP = [[1.2, -0.8], [0.8, 1.2]]
STUDENT = f"""source = "heavy_tailed"
[network.heavy_tailed]
distribution = "student_t"
degrees_of_freedom = {FREEDOM}
overlap = {OVERLAP}
residual_std = 0.5
"""
# n = OVERLAP m + 0.5 noise.
GAUSSIAN = """source = "populations"
rank = 2
[[network.populations]]
covariance = [[1.0, 0.0, 1.2, 0.8], [0.0, 1.0, -0.8, 1.2], [1.2, -0.8, 2.33, 0.0], [0.8, 1.2, 0.0, 2.33]]
"""
TRAINING = "batch = 100\naverage_memory = 0.99\noptimiser.final_learning_rate = 1e-5\noptimiser.schedule = 'cosine'\n"
CONFIGURATION = """[network]
activation = "{activation}"
neurons = {neurons}
{network}
[latents.simulation]
grid_points = 8
rows = 40
[loadings_flow]
epochs = 40
{training}
[conditional_flow]
epochs = 20
neurons = {neurons}
{training}
"""


def tail_index(vectors):
    """Hill's estimate from the sqrt(N) longest vectors and its 95 % interval: k log ratios of a power tail sum to
    Gamma(k) / index, whose quantiles Wilson & Hilferty (1931) give."""
    sizes = np.sort(np.linalg.norm(vectors, axis=1))[::-1]
    k = int(np.ceil(np.sqrt(len(sizes))))
    mean = np.mean(np.log(sizes[:k] / sizes[k]))
    low, high = (k * (1 - 1 / (9 * k) + sign * 1.96 / (3 * np.sqrt(k))) ** 3 / (k * mean) for sign in (-1, 1))
    return np.array([low, 1 / mean, high])


class Tails(Case):
    def program(self, *arguments):
        done = subprocess.run([PROGRAM, "-q", *map(str, arguments)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def learn(self, name, network, activation="relu"):
        config = self.folder / f"{name}.toml"
        config.write_text(CONFIGURATION.format(activation=activation, network=network, neurons=NEURONS,
                                               training=TRAINING))
        flow = self.folder / f"{name}.h5"
        self.program("fit", "flow", config, "-o", flow)
        return flow

    def sampled(self, flow, *more):
        output = self.folder / f"{flow.stem}_network{len(more)}.h5"
        self.program("sample", flow, "--neurons", NEURONS, "-o", output, *more)
        with h5py.File(output) as file:
            return file["network/m"][:], file["network/n"][:]

    def test_required_tail(self):
        heavy, light = self.learn("student", STUDENT), self.learn("gaussian", GAUSSIAN)
        for what, more in (("solved for", ["--conditional-mean"]), ("sampled", [])):
            m, n = self.sampled(heavy, *more)
            index = tail_index(n)
            self.saw(f"index of E[n | m] {what}", np.round(index, 2), f"around {FREEDOM}")
            with self.subTest(what):
                self.assertLess(index[0], FREEDOM)
                self.assertGreater(index[2], FREEDOM)
                # The same neurons' closed form.
                truth = tail_index(m @ np.transpose(OVERLAP))
                self.saw("of the closed form at the same m", np.round(truth, 2))
                self.assertLess(index[0], truth[1])
                self.assertGreater(index[2], truth[1])
            gaussian = tail_index(self.sampled(light, *more)[1])
            self.saw(f"Gaussian network, {what}", np.round(gaussian, 2), f"above {FREEDOM}")
            with self.subTest(f"control, {what}"):
                self.assertGreater(gaussian[0], FREEDOM)
                self.assertGreater(gaussian[0], index[2])


if __name__ == "__main__":
    main()
