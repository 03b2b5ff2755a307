"""Flows of connectivity from outside: the same bits on any number of ranks and after stops, networks that simulate,
and what is refused."""
import pathlib
import shutil
import unittest

import h5py
import numpy as np
from support import EXAMPLES, differences, folder, in_parallel, main, provenance, run

STOPPED = 75
# More neurons than fit one rank's tile.
BASE = """
[run]
seed = 3
[network]
preset = "limit_cycle"
neurons = 1100
[latents.simulation]
grid_points = 4
rows = 15
[loadings_flow]
epochs = 4
batch = 300
hidden_layers = 2
hidden_width = 32
validation_fraction = 0.1
validation_every = 2
[conditional_flow]
epochs = 4
neurons = 1100
hidden_layers = 2
hidden_width = 32
judged_neurons = 1100
{conditional}
[sampler]
steps = 4
{more}
"""
INPUTS = """
[ridge]
evidence = {evidence}
penalty = 1e-3
[[inputs]]
kind = "ornstein_uhlenbeck"
"""
POPULATIONS = """source = "populations"
rank = 1
neurons = 1100
[[network.populations]]
mean = [0.0, 0.0, 0.0, 0.4]
covariance = [[1, 1.4, 0, 0], [1.4, 7, 2, 0], [0, 2, 1, 0], [0, 0, 0, 0.1]]
"""
CASES = {
    "mean": BASE.format(conditional="", more=""),
    "draws": BASE.format(conditional="draws = true\nbatch = 400\naverage_memory = 0.9", more=INPUTS.format(
        evidence="false")).replace('preset = "limit_cycle"\nneurons = 1100\n', POPULATIONS),
}

# Extreme neurons, which the basis of the first ones lacks.
CASES["tails"] = CASES["mean"].replace('preset = "limit_cycle"', 'source = "heavy_tailed"').replace(
    "[latents.simulation]", """[network.heavy_tailed]
distribution = "student_t"
degrees_of_freedom = 2.2
overlap = [[1.6, -0.8], [0.8, 1.6]]
[latents.simulation]""").replace("grid_points = 4", "grid_points = 8")


class SameBits(unittest.TestCase):
    def check(self, name):
        with folder() as path:
            here = pathlib.Path(path)
            (here / "flow.toml").write_text(CASES[name])
            for ranks in (1, 2, 3, 4):
                run("fit", "flow", "flow.toml", "-o", f"{ranks}.h5", ranks=ranks, cwd=here)
                self.assertEqual(ranks, provenance(here / f"{ranks}.h5")["ranks"])
                self.assertEqual([], differences(here / "1.h5", here / f"{ranks}.h5"), f"{name} on {ranks} ranks")
            run("fit", "flow", "flow.toml", "-o", "other.h5", "--set", "run.seed=4", cwd=here)
            self.assertNotEqual([], differences(here / "1.h5", here / "other.h5"), "another seed must differ")
            # Stops within the first training, between both and within the second, each on other ranks.
            before = None
            for epochs, ranks in ((3, 2), (4, 3), (6, 4)):
                done = run("fit", "flow", "flow.toml", "-o", "stopped.h5", "--set", f"run.pause_after={epochs}",
                           *(["--resume"] if before else []), ranks=ranks, expect=STOPPED, cwd=here)
                self.assertGoesOn(done, before)
                before = epochs / 8
                if epochs == 4:
                    refused = run("sample", "stopped.h5", "-o", "net.h5", expect=3, cwd=here).stderr
                    self.assertRegex(refused, r"not finished: 0 of 4 epochs")
            self.assertGoesOn(run("fit", "flow", "flow.toml", "-o", "stopped.h5", "--resume", cwd=here), before)
            # The configuration tells of no pause in the straight run.
            self.assertEqual([], differences(here / "1.h5", here / "stopped.h5"), f"{name} resumed")
            self.assertEqual([], list(here.glob("*.checkpoint-*")))

    def assertGoesOn(self, done, share):
        """From the last stop, not from an earlier one because a checkpoint is damaged."""
        said = done.stdout + done.stderr
        self.assertNotIn("damaged", said)
        if share:
            self.assertIn(f"from {100 * share:.1f} % of the work", said)

    def test_mean(self):
        self.check("mean")

    def test_basis_that_changes(self):
        with folder() as path:
            here = pathlib.Path(path)
            (here / "flow.toml").write_text(CASES["tails"])
            more = ["--set", "loadings_flow.epochs=20", "--set", "conditional_flow.epochs=12"]
            run("fit", "flow", "flow.toml", "-o", "straight.h5", *more, cwd=here)
            run("fit", "flow", "flow.toml", "-o", "ranks.h5", *more, ranks=2, cwd=here)
            self.assertEqual([], differences(here / "straight.h5", here / "ranks.h5"))
            changes = []
            for number, epochs in enumerate((26, 29)):
                done = run("fit", "flow", "flow.toml", "-o", "stopped.h5", *more, "--set", f"run.pause_after={epochs}",
                           *(["--resume"] if number else []), expect=STOPPED, ranks=2, cwd=here)
                self.assertGoesOn(done, 26 / 32 if number else None)
                with h5py.File(here / "stopped.h5") as file:
                    changes.append(file["training"].attrs["basis_changes"])
            self.assertGoesOn(run("fit", "flow", "flow.toml", "-o", "stopped.h5", *more, "--resume", ranks=3, cwd=here), 29 / 32)
            self.assertEqual([], differences(here / "straight.h5", here / "stopped.h5"))
            self.assertGreater(changes[0], 0, "control: the basis had changed when it was stopped")

    def test_draws_with_inputs_and_biases(self):
        self.check("draws")


class Networks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder()
        cls.here = pathlib.Path(cls.folder.name)
        (cls.here / "flow.toml").write_text(CASES["draws"])
        run("fit", "flow", "flow.toml", "-o", "flow.h5", cwd=cls.here)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def sample(self, output, *arguments, ranks=0):
        run("sample", "flow.h5", "-o", output, *arguments, ranks=ranks, cwd=self.here)
        return self.here / output

    def test_ranks_and_sizes(self):
        for more in ([], ["--conditional-mean"]):
            one = self.sample("one.h5", "--neurons", 1500, *more)
            for ranks in (2, 3, 4):
                self.assertEqual([], differences(one, self.sample("r.h5", "--neurons", 1500, *more, ranks=ranks)))
            self.assertNotEqual([], differences(one, self.sample("r.h5", "--neurons", 1500, "--seed", 2, *more)))
        one = self.sample("one.h5", "--neurons", 1500)
        with h5py.File(one) as small, h5py.File(self.sample("large.h5", "--neurons", 5000)) as large:
            for name in ("m", "n", "input_weights", "bias"):
                np.testing.assert_array_equal(small["network"][name][:], large["network"][name][:1500], name)
                self.assertGreater(np.std(large["network"][name][:]), 0, name)

    def test_simulates(self):
        self.sample("net.h5", "--neurons", 2000, "--set", "sample.precision=single")
        (self.here / "run.toml").write_text(
            '[network]\nsource = "file"\nfile = "net.h5"\n[time]\nstep = 0.01\nduration = 0.3\n'
            '[integration]\nmethod = "map"\n[initial]\nlatent = [1.0]\n')
        run("simulate", "run.toml", "-o", "run.h5", cwd=self.here)
        with h5py.File(self.here / "run.h5") as file, h5py.File(self.here / "net.h5") as net:
            latent = file["trajectory/latent"][0, :, 0]
            self.assertAlmostEqual(0.9, net["network"].attrs["decay"])
            self.assertEqual(np.float32, net["network/m"].dtype)
            # One step by hand.
            m, n, d = net["network/m"][:, 0], net["network/n"][:, 0], net["network/bias"][:]
            step = 0.9 * latent[0] + 0.1 * np.mean(n * np.tanh(m * latent[0] + d))
            self.assertAlmostEqual(step, latent[1], 6)
        self.assertRegex(run("inspect", "flow.h5", cwd=self.here).stdout, r"Rankflow flow file, complete")

    def test_warm_start(self):
        def losses(*sets):
            run("fit", "flow", "flow.toml", "-o", "again.h5", "--overwrite",
                *(word for s in sets for word in ("--set", s)), cwd=self.here)
            with h5py.File(self.here / "again.h5") as file:
                return file["training/conditional_loss"][0], file["loadings_flow/parameters"][:]
        warm = losses("run.start=flow.h5", "loadings_flow.epochs=0", "ridge.penalty=2e-3")
        with h5py.File(self.here / "flow.h5") as file:
            cold = file["training/conditional_loss"][0]
            np.testing.assert_array_equal(file["loadings_flow/parameters"][:], warm[1])
        self.assertLess(warm[0], cold)
        told = run("fit", "flow", "flow.toml", "-o", "x.h5", "--set", "run.start=flow.h5", "--set",
                   "conditional_flow.hidden_width=16", expect=3, cwd=self.here).stderr
        self.assertIn("other shapes", told)
        told = run("fit", "flow", "flow.toml", "-o", "x.h5", "--set", "run.start=flow.h5", "--set",
                   "loadings_flow.path=linear", expect=3, cwd=self.here).stderr
        self.assertIn("another path", told)
        (self.here / "other.toml").write_text(CASES["mean"])
        told = run("fit", "flow", "other.toml", "-o", "x.h5", "--set", "run.start=flow.h5", expect=3,
                   cwd=self.here).stderr
        self.assertIn("rank 1, 1 input(s), a bias, the network here has rank 2, 0 input(s), no bias", told)

    def test_too_large(self):
        for more in ([], ["--dry-run"]):
            told = run("sample", "flow.h5", "-o", "huge.h5", "--neurons", 10**11, *more, expect=2, cwd=self.here).stderr
            self.assertRegex(told, "100000000000 neurons take .*B on each of 1 rank")

    def test_moved_and_complete(self):
        shutil.copytree(self.here, self.here / "elsewhere", ignore=lambda *_: ["elsewhere"])
        told = run("fit", "flow", "flow.toml", "-o", "flow.h5", "--resume", cwd=self.here / "elsewhere").stderr
        self.assertIn("nothing to resume", told)
        told = run("fit", "flow", "flow.toml", "-o", "flow.h5", "--resume", "--set", "ridge.penalty=1", expect=2,
                   cwd=self.here).stderr
        self.assertIn("another configuration", told)


class Refused(unittest.TestCase):
    """Every mistake: the exit code, and words that name what is wrong."""

    def check(self, code, words, text=None, more=(), files=None):
        with folder() as path:
            here = pathlib.Path(path)
            for name, values in (files or {}).items():
                np.save(here / name, values)
            (here / "flow.toml").write_text(CASES["mean"] if text is None else text)
            done = run("fit", "flow", "flow.toml", "-o", "flow.h5", *more, expect=code, cwd=here)
            for word in words:
                self.assertIn(word, done.stderr)
            return done

    def latents(self, code, words, z, *sets):
        more = [word for s in ("latents.source=array", "latents.array=z.npy", "latents.decay=0.9", *sets)
                for word in ("--set", s)]
        self.check(code, words, more=more, files={"z.npy": z})

    def test_latents(self):
        time = np.linspace(0, 3, 30)
        good = np.stack([np.stack([np.sin(time + k), np.cos(time + k)], 1) for k in range(6)])
        self.latents(0, [], good)  # the control
        self.latents(3, ["rank 3", "m of the network has 2 column"], np.concatenate([good, good[:, :, :1]], 2))
        self.latents(3, ["row"], good[:, :2, :][:5])
        self.latents(3, ["latent"], np.ones_like(good))
        broken = good.copy()
        broken[2, 3, 1] = np.nan
        self.latents(3, ["latents.array", "[2, 3, 1]", "nan"], broken)
        self.latents(2, ["latents.decay"], good, "latents.decay=1.0")
        self.latents(3, ["trial 0, step 4", "1e+200"], np.where(np.arange(30)[:, None] == 4, 1e200, good))
        mask = np.ones(good.shape[:2])
        mask[2, 3] = 0
        self.masked(3, ["[2, 3, 1]", "must be finite"], broken, mask)
        self.assertRegex(self.masked(0, [], good, mask).stderr, "2 pairs of successive rows .* left out")
        self.latents(2, ["test_fraction"], good, "latents.test_fraction=0.9")

    def masked(self, code, words, z, mask):
        return self.check(code, words, more=["--set", "latents.source=array", "--set", "latents.array=z.npy", "--set",
                                             "latents.mask=mask.npy", "--set", "latents.decay=0.9"],
                          files={"z.npy": z, "mask.npy": mask})

    def test_runs(self):
        with folder() as path:
            here = pathlib.Path(path)
            (here / "flow.toml").write_text(CASES["mean"])
            (here / "run.toml").write_text('[network]\npreset = "limit_cycle"\nneurons = 1100\n[time]\nstep = 0.01\n'
                                           'duration = 0.5\ntrials = 6\n[initial]\nlatent = [1.0, 0.5]\n')
            run("simulate", "run.toml", "-o", "run.h5", cwd=here)

            def fit(code, *sets):
                words = [word for s in ("latents.source=run", "latents.file=run.h5", *sets) for word in ("--set", s)]
                return run("fit", "flow", "flow.toml", "-o", "flow.h5", "--overwrite", *words, expect=code,
                           cwd=here).stderr
            fit(0)  # the control
            self.assertRegex(fit(3, "network.tau=0.2"), "with tau 0.1, the network here has 0.2")
            for status, words in (("running", "still running, or was killed"), ("failed", "failed .*: its latents")):
                with h5py.File(here / "run.h5", "r+") as file:
                    file["provenance"].attrs["status"] = status
                self.assertRegex(fit(3), words)
            with h5py.File(here / "run.h5", "r+") as file:
                file["provenance"].attrs["status"] = "complete"
                file["trajectory/time"][7] = np.nan
            self.assertRegex(fit(3), "not evenly spaced .* at row 7")
            with h5py.File(here / "run.h5", "r+") as file:
                file["trajectory/time"][...] = 1
            self.assertRegex(fit(3), "does not ascend")

    def test_fits(self):
        """Fits that are unstable, under way, or hold no model."""
        with folder() as path:
            here = pathlib.Path(path)
            run("-q", "generate", "recording", EXAMPLES / "oscillator_recording.toml", "-o", "data.h5", cwd=here)
            run("-q", "fit", "vsmc", EXAMPLES / "fit_oscillator.toml", "-o", "fit.h5", cwd=here, *(word for item in (
                f"data.file={here / 'data.h5'}", "training.epochs=1", "training.steps_per_epoch=1",
                "network.activation=identity") for word in ("--set", item)))

            def flow(code, change):
                shutil.copy(here / "fit.h5", here / "changed.h5")
                with h5py.File(here / "changed.h5", "r+") as file:
                    change(file)
                sets = (word for item in ("loadings_flow.epochs=1", "conditional_flow.epochs=0",
                                          "conditional_flow.judged_neurons=10", "sampler.steps=2") for word in ("--set", item))
                return run("fit", "flow", "--from", "changed.h5", "-o", "flow.h5", "--overwrite", *sets, expect=code, cwd=here).stderr

            def grow(file):
                file["network/n"][...] *= 100

            def status(file, word):
                file["provenance"].attrs["status"] = word

            def lose(file):
                status(file, "failed")
                file["model/best"][...] = np.nan

            flow(0, lambda file: None)  # the control
            self.assertRegex(flow(4, grow), "network is unstable: from the first state of trial .* fit it longer")
            self.assertRegex(flow(3, lambda file: status(file, "running")), "still running, or was killed")
            self.assertRegex(flow(3, lose), "holds no model")

    def test_options(self):
        self.check(2, ["noise", "give ridge.penalty"], more=["--set", "ridge.evidence=true"])
        self.check(2, ["dense matrix of 20000 equations"], more=["--set", "ridge.form=neurons", "--set",
                                                                 "conditional_flow.neurons=20000"])
        self.check(3, ["3 neuron(s)", "at least 4"], more=["--set", "network.neurons=3"])
        self.check(2, ["ridge.penalty", "above 0"], more=["--set", "ridge.penalty=0"])
        self.check(2, ["ridge.penalty", "above 0"], more=["--set", "ridge.penalty=-1"])
        self.check(2, ["ridge.penalti", "penalty"], more=["--set", "ridge.penalti=1"])
        self.check(2, ["latents.decay", "array"], more=["--set", "latents.source=array", "--set",
                                                       "latents.array=z.npy"], files={"z.npy": np.random.rand(9, 9, 2)})
        self.check(2, ["network.leak"], more=["--set", "network.leak=0.5"])
        self.check(2, ["time constant"], more=["--set", "network.time_constants=log_uniform"])
        self.check(2, ["grid_points"], more=["--set", "latents.simulation.grid_points=100000"])
        self.check(2, ["time constant"], more=["--set", "latents.simulation.step=0.2"])

    def test_trouble(self):
        # Without a leak, overlaps above 1 let a linear network grow without bound.
        self.check(4, ["unstable", "latent z_"], more=["--set", "network.activation=identity", "--set",
                                                       "latents.simulation.rows=2000", "--set", "latents.decay=0"])
        # A learning rate beyond reason is halved until the training gives up, and the file says so.
        done = self.check(4, ["setback"], more=["--set", "loadings_flow.optimiser.learning_rate=1e30"])
        self.assertIn("going back", done.stderr)
        # Neurons of a flow that has learned nothing.
        self.check(0, ["worse than none"], more=["--set", "conditional_flow.epochs=0", "--set",
                                                 "conditional_flow.judged_neurons=1"])

    def test_failed(self):
        with folder() as path:
            here = pathlib.Path(path)
            (here / "flow.toml").write_text(CASES["mean"])
            run("fit", "flow", "flow.toml", "-o", "flow.h5", "--set", "loadings_flow.optimiser.learning_rate=1e30",
                expect=4, cwd=here)
            status = provenance(here / "flow.h5")
            self.assertEqual("failed", status["status"])
            self.assertIn("setbacks", status["failure"])
            self.assertIn("failed", run("sample", "flow.h5", "-o", "net.h5", expect=3, cwd=here).stderr)

    def test_other_files(self):
        with folder() as path:
            here = pathlib.Path(path)
            (here / "net.toml").write_text("[network]\nneurons = 10\n")
            run("generate", "network", "net.toml", "-o", "net.h5", cwd=here)
            self.assertIn("flow", run("sample", "net.h5", expect=3, cwd=here).stderr)
            self.assertIn("fit", run("fit", "flow", "--from", "net.h5", expect=3, cwd=here).stderr)
            (here / "flow.toml").write_text(CASES["mean"])
            with h5py.File(here / "none.h5", "w") as file:
                file.attrs["file_type"] = "recording"
            told = run("fit", "flow", "flow.toml", "-o", "x.h5", "--set", "network.source=file", "--set",
                       "network.file=none.h5", "--set", "network.neurons=0", expect=3, cwd=here).stderr
            self.assertRegex(told, "is a recording file without the group /network; needed is")
            self.assertIn("--from", run("fit", "flow", expect=2, cwd=here).stderr)


if __name__ == "__main__":
    main()
