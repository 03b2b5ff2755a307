"""Recordings and networks from arrays arrive as they were, whatever the order of their axes."""
import pathlib
import unittest

import h5py
import numpy as np
from support import EXAMPLES, differences, folder, main, run


class Imports(unittest.TestCase):
    def setUp(self):
        self.folder = folder()
        self.addCleanup(self.folder.cleanup)
        self.here = pathlib.Path(self.folder.name)
        rng = np.random.default_rng(7)
        self.counts = rng.poisson(0.7, (4, 30, 6)).astype("u1")
        self.inputs = rng.normal(size=(4, 30, 2))
        self.mask = np.ones((4, 30), "u1")
        self.mask[1, 20:] = 0

    def recording(self, text, name="out.h5", command=("import", "recording")):
        config = self.here / "config.toml"
        config.write_text("[recording]\nbin_width = 0.02\n" + text)
        run(*command, config, "-o", self.here / name)
        with h5py.File(self.here / name, "r") as file:
            return {key: value[()] for key, value in file["recording"].items()} | dict(file["recording"].attrs)

    def test_numpy(self):
        np.savez(self.here / "a.npz", counts=self.counts, inputs=self.inputs, mask=self.mask)
        found = self.recording('kind = "poisson"\nobservations = "a.npz:counts"\ninputs = "a.npz:inputs"\n'
                               'mask = "a.npz:mask"\n')
        np.testing.assert_array_equal(self.counts, found["observations"])
        np.testing.assert_array_equal(self.inputs, found["inputs"])
        np.testing.assert_array_equal(self.mask, found["mask"])
        self.assertEqual(("poisson", 0.02), (found["observation_kind"], found["bin_width_s"]))
        np.testing.assert_allclose(found["time"], 0.02 * np.arange(30))

    def test_order_of_axes(self):
        order = {"trial": 0, "time": 1, "channel": 2}
        np.save(self.here / "straight.npy", self.counts.astype("f8"))
        self.recording('observations = "straight.npy"\n', "straight.h5")
        for axes in ("channel time trial", "time channel trial", "channel trial time"):
            turned = self.counts.astype("f8").transpose([order[word] for word in axes.split()])
            np.save(self.here / "turned.npy", np.asfortranarray(turned))
            with h5py.File(self.here / "turned_in.h5", "w") as file:
                file["deep/in/it"] = turned
            for number, source in enumerate(("turned.npy", "turned_in.h5:/deep/in/it")):
                name = f"out{number}.h5"
                self.recording(f'observations = "{source}"\naxes = "{axes}"\n', name)
                self.assertEqual([], differences(self.here / "straight.h5", self.here / name), (axes, source))
        # As it stands, without saying how the axes lie, it is another recording.
        self.recording('observations = "turned.npy"\n', "wrong.h5")
        self.assertIn("/recording/observations", differences(self.here / "straight.h5", self.here / "wrong.h5"))

    def test_single_trial_with_holes(self):
        signal = np.random.default_rng(2).normal(size=(6, 50))
        signal[:, 45:] = np.nan
        np.save(self.here / "signal.npy", signal)
        found = self.recording('observations = "signal.npy"\naxes = "channel time"\nn_steps = [45]\n')
        np.testing.assert_array_equal(signal.T[np.newaxis], found["observations"])
        np.testing.assert_array_equal((np.arange(50) < 45)[np.newaxis], found["mask"])
        report = run("inspect", self.here / "out.h5").stdout
        self.assertIn("30 absent", report)
        self.assertIn("health: no NaN", report)

    def test_network_file(self):
        """A generated network file, simulated, gives what the network drawn in place gives."""
        network = self.here / "network.h5"
        config = self.here / "network.toml"
        config.write_text('[run]\nseed = 1\n[network]\npreset = "ring_attractor"\nneurons = 1000\n')
        run("generate", "network", config, "-o", network, ranks=2)
        ring = EXAMPLES / "ring_attractor.toml"
        run("simulate", ring, "-o", self.here / "drawn.h5", "--set", "network.tau=0.1")
        run("simulate", ring, "-o", self.here / "stored.h5", "--set", "network.source=file",
            "--set", f"network.file={network}")
        self.assertEqual([], differences(self.here / "drawn.h5", self.here / "stored.h5"))
        run("generate", "network", config, "-o", network, "--set", "run.seed=2")
        run("simulate", ring, "-o", self.here / "other.h5", "--set", "network.source=file",
            "--set", f"network.file={network}")
        self.assertIn("/trajectory/latent", differences(self.here / "drawn.h5", self.here / "other.h5"))


main()
