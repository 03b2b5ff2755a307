"""Fits from outside: the same bits on any number of ranks and after a stop, a fit that is a network, and learning."""
import pathlib
import random
import shutil
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np
from support import command_line, differences, folder, in_parallel, main, provenance, run

STOPPED = 75
MODEL = """
[run]
seed = 3
[network]
neurons = {neurons}
rank = 2
activation = "{activation}"
[smc]
particles = {particles}
proposal = "{proposal}"
[training]
epochs = 3
batch_trials = 3
window = {window}
"""
GAUSSIAN = '[data]\nfile = "gaussian.h5"\n'
POISSON = '[data]\nfile = "poisson.h5"\n[observation]\nkind = "poisson"\nsource = "{source}"\n'
ENCODER = '[encoder]\nkernels = [5, 3]\nchannels = 8\n'

# name: configuration, whose files lie in the folder of the test
CASES = {
    "optimal": GAUSSIAN + MODEL.format(neurons=40, activation="clipped_relu", particles=7, proposal="optimal",
                                       window=20),
    # Particles of one window fill several blocks.
    "bootstrap-large": GAUSSIAN + MODEL.format(neurons=20, activation="tanh", particles=300, proposal="bootstrap",
                                               window=10),
    "quasi-newton": GAUSSIAN + MODEL.format(neurons=20, activation="tanh", particles=10, proposal="optimal",
                                            window=25) + 'method = "quasi_newton"\n',
    "encoder": POISSON.format(source="latent") + ENCODER + MODEL.format(
        neurons=30, activation="relu", particles=10, proposal="encoder", window=0),
    "encoder-double": POISSON.format(source="currents") + ENCODER + MODEL.format(
        neurons=30, activation="softplus", particles=10, proposal="encoder", window=15).replace(
            "seed = 3", 'seed = 3\nprecision = "double"').replace("rank = 2", 'rank = 2\ninput_path = "raw"'),
}


def recording(path, observations, kind, inputs=None, mask=None):
    with h5py.File(path, "w") as file:
        group = file.create_group("recording")
        group["observations"] = observations
        if inputs is not None:
            group["inputs"] = inputs
        if mask is not None:
            group["mask"] = mask
        group.attrs["bin_width_s"] = 0.02
        group.attrs["observation_kind"] = kind


def oscillation(rng, trials, steps, channels):
    """A noisy rotation seen through random weights."""
    phase = rng.uniform(0, 2 * np.pi, (trials, 1)) + 0.2 * np.arange(steps) + 0.02 * rng.normal(size=(trials, steps))
    latent = np.stack([np.cos(phase), np.sin(phase)], axis=2)
    return latent @ rng.normal(size=(2, channels))


def prepare(here):
    rng = np.random.default_rng(5)
    gaussian = oscillation(rng, 8, 60, 6) + 0.3 * rng.normal(size=(8, 60, 6))
    gaussian[2, 5, 3] = np.nan
    gaussian[4, 30:, :] = np.nan
    recording(here / "gaussian.h5", gaussian, "gaussian")
    recording(here / "driven.h5", gaussian[:3], "gaussian", inputs=rng.normal(size=(3, 60, 2)))
    steps = rng.integers(25, 41, 20)
    counts = rng.poisson(np.exp(oscillation(rng, 20, 40, 5) - 0.5))
    recording(here / "poisson.h5", counts, "poisson", inputs=rng.poisson(0.2, (20, 40, 2)),
              mask=np.arange(40) < steps[:, None])


class Fit(unittest.TestCase):
    def configuration(self, here, name):
        config = here / f"{name}.toml"
        config.write_text(CASES[name])
        return config

    def check_ranks(self, here, name):
        config = self.configuration(here, name)
        for ranks in (1, 2, 3, 4):
            output = here / f"{name}-{ranks}.h5"
            run("fit", "vsmc", config, "-o", output, ranks=ranks)
            self.assertEqual(ranks, provenance(output)["ranks"], name)
            self.assertEqual([], differences(here / f"{name}-1.h5", output), f"{name} on {ranks} ranks")
        other = here / f"{name}-other.h5"
        run("fit", "vsmc", config, "-o", other, "--set", "run.seed=4", "--set", "training.validation_fraction=0.13")
        changed = differences(here / f"{name}-1.h5", other)
        for path in ("/model/best", "/network/m", "/training/log_likelihood", "/data/held_out"):
            self.assertIn(path, changed, f"{name}: another seed must change {path}")
        with h5py.File(here / f"{name}-1.h5", "r") as file:
            curve = file["training/log_likelihood"][1:]
            self.assertEqual(3, np.isfinite(curve).sum(), name)
            self.assertTrue(np.isfinite(file["training/validation_log_likelihood"][...]).all(), name)

    def test_ranks(self):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            in_parallel([lambda case=case: self.check_ranks(here, case) for case in CASES])

    def started(self, *arguments, ranks=0):
        process = subprocess.Popen(command_line(*arguments, ranks=ranks), text=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        for line in process.stderr:
            if "fitting" in line:
                return process
        raise AssertionError(f"{' '.join(process.args)} ended with {process.wait()} before it could be stopped")

    def check_resume(self, here, name, epochs, number):
        config = self.configuration(here, name)
        sets = ["--set", f"training.epochs={epochs}", "--set", "training.validation_every=7"]
        straight, broken = here / f"{name}.h5", here / f"{name}-broken.h5"
        run("fit", "vsmc", config, "-o", straight, *sets)
        launched = number % 2 == 0
        first, then = (2, 3) if launched else (0, 2)
        process = self.started("fit", "vsmc", config, "-o", broken, *sets, ranks=first)
        time.sleep(random.uniform(0.0, 0.1))
        process.send_signal(signal.SIGUSR1 if launched else signal.SIGTERM)
        message = process.communicate(timeout=60)[1]
        self.assertEqual(STOPPED, process.returncode, f"{name}: {message}")
        self.assertIn("--resume", message)
        self.assertEqual("stopped", provenance(broken)["status"], name)
        self.assertIn("/training/log_likelihood", differences(straight, broken), f"{name}: not stopped in the middle")
        with h5py.File(broken, "r") as file:
            self.assertTrue(np.isfinite(file["network/n"][...]).all(), "a stopped fit holds a model")
        # Another model, or other data, is refused.
        for setting in ("network.neurons=21", "smc.particles=8", "data.trials=[0, 1, 2, 3, 4, 5]"):
            refused = run("fit", "vsmc", config, "-o", broken, *sets, "--set", setting, "--resume", expect=2)
            self.assertIn("belongs to another configuration", refused.stderr)
        done = run("fit", "vsmc", config, "-o", broken, *sets, "--resume", ranks=then)
        self.assertRegex(done.stderr, r"continuing .* from [1-9]", name)
        self.assertEqual([], differences(straight, broken), name)
        about = provenance(broken)
        self.assertEqual((then, 1, "complete"), (about["ranks"], about["resumes"], about["status"]), name)
        self.assertEqual([], list(here.glob(f"{name}-broken.h5.checkpoint-*")))

    def test_resume(self):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            cases = {"optimal": 3000, "encoder": 1000, "quasi-newton": 40}
            in_parallel([lambda n=n, c=case: self.check_resume(here, *c, n) for n, case in enumerate(cases.items())])

    def test_wall_time(self):
        """Stops when its time is up, again and again, until it is done; early stopping survives that."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            config = self.configuration(here, "optimal")
            sets = ["--set", "training.epochs=3000", "--set", "training.patience=30",
                    "--set", "training.optimiser.learning_rate=0.01"]
            straight = run("fit", "vsmc", config, "-o", here / "straight.h5", *sets)
            self.assertIn("judgements without a better one", straight.stderr)
            code, sessions = STOPPED, 0
            while code == STOPPED:
                resume = ["--resume"] if sessions else []
                code = run("fit", "vsmc", config, "-o", here / "broken.h5", *sets, "--set", "run.wall_time=0.3", *resume,
                           ranks=sessions % 3 + 1, expect=None).returncode
                sessions += 1
                self.assertLess(sessions, 300)
            self.assertEqual(0, code)
            self.assertEqual([], differences(here / "straight.h5", here / "broken.h5"))

    def test_a_fit_is_a_network(self):
        """Simulated without noise, a fit follows its own recursion, wherever the file is moved to."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            for case in ("optimal", "encoder", "encoder-double"):
                run("fit", "vsmc", self.configuration(here, case), "-o", here / "made.h5")
                (here / "elsewhere").mkdir(exist_ok=True)
                shutil.move(here / "made.h5", here / "elsewhere" / "fit.h5")
                rank = np.zeros((2, 2)).tolist()
                run("simulate", "elsewhere/fit.h5", "-o", "generated.h5", "--set", f"noise.latent_cholesky={rank}",
                    "--set", f"initial.latent_cholesky={rank}", "--set", "output.potentials=true", cwd=here)
                with h5py.File(here / "elsewhere" / "fit.h5") as fit, h5py.File(here / "generated.h5") as generated:
                    z, potentials = self.recursion(fit)
                    found = generated["trajectory/latent"][...]
                    self.assertEqual(z.shape, found.shape, case)
                    scale = np.abs(z).max()
                    # Sums in another order; the maps contract or oscillate, so that rounding grows little.
                    self.assertLess(np.abs(found - z).max(), 1e-9 * scale, case)
                    self.assertLess(np.abs(generated["trajectory/potentials"][...] - potentials).max(), 1e-9 * scale,
                                    case)
                    self.assertGreater(np.abs(z[:, 1:] - z[:, :-1]).max(), 1e-3 * scale, f"{case}: nothing moves")
                again = run("simulate", "elsewhere/fit.h5", "--set", "time.duration=0.1", "-o", "short.h5", cwd=here)
                self.assertIn("wrote", again.stderr)
                made = run("generate", "recording", "elsewhere/fit.h5", "-o", "recording.h5", cwd=here)
                self.assertIn("wrote", made.stderr)
                with h5py.File(here / "recording.h5") as file:
                    kind = "gaussian" if case == "optimal" else "poisson"
                    self.assertEqual(kind, file["recording"].attrs["observation_kind"])

    def test_observed_inputs(self):
        """Observations that depend on the inputs are simulated, too."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            config = self.configuration(here, "optimal")
            run("fit", "vsmc", config, "-o", here / "fit.h5", "--set", f'data.file="{here}/driven.h5"',
                "--set", "observation.inputs=true", "--set", "training.epochs=30", "--set", "training.batch_trials=2")
            zero = np.zeros((2, 2)).tolist()
            run("simulate", here / "fit.h5", "-o", here / "generated.h5", "--set", f"noise.latent_cholesky={zero}",
                "--set", f"initial.latent_cholesky={zero}", "--set", f"observation.variance={[0.0] * 6}")
            with h5py.File(here / "fit.h5") as fit, h5py.File(here / "generated.h5") as generated:
                z, _ = self.recursion(fit)
                u, decay, v = fit["data/inputs"][...], fit["network"].attrs["decay"], np.zeros((3, 60, 2))
                for t in range(59):
                    v[:, t + 1] = decay * v[:, t] + (1 - decay) * u[:, t]
                weights = fit["observation/input_weights"][...]
                self.assertGreater(np.abs(weights).max(), 1e-3)
                x = z @ fit["observation/weights"][...].T + v @ weights.T + fit["observation/bias"][...]
                found = generated["trajectory/observations"][...]
                self.assertLess(np.abs(found - x).max(), 1e-9 * np.abs(x).max())
                self.assertGreater(np.abs(v @ weights.T).max(), 1e-4 * np.abs(x).max(), "control: the inputs count")
            refused = run("simulate", here / "fit.h5", "-o", here / "other.h5", "--set", "integration.space=neuron",
                          expect=2)
            self.assertIn("observation.input_weights", refused.stderr)

    @staticmethod
    def recursion(fit):
        """Latents and potentials of the model /model/best says, from its parameters and not from /network."""
        parameters = {}
        flat = fit["model/best"][...]
        for line in fit["model"].attrs["layout"].split("\n"):
            title, start = line.split(" from ")
            parameter, shape = title.split(" [")
            shape = [int(n) for n in shape.rstrip("]").split(", ") if n]
            parameters[parameter] = flat[int(start):int(start) + int(np.prod(shape, dtype=int))].reshape(shape)
        activation = fit["network"].attrs["activation"]
        decay = np.exp(-np.exp(parameters["decay"]))
        bias = parameters["bias"]
        rate = {"clipped_relu": lambda s: np.maximum(s + bias, 0) - np.maximum(s, 0),
                "relu": lambda s: np.maximum(s + bias, 0),
                "softplus": lambda s: np.logaddexp(0, s + bias)}[activation]
        inputs = fit["data/inputs"][...] if "inputs" in fit["data"] else np.zeros((1, fit["data/length"][...].max(), 0))
        weights = parameters.get("input_weights", np.zeros((len(bias), 0)))
        raw = 'input_path = "raw"' in fit["provenance"].attrs["configuration"]
        trials, steps = inputs.shape[:2]
        z = np.zeros((trials, steps, 2))
        x = np.zeros((trials, steps, len(bias)))
        z[:, 0] = parameters["initial_mean"]
        v = np.zeros((trials, inputs.shape[2]))
        for t in range(steps):
            if raw:
                v = inputs[:, t]
            x[:, t] = z[:, t] @ parameters["m"].T + v @ weights.T
            if t + 1 < steps:
                z[:, t + 1] = decay * z[:, t] + rate(x[:, t]) @ parameters["n"]
            if not raw:
                v = decay * v + (1 - decay) * inputs[:, t]
        return z, x

    def test_an_unfinished_fit_is_no_network(self):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            config = self.configuration(here, "optimal")
            process = self.started("fit", "vsmc", config, "-o", here / "fit.h5", "--set", "training.epochs=100000")
            process.kill()
            process.communicate()
            refused = run("simulate", here / "fit.h5", "-o", here / "generated.h5", expect=3)
            self.assertIn("is still running, or was killed", refused.stderr)
            # All particles have weight zero: the start explains nothing.
            run("fit", "vsmc", config, "-o", here / "failed.h5", "--set", "observation.std=1e-100", expect=4)
            refused = run("simulate", here / "failed.h5", "-o", here / "generated.h5", expect=3)
            self.assertIn("failed at its start, so that it holds no model", refused.stderr)
            refused = run("analyze", "fixed-points", here / "failed.h5", expect=3)
            self.assertIn("failed at its start, so that it holds no model", refused.stderr)

    def test_a_fit_that_fails_later_keeps_its_model(self):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            config = self.configuration(here, "optimal")
            failed = run("fit", "vsmc", config, "-o", here / "fit.h5", "--set",
                         "training.optimiser.learning_rate=1e30", expect=4)
            self.assertIn("This is setback 11", failed.stderr)
            self.assertIn("keeps the model after epoch 0", failed.stderr)
            self.assertIn("failed", run("inspect", here / "fit.h5").stdout)
            with h5py.File(here / "fit.h5") as file:
                self.assertTrue(np.isfinite(file["/model/best"][:]).all())
                self.assertTrue(np.isnan(file["/training/log_likelihood"][1:]).all(), "of abandoned epochs")
            run("simulate", here / "fit.h5", "-o", here / "generated.h5")

    def test_evaluation(self):
        """evaluate generates from a fit and filters: the same table on two ranks; another seed gives another."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            config = self.configuration(here, "optimal")
            run("fit", "vsmc", config, "-o", here / "fit.h5")
            table = run("evaluate", here / "fit.h5", here / "gaussian.h5").stdout
            for statistic in ("state_divergence", "spectrum_distance", "log_likelihood_per_step"):
                self.assertRegex(table, statistic + r" +-?[0-9.]+")
            self.assertEqual(run("evaluate", here / "fit.h5", here / "gaussian.h5", ranks=2).stdout, table)
            self.assertNotEqual(run("evaluate", here / "fit.h5", here / "gaussian.h5", "--set",
                                    "evaluate.seed=7").stdout, table)
            self.assertEqual(list(here.glob("*generated*")), [])

    def test_smoothed_recordings(self):
        """A fit that undoes a smoothing is compared with the smoothed recording, by series that are smoothed likewise,
        and its likelihood is of the recording before it was smoothed."""
        with folder() as name:
            here = pathlib.Path(name)
            noise = np.random.default_rng(2).normal(size=(1, 314, 3))
            smooth = sum(w * noise[:, k : k + 300] for k, w in enumerate(np.hanning(15)))
            recording(here / "gaussian.h5", smooth, "gaussian")
            config = self.configuration(here, "optimal")
            sets = [item for key in ("data.unsmooth=hann15", "data.standardise=true", "training.epochs=60",
                                     "training.optimiser.learning_rate=0.01") for item in ("--set", key)]
            run("fit", "vsmc", config, "-o", here / "fit.h5", *sets)

            def table(*arguments):
                return dict(line.split()[:2] for line in run("evaluate", here / "fit.h5", *arguments).stdout.splitlines())

            found = table(here / "gaussian.h5")
            self.assertEqual(found, table(), "the fit names its recording itself")
            self.assertEqual(found, table("--set", "evaluate.smoothing=hann15"))
            rough = table("--set", "evaluate.smoothing=none")
            before = table("--set", "data.unsmooth=hann15")
            for other in (rough, before):
                self.assertEqual(other["log_likelihood_per_step"], found["log_likelihood_per_step"])
                self.assertNotEqual(other["spectrum_distance"], found["spectrum_distance"])
            self.assertNotEqual(rough["spectrum_distance"], before["spectrum_distance"])
            # White noise of variance 1: nothing to be learned. What is smooth is predictable, and far likelier.
            white = -1.5 * np.log(2 * np.pi) - 1.5
            self.assertAlmostEqual(float(found["log_likelihood_per_step"]), white, delta=1.0)
            self.assertIn("cannot have been smoothed", self.refusal(here, config, sets, noise))

    def refusal(self, here, config, sets, observations):
        recording(here / "gaussian.h5", observations, "gaussian")
        return run("fit", "vsmc", config, "-o", here / "refused.h5", *sets, expect=3).stderr

    def test_learning(self):
        """Held-out data become likelier, and the best of the epochs is kept."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            for case in ("optimal", "encoder"):
                config = self.configuration(here, case)
                run("fit", "vsmc", config, "-o", here / "fit.h5", "--set", "training.epochs=150",
                    "--set", "training.optimiser.learning_rate=0.01", "--set", "training.validation_fraction=0.25")
                with h5py.File(here / "fit.h5") as fit:
                    curve = fit["training/validation_log_likelihood"][...]
                    best = fit["training"].attrs["best_epoch"]
                    self.assertEqual(np.argmax(curve), best, case)
                    self.assertGreater(curve[best], curve[0] + 0.2, case)
                    if best != fit["training"].attrs["epochs_done"]:
                        self.assertFalse(np.array_equal(fit["model/best"], fit["model/last"]))


main()
