"""Real recordings, imported by the path of their datasets."""
import pathlib
import unittest

import h5py
import numpy as np
from support import folder, main, run, shared

RAT = shared("rat_luo2025_X087_2021_08_03.h5")
EEG = shared("eeg_schalk_S001R01.h5")


class Recordings(unittest.TestCase):
    def load(self, text):
        with folder() as name:
            config = pathlib.Path(name) / "config.toml"
            config.write_text("[recording]\n" + text)
            run("import", "recording", config, "-o", "out.h5", cwd=name, ranks=2)
            with h5py.File(pathlib.Path(name) / "out.h5", "r") as file:
                return {key: value[()] for key, value in file["recording"].items()}

    def test_rat(self):
        common = f'kind = "poisson"\nbin_width = 0.01\nobservations = "{RAT}:/spikes"\ninputs = "{RAT}:/inputs"\n'
        by_mask = self.load(common + f'mask = "{RAT}:/mask"\n')
        by_steps = self.load(common + f'n_steps = "{RAT}:/n_steps"\n')
        with h5py.File(RAT, "r") as file:
            np.testing.assert_array_equal(file["spikes"][()], by_mask["observations"])
            np.testing.assert_array_equal(file["inputs"][()], by_mask["inputs"])
            np.testing.assert_array_equal(file["mask"][()], by_mask["mask"])
        np.testing.assert_array_equal(by_mask["mask"], by_steps["mask"])
        self.assertFalse(by_mask["mask"].all())

    def test_eeg(self):
        found = self.load(f'bin_width = 0.00625\nobservations = "{EEG}:/signal"\n')
        with h5py.File(EEG, "r") as file:
            np.testing.assert_array_equal(file["signal"][()], found["observations"].astype("f4"))
        self.assertEqual((1, 9640, 64), found["observations"].shape)


main()
