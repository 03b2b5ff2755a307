"""`rankflow analyze populations`: what it finds, that ranks do not matter, mistakes; every command of docs/populations.md."""
import h5py
import numpy as np
from network_files import NetworkFiles
from support import EXAMPLES, differences, main, provenance, run

QUICK = ("--set", "populations.most=5", "--set", "populations.fixed_point_starts=200", "--set", "grid.points=8")


class Populations(NetworkFiles):
    def test_commands_of_the_documentation(self):
        self.run_commands_of("populations.md", 6)
        self.assertTrue((self.here / "run.h5").exists())

    def test_quadstable(self):
        network = self.network("network")
        output = self.here / "out.h5"
        text = run("analyze", "populations", network, "-o", output, *QUICK).stdout
        self.assertIn("4 population(s)", text)
        for p in range(1, 5):
            self.assertIn(f"flow without population {p}\n", text)
        self.draw(output)
        with h5py.File(output, "r") as file, h5py.File(network, "r") as truth:
            self.assertEqual(4, file["cross_validation"].attrs["chosen"])
            for printed, group in (("none", "none"), ("1", "population_0"), ("4", "population_3")):
                points = file[f"silencing/{group}/latent"].shape[0]
                self.assertRegex(text, rf"(?m)^ +{printed}  (flow changes by [\d.]+; )?{points} fixed point")
            self.assertEqual(4, file["silencing/none/stable"][()].sum())
            labels, true = file["populations/label"][()], truth["network/population"][()]
            whole, parts = file["flow_field/whole"][()], [file[f"flow_field/drive_{p}"][()] for p in range(4)]
            z = file["flow_field/latent"][()]
            m, n = truth["network/m"][()], truth["network/n"][()]
        pairs = {(a, b) for a, b in zip(labels, true)}
        agreement = sum(max(np.sum((labels == k) & (true == t)) for t in range(4)) for k in range(4))
        self.assertGreater(agreement, 995, pairs)
        # The flow without a population is that of a network whose n is 0 there.
        for p in range(4):
            silenced = np.where((labels == p)[:, None], 0, n)
            expected = np.tanh(z @ m.T) @ silenced / len(m) - z
            self.assertLess(np.max(np.abs(whole - parts[p] - expected)), 1e-12)

    def test_ranks_do_not_matter(self):
        network = self.network("network", "network.neurons=1300")
        outputs = []
        for ranks in (1, 2, 3, 4):
            output, drawn = self.here / f"{ranks}.h5", self.here / f"drawn_{ranks}.h5"
            run("analyze", "populations", network, "-o", output, "--resample", "900", "--resampled", drawn, *QUICK,
                ranks=ranks)
            self.assertEqual(ranks, provenance(output)["ranks"])
            outputs.append((output, drawn))
        for output, drawn in outputs[1:]:
            self.assertEqual([], differences(outputs[0][0], output))
            self.assertEqual([], differences(outputs[0][1], drawn))
        other, other_drawn = self.here / "other.h5", self.here / "other_drawn.h5"
        run("analyze", "populations", network, "-o", other, "--resample", "900", "--resampled", other_drawn, *QUICK,
            "--set", "populations.seed=9")
        self.assertIn("/cross_validation/log_likelihood", differences(outputs[0][0], other))
        self.assertIn("/network/m", differences(outputs[0][1], other_drawn))

    def test_a_resampled_network_is_made_again_from_its_configuration(self):
        network, drawn = self.network("network"), self.here / "drawn.h5"
        run("analyze", "populations", network, "--resample", "700", "--resampled", drawn, *QUICK)
        config = self.here / "again.toml"
        config.write_text(provenance(drawn)["configuration"])
        run("generate", "network", config, "-o", self.here / "again.h5")
        self.assertEqual([], differences(drawn, self.here / "again.h5"))

    def test_one_population_with_inputs(self):
        network = self.network("network", "network.preset=decision", "network.neurons=500")
        text = run("analyze", "populations", network, *QUICK, "--set", "grid.inputs=[0.5]").stdout
        self.assertIn("1 population(s)", text)
        self.assertIn("b1", text)
        self.assertIn("flow changes by", text)

    def test_mistakes(self):
        network = self.network("network", "network.neurons=100")
        few = self.network("few", "network.neurons=8")
        own_tau = self.network("own_tau", "network.neurons=100", "network.time_constants=log_uniform")
        np.savez(self.here / "same.npz", m=np.ones((30, 2)), n=np.ones((30, 2)))
        config = self.here / "same.toml"
        config.write_text('[network]\nsource = "arrays"\n[network.arrays]\nm = "same.npz:m"\nn = "same.npz:n"\n')
        same = self.here / "same.h5"
        run("-q", "generate", "network", config, "-o", same, cwd=self.here)
        for arguments, code, words in (
                ((few,), 3, "8 neurons are too few for 5 folds"),
                ((same,), 3, "all 30 neurons have the same loadings"),
                ((own_tau, *QUICK), 3, "time constants of its own"),
                ((network, "--set", "populations.count=9"), 2, "above populations.most (8)"),
                ((network, "--set", "populations.folds=1"), 2, "populations.folds"),
                ((network, "--set", "grid.inputs=[1.0]", *QUICK), 2, "1 constant inputs are given"),
                ((network, "--resample", "0"), 2, "--resample: Value 0 not in range 1 to 100000000000"),
                ((network, "--resample", "-5"), 2, "--resample: Value -5 not in range 1"),
                ((self.here / "missing.h5",), 3, "does not exist")):
            with self.subTest(words):
                self.assertIn(words, run("analyze", "populations", *arguments, expect=code).stderr)


main()
