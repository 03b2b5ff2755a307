"""`rankflow compare`: what it finds, that ranks do not matter, mistakes; every command of docs/comparison.md."""
import h5py
import numpy as np
from network_files import NetworkFiles
from support import differences, main, provenance, run

QUICK = ("--set", "compare.points=200", "--set", "compare.conditional_neurons=200", "--set", "grid.points=8")


class Compare(NetworkFiles):
    def values(self, *arguments, **more):
        output = self.here / "comparison.h5"
        text = run("compare", *arguments, "-o", output, *QUICK, **more).stdout
        with h5py.File(output, "r") as file:
            return dict(file["comparison"].attrs), text

    def test_commands_of_the_documentation(self):
        self.run_commands_of("comparison.md", 7)

    def test_ranks_do_not_matter(self):
        first, second = self.network("first"), self.network("second", "run.seed=2", "network.preset=bistable")
        outputs = []
        for ranks in (1, 2, 3, 4):
            output = self.here / f"{ranks}.h5"
            run("compare", first, second, "-o", output, *QUICK, ranks=ranks)
            self.assertEqual(ranks, provenance(output)["ranks"])
            outputs.append(output)
        for output in outputs[1:]:
            self.assertEqual([], differences(outputs[0], output))
        other = self.here / "other.h5"
        run("compare", first, second, "-o", other, *QUICK, "--set", "compare.seed=5")
        self.assertIn("/comparison@sinkhorn_divergence", differences(outputs[0], other))

    def test_close_and_far(self):
        first, same = self.network("first"), self.network("same", "run.seed=2")
        far = self.network("far", "network.preset=limit_cycle", "network.neurons=700")
        near, text = self.values(first, same)
        away, far_text = self.values(first, far)
        self.assertIn("closed form of the preset quadstable", text)
        for key in ("distance", "conditional_error", "conditional_mean_error", "flow_difference"):
            self.assertLess(near[key], away[key], key)
        self.assertEqual(0.0, near["conditional_mean_error"])
        self.assertIn("weight_correlation", near)
        self.assertNotIn("weight_correlation", away)
        self.assertIn("not available: 1000 and 700 neurons", far_text)
        self.draw(self.here / "comparison.h5")
        itself, _ = self.values(first, first)
        self.assertAlmostEqual(1.0, itself["weight_correlation"], delta=1e-12)
        self.assertEqual(0.0, itself["flow_difference"])
        # Iterations stop at 1e-3 of the mass misplaced, and no divergence is negative.
        self.assertGreaterEqual(itself["sinkhorn_divergence"], 0)
        self.assertLess(itself["sinkhorn_divergence"], 1e-6)

    def test_free_part_is_seen_as_free(self):
        """n less its conditional mean, added once more: other weights, nearly the same flow."""
        first = self.network("first", "network.preset=bistable", "network.neurons=4000")
        with h5py.File(first, "r") as file:
            m, n = file["network/m"][()], file["network/n"][()]
        mean = m @ np.array([[1.2, 0.8], [0.0, 1.6]]).T
        np.savez(self.here / "more.npz", m=m, n=mean + 2 * (n - mean), shifted=n + 1.5 * m)
        config = self.here / "more.toml"
        paths = {}
        for name, key in (("free", "n"), ("required", "shifted")):
            config.write_text(f'[network]\nsource = "arrays"\n[network.arrays]\nm = "more.npz:m"\nn = "more.npz:{key}"\n')
            paths[name] = self.here / f"{name}.h5"
            run("-q", "generate", "network", config, "-o", paths[name], cwd=self.here)
        free, _ = self.values(first, paths["free"])
        required, _ = self.values(first, paths["required"])
        self.assertGreater(free["free_part_second"], 3 * free["free_part_first"])
        self.assertGreater(free["conditional_error"], 3 * free["free_part_first"])
        # The second mean is estimated from 200 neurons: 14 numbers of variance 4 * 1.68 / 200 each, over two components.
        self.assertLess(free["conditional_mean_error"], 14 / 2 * 4 * 1.68 / 200)
        self.assertGreater(required["conditional_mean_error"], 1.5)
        self.assertLess(free["flow_difference"], 0.2)
        self.assertGreater(required["flow_difference"], 0.3)

    def test_what_coordinates_of_the_latents_leave_alone(self):
        """A fit chooses z itself: A z with m A^-1 and A n is the same network."""
        first = self.network("first", "network.preset=limit_cycle")
        turn = np.array([[1.5, 0.7], [-0.4, 0.8]])
        with h5py.File(first) as file, h5py.File(self.here / "turned.h5", "w") as other:
            group = other.create_group("network")
            group["m"] = file["network/m"][()] @ np.linalg.inv(turn)
            group["n"] = file["network/n"][()] @ turn.T
            group.attrs["activation"] = file["network"].attrs["activation"]
        found, text = self.values(first, self.here / "turned.h5")
        with h5py.File(self.here / "comparison.h5") as file:
            overlap, parts = file["comparison/overlap"][()], file["comparison/overlap_eigenvalue"][()]
        for network in range(2):
            expected = np.linalg.eigvals(overlap[network])
            expected = expected[np.lexsort((-expected.imag, -expected.real))]
            np.testing.assert_allclose(parts[network], np.stack([expected.real, expected.imag], axis=1), rtol=0, atol=1e-12)
        np.testing.assert_allclose(parts[0], parts[1], rtol=0, atol=1e-12)
        self.assertGreater(abs(parts[0, 0, 1]), 0.1)  # a rotation
        self.assertIn("i (first)", text)
        for key in ("weight_correlation", "effective_weight_correlation", "sorted_effective_weight_correlation"):
            self.assertAlmostEqual(1.0, found[key], delta=1e-9)
        self.assertGreater(np.abs(overlap[0] - overlap[1]).max(), 0.1, "control: not all is left alone")
        self.assertGreater(found["distance"], 0.1)

    def test_weights_that_do_not_vary(self):
        first = self.network("first", "network.neurons=100")
        with h5py.File(first) as file, h5py.File(self.here / "silent.h5", "w") as other:
            other["network/m"], other["network/n"] = file["network/m"][()], np.zeros((100, 2))
        found, text = self.values(first, self.here / "silent.h5")
        self.assertNotIn("weight_correlation", found)
        self.assertIn("not available: all weights of one of the networks are equal", text)
        self.assertNotIn("nan", text)
        with h5py.File(self.here / "silent.h5", "r+") as other:
            other["network/m"][3, 1] = 1e60
        self.assertIn("compare.blur", run("compare", first, self.here / "silent.h5", expect=3).stderr)

    def test_mistakes(self):
        first = self.network("first", "network.neurons=100")
        decision = self.network("decision", "network.preset=decision", "network.neurons=100")
        own_tau = self.network("own_tau", "network.neurons=100", "network.time_constants=log_uniform")
        with h5py.File(self.here / "no_network.h5", "w") as file:
            file["values"] = np.zeros(3)
        for arguments, code, words in (
                ((first, decision), 3, "rank 2 and 0 input channels, the second rank 1 and 1"),
                ((first, own_tau), 3, "time constants of its own"),
                ((first, self.here / "no_network.h5"), 3, "/network"),
                ((first, self.here / "missing.h5"), 3, "does not exist"),
                ((first, first, "--set", "compare.blur=0"), 2, "compare.blur"),
                ((first, first, "--set", "compare.points=1"), 2, "compare.points"),
                ((first, first, "--set", "compare.bluur=1"), 2, "blur"),
                ((first, first, "--set", "grid.inputs=[1.0]"), 2, "1 constant inputs are given"),
                ((first, first, "--set", "compare.conditional_mean=preset", "--set", "compare.preset=decision"), 2,
                 "compare.preset: decision has rank 1")):
            with self.subTest(words):
                self.assertIn(words, run("compare", *arguments, expect=code).stderr)


main()
