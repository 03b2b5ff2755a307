"""What `inspect` says about each kind of file, sound and unsound."""
import pathlib
import shutil
import unittest

import h5py
import numpy as np
from support import EXAMPLES, folder, main, run


class Inspect(unittest.TestCase):
    def setUp(self):
        self.folder = folder()
        self.addCleanup(self.folder.cleanup)
        self.here = pathlib.Path(self.folder.name)

    def make(self, example, *more, command=("simulate",), expect=0):
        output = self.here / "out.h5"
        run(*command, EXAMPLES / f"{example}.toml", "-o", output, *more, expect=expect)
        return output

    def report(self, path):
        return run("inspect", path).stdout

    def test_run(self):
        text = self.report(self.make("decision", "--set", "run.seed=77"))
        for words in ("a Rankflow run file, complete", "seed 77", "on 1 rank(s)", "stop.above = 1.0",
                      "/trajectory/latent [trial 10, time 201, rank 1] float64: latent state z",
                      "trial(s) ended early by [stop]", "health: no NaN or infinity", "▁", "█"):
            self.assertIn(words, text)
        self.assertNotIn("run.precision", text, "defaults are not worth a line")
        self.assertNotIn("--resume", text)

    def test_statistics(self):
        output = self.make("oscillator_recording", command=("generate", "recording"))
        with h5py.File(output, "r") as file:
            values = file["recording/observations"][()]
        found = f"min {values.min():.6g}, mean {values.mean():.6g}, max {values.max():.6g}"
        self.assertIn(found, self.report(output))

    def test_stopped_run(self):
        output = self.make("ring_attractor", "--set", "time.duration=4000", "--set", "time.save_every=20",
                           "--set", "run.wall_time=0.5", expect=75)
        text = self.report(output)
        for words in ("stopped on request", f"checkpoint {output}.checkpoint-", f"rankflow simulate CONFIGURATION.toml "
                      f"-o {output} --resume", "not written", "rows written: 201 of 201 in 0 of 2 trial(s)",
                      "health: no NaN"):
            self.assertIn(words, text)
        text = self.report(next(self.here.glob("out.h5.checkpoint-*")))
        self.assertIn("a Rankflow checkpoint file", text)

    def test_failed_run(self):
        """A run whose state grows without bound; alone and on two ranks."""
        for ranks in (0, 2):
            output = self.here / f"failed-{ranks}.h5"
            done = run("simulate", EXAMPLES / "ring_attractor.toml", "-o", output, "--set", "network.activation=identity",
                       "--set", "time.duration=900", "--set", "time.save_every=20", ranks=ranks, expect=4)
            with h5py.File(output, "r") as file:
                about = dict(file["provenance"].attrs)
            self.assertEqual("failed", about["status"])
            self.assertRegex(about["failure"], "kappa_[01] became")
            self.assertIn(about["failure"], done.stderr)
            text = self.report(output)
            self.assertIn("a Rankflow run file, failed", text)
            self.assertIn(f"because {about['failure']}", text)

    def test_damage(self):
        output = self.make("oscillator_spikes", command=("generate", "recording"))
        with h5py.File(output, "r+") as file:
            file["truth/latent"][2, 7, 1] = np.nan
            file["truth/observation_bias"][3] = np.inf
        text = self.report(output)
        self.assertIn("PROBLEM: 1 NaN and 0 infinite, first at [2, 7, 1]", text)
        self.assertIn("PROBLEM: 0 NaN and 1 infinite, first at [3]", text)
        self.assertIn("health: PROBLEM in /truth/latent, /truth/observation_bias", text)

    def test_foreign(self):
        path = self.here / "foreign.h5"
        with h5py.File(path, "w") as file:
            file["session/spikes"] = np.ones((4, 10, 3), "u1")
            file["weights"] = np.ones((30, 2), "f4")
            file["names"] = ["a", "b"]
            file["flags"] = np.array([True, False])
            file["one"] = 2.5
            file["empty"] = np.zeros((0, 3))
        text = self.report(path)
        for words in ("of another program", "/session/spikes [4, 10, 3] uint8", f'observations = "{path}:/session/spikes"',
                      f'm = "{path}:/weights"', "/names [2] text", "/flags [2] bool", "min 2.5, mean 2.5, max 2.5",
                      "/empty [0, 3]"):
            self.assertIn(words, text)

    def test_large(self):
        """A dataset above 2^27 values is sampled, and the report says so."""
        path = self.here / "large.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("zeros", (2**15, 3 * 2**12), "u1", chunks=(2**8, 3 * 2**12), compression="gzip")
        self.assertIn("one block in 3 was looked at", self.report(path))

    def test_several_ranks(self):
        output = self.make("generate_network", command=("generate", "network"))
        copy = self.here / "copy.h5"
        shutil.copy(output, copy)
        self.assertEqual(self.report(copy), run("inspect", copy, ranks=3).stdout)


main()
