"""`rankflow compare` on the Connector paper's trained models (Kim et al., ICML 2026, figure 4): the authors' 4 x 4 distances
between true and inferred connectivity, from the samples of their checkpoints."""
import subprocess

import h5py
import numpy as np

from support import PROGRAM, Case, main, shared, toml

NAMES = ("quadstable", "bistable", "limit_cycle", "ring")
PRESETS = dict(zip(NAMES, ("quadstable", "bistable", "limit_cycle", "ring_attractor")))
SAMPLED = 1000

# True system by row, inferred one by column: GeomLoss's Sinkhorn divergence of m plus the mean squared error of n.
PUBLISHED = np.array([[0.138, 1.135, 1.277, 0.750],
                      [1.576, 0.149, 1.708, 0.551],
                      [1.516, 1.624, 0.174, 0.655],
                      [0.903, 0.435, 0.719, 0.126]])
# Relative error of the flow field of 20 000 neurons on the 30 x 30 grid.
PUBLISHED_FIELD = (0.076, 0.026, 0.045, 0.050)

# The figures are of 1000 neurons drawn by the authors' models; the divergence of such samples differs by 0.01 from one to
# the next (the published spread between independent samples).
SAMPLING = 0.01


class Distances(Case):
    def network(self, name, m, n):
        """A network file of these loadings."""
        config = self.folder / f"{name}.toml"
        path = self.folder / f"{name}.h5"
        arrays = {"m": str(self.array(m)), "n": str(self.array(n))}
        config.write_text("[network]\nsource = \"arrays\"\n[network.arrays]\n" +
                          "\n".join(f"{key} = {toml(value)}" for key, value in arrays.items()) + "\n")
        self.run_program("generate", "network", config, "-o", path)
        return path

    def run_program(self, *arguments):
        done = subprocess.run([PROGRAM, "-q", *map(str, arguments)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}\n{done.stderr}")

    def setUp(self):
        super().setUp()
        self.truth, self.inferred, self.samples = {}, {}, {}
        for name in NAMES:
            with h5py.File(shared("published", f"connector_{name}.h5"), "r") as file:
                true = file["m"][...], file["n"][...]
                sample = tuple(np.float64(file[f"reference_shipped_checkpoint_sample/{key}"][...]) for key in "mn")
                expected = file["cond_mean_n_given_m"][...]
            self.truth[name] = self.network(f"true_{name}", *true)
            self.inferred[name] = self.network(f"inferred_{name}", *(values[:SAMPLED] for values in sample))
            self.samples[name] = (true, sample, expected)

    def compare(self, true, second, *sets):
        output = self.folder / "comparison.h5"
        words = ["compare.conditional_mean=preset", f"compare.preset={PRESETS[true]}",
                 "compare.conditional_neurons=200", *sets]
        self.run_program("compare", self.truth[true], second, "-o", output,
                         *(word for setting in words for word in ("--set", setting)))
        with h5py.File(output, "r") as file:
            return dict(file["comparison"].attrs)

    def test_published_matrix(self):
        found = np.zeros((4, 4))
        divergences = np.zeros((4, 4))
        for i, true in enumerate(NAMES):
            for j, inferred in enumerate(NAMES):
                values = self.compare(true, self.inferred[inferred], "compare.iterations=geomloss")
                found[i, j], divergences[i, j] = values["distance"], values["sinkhorn_divergence"]
            self.saw(f"{true} to {', '.join(NAMES)}", np.array2string(found[i], precision=3))
            self.saw("  of it, the divergence", np.array2string(divergences[i], precision=3))
        self.saw("largest deviation from the published matrix", np.max(np.abs(found - PUBLISHED)), SAMPLING)
        self.assertLess(np.max(np.abs(found - PUBLISHED)), SAMPLING)
        # The control: nothing but the right pair comes near.
        for i in range(4):
            self.assertEqual(np.argmin(found[i]), i)
            self.assertEqual(np.argmin(found[:, i]), i)
            others = np.delete(found[i], i)
            self.assertGreater(others.min(), 2 * found[i, i])
        # One averaged iteration per penalty ends below the converged divergence, which still tells the right pairs.
        for i, name in enumerate(NAMES):
            converged = self.compare(name, self.inferred[name])["sinkhorn_divergence"]
            self.saw(f"{name}: converged divergence", converged)
            self.assertGreater(converged, divergences[i, i])
            self.assertLess(converged, 0.03)

    def test_conditional_error_of_the_true_mean_is_none(self):
        """The conditional means in the published files are the presets' closed forms."""
        for name in NAMES:
            (m, n), _, expected = self.samples[name]
            exact = self.network(f"exact_{name}", m, expected)
            error = self.compare(name, exact, "compare.iterations=geomloss")["conditional_error"]
            drawn = self.compare(name, self.truth[name], "compare.iterations=geomloss")["conditional_error"]
            self.saw(f"{name}: squared error of the published E[n|m], of n itself", f"{error:.2g}, {drawn:.3f}", 1e-20)
            self.assertLess(error, 1e-20)
            self.assertAlmostEqual(drawn, np.mean((n - expected) ** 2), delta=1e-12)
            self.assertGreater(drawn, 0.1)

    def test_flow_fields(self):
        """4000 sampled neurons instead of 20 000: sampling makes up to sqrt(5) times the error of the published floors
        (0.032 to 0.073, of 200 000 draws against 1000 neurons), on top of the published errors."""
        for name, published in zip(NAMES, PUBLISHED_FIELD):
            all_sampled = self.network(f"all_{name}", *self.samples[name][1])
            difference = self.compare(name, all_sampled, "compare.iterations=geomloss")["flow_difference"]
            with h5py.File(shared("published", f"connector_{name}.h5"), "r") as file:
                z, field = file["field_grid_30/z"][...], file["field_grid_30/F_true"][...]
            m, n = self.samples[name][1]
            own = np.tanh(z @ m.T) @ n / len(m) - z
            expected = np.linalg.norm(own - field) / np.linalg.norm(field)
            self.saw(f"{name}: flow field, in numpy on the published grid, published with 20 000 neurons",
                     f"{difference:.4f}, {expected:.4f}, {published}")
            self.assertAlmostEqual(difference, expected, delta=1e-9)
            self.assertLess(difference, 2.3 * published + 0.05)
            other = NAMES[(NAMES.index(name) + 1) % 4]
            self.assertGreater(self.compare(name, self.truth[other], "compare.iterations=geomloss")["flow_difference"],
                               0.2)

    def test_weight_correlations(self):
        """Neuron by neuron and sorted, against numpy's N x N matrices; those of Kim et al. project n on the span of m."""
        (m, n), (inferred_m, inferred_n), _ = self.samples["bistable"]
        m, n = m[:300], n[:300]
        inferred_m, inferred_n = inferred_m[:300], inferred_n[:300]
        first = self.network("few_true", m, n)
        second = self.network("few_inferred", inferred_m, inferred_n)
        self.truth["bistable"] = first
        found = self.compare("bistable", second, "compare.iterations=geomloss")
        effective = [a @ (a @ np.linalg.pinv(a) @ b).T for a, b in ((m, n), (inferred_m, inferred_n))]
        expected = {"weight_correlation": np.corrcoef((m @ n.T).ravel(), (inferred_m @ inferred_n.T).ravel())[0, 1],
                    "effective_weight_correlation": np.corrcoef(effective[0].ravel(), effective[1].ravel())[0, 1],
                    "sorted_effective_weight_correlation":
                        np.corrcoef(np.sort(effective[0].ravel()), np.sort(effective[1].ravel()))[0, 1]}
        for key, value in expected.items():
            self.saw(key, found[key], 1e-10)
            self.assertAlmostEqual(found[key], value, delta=1e-10)
        self.assertGreater(found["sorted_effective_weight_correlation"], 0.9)
        self.assertLess(abs(found["weight_correlation"]), 0.2)


if __name__ == "__main__":
    main()
