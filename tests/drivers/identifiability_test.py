"""`rankflow analyze identifiability`: the commands of its page run, its file holds what it says, what is called free is
free in the simulator and what is called required is not, and mistakes get messages that tell what to do."""
import pathlib
import re
import shutil
import subprocess
import unittest

import h5py
import numpy as np
import xarray
from support import EXAMPLES, SOURCE, differences, folder, in_parallel, main, provenance, run

CONFIGURATION, DATA = 2, 3
ALPHA = 0.1  # step / tau of the simulations here

FIT = """
[data]
file = "data.h5"
[network]
neurons = 30
rank = 2
[observation]
kind = "gaussian"
[smc]
particles = 16
proposal = "optimal"
[training]
epochs = 20
steps_per_epoch = 10
batch_trials = 4
window = 30
[training.optimiser]
learning_rate = 0.02
"""

SIMULATION = """
[network]
source = "file"
file = "{network}"
[time]
step = 0.01
duration = {duration}
trials = {trials}
[integration]
space = "latent"
method = "euler"
[initial]
latent = {latent}
[output]
network = false
"""


def make_fit(here):
    rng = np.random.default_rng(7)
    phase = rng.uniform(0, 2 * np.pi, (6, 1)) + 0.15 * np.arange(60)
    drive = np.stack([np.cos(phase), np.sin(phase)], axis=2) @ rng.normal(size=(2, 6))
    with h5py.File(here / "data.h5", "w") as file:
        group = file.create_group("recording")
        group["observations"] = drive + 0.2 * rng.normal(size=drive.shape)
        group["mask"] = (np.arange(60) < np.array([60, 60, 45, 60, 60, 30])[:, None]).astype("u1")
        group.attrs["bin_width_s"] = 0.02
        group.attrs["observation_kind"] = "gaussian"
    (here / "fit.toml").write_text(FIT)
    run("fit", "vsmc", here / "fit.toml", "-o", here / "fit.h5")


def make_flow(here):
    small = ["network.neurons=300", "latents.simulation.rows=30", "latents.simulation.grid_points=6",
             "loadings_flow.epochs=3", "conditional_flow.epochs=2", "conditional_flow.neurons=200"]
    run("fit", "flow", EXAMPLES / "connectivity_quadstable.toml", "-o", here / "flow.h5",
        *(word for key in small for word in ("--set", key)))


def write_network(path, m, n, **attributes):
    with h5py.File(path, "w") as file:
        group = file.create_group("network")
        group["m"], group["n"] = m, n
        group.attrs["tau"] = 0.1
        for key, value in attributes.items():
            group.attrs[key] = value


def simulate(here, name, network, starts, duration=0.6):
    """Latents [trial, time, rank] of a network file from given starts."""
    config = here / f"{name}.toml"
    config.write_text(SIMULATION.format(network=network, duration=duration, trials=len(starts),
                                        latent=np.asarray(starts).tolist()))
    run("simulate", config, "-o", here / f"{name}.h5")
    with h5py.File(here / f"{name}.h5") as file:
        return file["trajectory/latent"][...]


def quadstable(neurons, rng, spread=0.5):
    signs = rng.choice([-1.0, 1.0], size=(neurons, 2))
    return 0.87 * signs + 0.5 * rng.normal(size=(neurons, 2)), 2.31 * signs + spread * rng.normal(size=(neurons, 2))


def drive(m, n, z):
    return np.tanh(z @ m.T) @ n / len(m)


def amplification(m, n, z):
    """Largest sum over steps s of |P(t, s)|^2, P the linearised steps of the trajectory [time, rank] from s + 1 to t: a
    change d(s) of the drive moves z(t) by at most ALPHA sqrt(amplification sum_s |d(s)|^2) (Cauchy & Schwarz)."""
    sums, products = [0.0], []
    for row in z[:-1]:
        slope = 1 - np.tanh(m @ row) ** 2
        step = (1 - ALPHA) * np.eye(2) + ALPHA * (n * slope[:, None]).T @ m / len(m)
        products = [step @ product for product in products] + [np.eye(2)]
        sums.append(sum(np.linalg.norm(product, 2) ** 2 for product in products))
    return max(sums)


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


class Identifiability(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.here = pathlib.Path(cls.folder.name)
        run("simulate", EXAMPLES / "identifiability.toml", "-o", cls.here / "run.h5")
        make_fit(cls.here)
        make_flow(cls.here)
        with h5py.File(cls.here / "run.h5") as file, h5py.File(cls.here / "net.h5", "w") as network:
            file.copy("network", network)

    def analyze(self, *arguments, expect=0, ranks=0):
        return run("analyze", "identifiability", *arguments, cwd=self.here, expect=expect, ranks=ranks)

    def refused(self, code, *arguments):
        """The message of a request that must be refused, and what it must have left: nothing."""
        before = sorted(self.here.iterdir())
        message = self.analyze(*arguments, expect=code).stderr
        self.assertEqual(before, sorted(self.here.iterdir()))
        return " ".join(message.split())

    def test_commands_of_the_page(self):
        shutil.copytree(EXAMPLES, self.here / "examples", dirs_exist_ok=True)
        page = (SOURCE / "docs" / "identifiability.md").read_text()
        commands = re.findall(r"^    rankflow (.*)$", page, re.MULTILINE)
        self.assertGreaterEqual(len(commands), 5)
        for command in commands:
            run(*command.split("  #")[0].split(), cwd=self.here)

    def test_file(self):
        done = self.analyze("run.h5", "-o", "file.h5")
        subprocess.run(["/usr/bin/python3", SOURCE / "docs" / "figures" / "plot_analysis.py", self.here / "file.h5",
                        self.here / "file.png"], check=True)
        self.assertEqual(b"\x89PNG", (self.here / "file.png").read_bytes()[:4])
        for words in ("effective degrees of freedom", "a guess", "known as well in", "tail index", "not met: n is not unique"):
            self.assertIn(words, done.stdout)
        found = xarray.open_dataset(self.here / "file.h5", engine="h5netcdf", group="identifiability")
        neurons = xarray.open_dataset(self.here / "file.h5", engine="h5netcdf", group="neurons")
        cover = xarray.open_dataset(self.here / "file.h5", engine="h5netcdf", group="coverage")
        with h5py.File(self.here / "run.h5") as file:
            m, n = file["network/m"][...], file["network/n"][...]
            z = file["trajectory/latent"][...]
        np.testing.assert_allclose(neurons.required + neurons.free, n, rtol=0, atol=1e-12)
        self.assertEqual(neurons.required.dims, ("neuron", "rank"))
        # What the page calls gamma and H, from features of all rows.
        visited = z[:, :-1].reshape(-1, 2)
        features = np.tanh(visited @ m.T)
        gram = features.T @ features / features.size
        gamma = np.linalg.eigvalsh(gram)[::-1]
        np.testing.assert_allclose(found.eigenvalue[:10], gamma[:10], rtol=1e-6)
        penalty = found.attrs["penalty"]
        resolution = np.linalg.solve(gram + penalty * np.eye(1000), gram)
        self.assertAlmostEqual(found.attrs["effective_parameters"], np.trace(resolution), places=5)
        np.testing.assert_allclose(neurons.resolution, np.diag(resolution), atol=1e-7)
        np.testing.assert_allclose(neurons.required, resolution @ n, atol=1e-5)
        y = (z[:, 1:] - (1 - ALPHA) * z[:, :-1]).reshape(-1, 2) / ALPHA
        estimate = np.linalg.solve(gram + penalty * np.eye(1000), features.T @ y / len(y))
        np.testing.assert_allclose(neurons.estimate, estimate, atol=1e-4)
        names = found.attrs["functional_names"].splitlines()
        self.assertEqual(names[:3], ["n.m1", "n.m2", "mean n"])
        np.testing.assert_allclose(found.functional_given[:2], (n.T @ m / 1000).T, atol=1e-12)
        self.assertEqual(cover.deviation.dims, ("z1", "z2"))
        self.assertEqual(cover.deviation.shape, (32, 32))
        self.assertEqual(set(np.unique(cover.supported)), {0, 1})
        self.assertEqual(len(found.attrs["condition_names"].splitlines()), found.condition.size)

    def test_ranks(self):
        (self.here / "many.toml").write_text((EXAMPLES / "identifiability.toml").read_text())
        run("simulate", self.here / "many.toml", "-o", self.here / "many.h5", "--set", "network.neurons=1600")

        def analyze(ranks):
            self.analyze("many.h5", "-o", f"many-{ranks}.h5", "--set", "identifiability.evidence=true", ranks=ranks)
            self.analyze("fit.h5", "-o", f"fitted-{ranks}.h5", ranks=ranks)

        in_parallel([lambda ranks=ranks: analyze(ranks) for ranks in (1, 2, 3, 4)])
        for ranks in (1, 2, 3, 4):
            for name in ("many", "fitted"):
                self.assertEqual(ranks, provenance(self.here / f"{name}-{ranks}.h5")["ranks"])
                self.assertEqual([], differences(self.here / f"{name}-1.h5", self.here / f"{name}-{ranks}.h5"), ranks)
        self.analyze("many.h5", "-o", "many-0.h5", "--set", "identifiability.penalty=1e-3")
        self.assertIn("/neurons/required", differences(self.here / "many-1.h5", self.here / "many-0.h5"))

    def test_free_part_is_free(self):
        """Whatever is added to n outside its required part, simulated latents stay within the bound that the report
        gives for the drive, carried along the linearised dynamics; the same amount inside moves them far."""
        rng = np.random.default_rng(3)
        m, n = quadstable(1000, rng)
        starts = [[a, b] for a in np.linspace(-2, 2, 8) for b in np.linspace(-2, 2, 8)]
        write_network(self.here / "true.h5", m, n)
        z = simulate(self.here, "true_run", self.here / "true.h5", starts)
        rows = z[:, :-1].reshape(-1, 2)
        gain = max(amplification(m, n, trial) for trial in z)

        def moved(name, change):
            write_network(self.here / f"{name}.h5", m, n + change)
            return simulate(self.here, f"{name}_run", self.here / f"{name}.h5", starts) - z

        def bound_of(drive_bound):
            """Of |z - z'| at any time, for a drive that changes by drive_bound (rms over all rows and trials)."""
            return ALPHA * np.sqrt(gain * rows.shape[0] * 2) * drive_bound

        worst = {}
        for penalty, size in ((1e-3, 0.02), (1e-10, 20.0), (1e-13, 2000.0)):
            self.analyze("true.h5", "true_run.h5", "-o", "parts.h5", "--set", f"identifiability.penalty={penalty}",
                         "--set", "identifiability.tolerance=1e-10")
            with h5py.File(self.here / "parts.h5") as file:
                limit = file["identifiability"].attrs["free_bound"]
            # (1 - H) x for any x is what the report calls the free part of a network with n = x.
            x = rng.normal(size=(1000, 2))
            write_network(self.here / "any.h5", m, x)
            self.analyze("any.h5", "true_run.h5", "-o", "any_parts.h5", "--set", f"identifiability.penalty={penalty}",
                         "--set", "identifiability.tolerance=1e-10")
            with h5py.File(self.here / "any_parts.h5") as file:
                free = size * file["neurons/free"][...]
                required = file["neurons/required"][...]
            required *= rms(free) / rms(required)
            drive_bound = limit * rms(size * x)
            self.assertLess(rms(drive(m, free, rows)), drive_bound)
            outside = np.abs(moved("outside", free)).max()
            inside = np.abs(moved("inside", required)).max()
            bound = bound_of(drive_bound)
            self.assertLess(outside, 1.1 * bound, f"lambda {penalty}")  # a tenth: beyond the linearisation
            self.assertGreater(inside, 20 * outside, f"lambda {penalty}, control")
            worst[penalty] = (outside, inside, bound)
        print("  lambda: moved by a free change, by a required one of the same size, bound\n", worst)
        self.assertLess(worst[1e-13][0], 1e-3, "a change 1000 times larger than n is not seen")

    def test_independent_residuals_fall_with_neurons(self):
        """New independent n - E[n | m] in every neuron change the drive by s (sum gamma / N)^(1/2) in root mean square:
        1/sqrt(N)."""
        rng = np.random.default_rng(4)
        seen = []
        for neurons in (500, 8000):
            m, n = quadstable(neurons, rng)
            write_network(self.here / "size.h5", m, n)
            starts = rng.normal(size=(20, 2)) * 1.5
            z = simulate(self.here, "size_run", self.here / "size.h5", starts)
            self.analyze("size.h5", "size_run.h5", "-o", "size_parts.h5")
            with h5py.File(self.here / "size_parts.h5") as file:
                gamma = file["identifiability/eigenvalue"][...]
            predicted = 0.5 * np.sqrt(gamma.sum() / neurons)
            rows = z[:, :-1].reshape(-1, 2)
            changes = [rms(drive(m, 0.5 * rng.normal(size=m.shape), rows)) ** 2 for _ in range(30)]
            # 60 sums of gamma_k chi^2: relative standard error sqrt(2 sum gamma^2 / 60) / sum gamma.
            error = np.sqrt(2 * np.sum(gamma**2) / 60) / gamma.sum()
            self.assertLess(abs(np.mean(changes) / predicted**2 - 1), 4 * error)
            write_network(self.here / "other.h5", m, n + 0.5 * rng.normal(size=m.shape))
            moved = simulate(self.here, "other_run", self.here / "other.h5", starts) - z
            self.assertLess(np.median(np.abs(moved)), 3 * predicted)
            seen.append(predicted)
        self.assertAlmostEqual(seen[0] / seen[1], 4, delta=0.4)

    def test_heavy_tails(self):
        """Student-t connectivity: bounded rates leave its tail free, rates that grow without bound require it."""
        rng = np.random.default_rng(5)
        neurons, freedom = 20000, 2.5
        scale = np.sqrt(rng.chisquare(freedom, (neurons, 1)) / freedom)
        m = rng.normal(size=(neurons, 1)) / scale
        n = 0.4 * m + 0.2 * rng.normal(size=(neurons, 1)) / scale
        z = np.cumsum(rng.normal(size=(10, 200, 1)), axis=1) * 0.1
        found = {}
        for activation in ("tanh", "relu"):
            write_network(self.here / "heavy.h5", m, n, activation=activation)
            np.save(self.here / "heavy.npy", z)
            done = self.analyze("heavy.h5", "heavy.npy", "--set", "identifiability.step=0.01", "-o", "heavy_parts.h5")
            with h5py.File(self.here / "heavy_parts.h5") as file:
                group = file["identifiability"]
                found[activation] = {name: group[f"tail_{name}"][0] for name in (
                    "index_m", "index_lower_m", "index_upper_m", "index_lower_required", "index_upper_required",
                    "shape_lower_n", "shape_lower_required", "shape_upper_required")}
            self.assertIn({"tanh": "its tail is free", "relu": "its tail is required"}[activation], done.stdout)
        self.assertLess(found["tanh"]["index_lower_m"], freedom)
        self.assertGreater(found["tanh"]["index_upper_m"], freedom)
        self.assertGreater(found["tanh"]["shape_lower_n"], 0, "given: heavy")
        self.assertLess(found["tanh"]["shape_lower_required"], 0)
        # Rates of relu are homogeneous in m, and so is what they require of n: the index is that of m.
        self.assertLess(found["relu"]["index_lower_required"], freedom)
        self.assertGreater(found["relu"]["index_upper_required"], freedom)
        self.assertGreater(found["relu"]["shape_lower_required"], 0)

    def test_fit(self):
        """A fit's latents are drawn from the data it was fitted to, or from others."""
        done = self.analyze("fit.h5", "-o", "fitted.h5")
        self.assertRegex(done.stdout, r"loadings are given +not met")
        self.assertFalse(list(self.here.glob("*partial*")))
        self.analyze("fit.h5", "data.h5", "-o", "same.h5")
        self.assertEqual([], differences(self.here / "fitted.h5", self.here / "same.h5"))
        self.analyze("fit.h5", "-o", "other.h5", "--set", "filter.seed=2")
        with h5py.File(self.here / "fitted.h5") as file, h5py.File(self.here / "other.h5") as other:
            self.assertEqual(file["visited/latent"].shape[0], 60 * 4 + 45 + 30 - 6)
            self.assertGreater(np.abs(file["visited/latent"][...] - other["visited/latent"][...]).max(), 1e-6)
            attributes = dict(file["identifiability"].attrs)
        # The noise of the drive is that of the fitted model, N(0, L L^T) per step, over alpha.
        with h5py.File(self.here / "fit.h5") as fit:
            alpha = 1 - fit["network"].attrs["decay"]
            noise = np.mean(np.sum(np.square(fit["noise/cholesky"][...]), axis=1)) / alpha**2
        self.assertLess(abs(np.log(attributes["noise_variance_seen"] / noise)), np.log(2))

    def test_flow(self):
        """Of a flow file a network is drawn, the one that `sample` draws, and asked about with the flow's own latents."""
        self.analyze("flow.h5", "-o", "flowing.h5", "--set", "sample.neurons=500", "--set", "sample.seed=3")
        run("sample", self.here / "flow.h5", "--neurons", 500, "--seed", 3, "-o", self.here / "drawn.h5")
        with h5py.File(self.here / "drawn.h5") as file, h5py.File(self.here / "flowing.h5") as found:
            m, n = file["network/m"][...], file["network/n"][...]
            group = found["identifiability"]
            np.testing.assert_allclose(group["functional_given"][:2], (n.T @ m / 500).T, atol=1e-12)
            self.assertEqual(group.attrs["latents"], "training trials of flow.h5")
            z, y = found["visited/latent"][...], found["visited/drive"][...]
        self.assertEqual(z.shape, (22 * 29, 2))  # 36 trials, a fifth each for validation and test
        self.analyze("flow.h5", "-o", "flowing_2.h5", "--set", "sample.neurons=500", ranks=2)
        self.analyze("flow.h5", "-o", "flowing_1.h5", "--set", "sample.neurons=500")
        self.assertEqual([], differences(self.here / "flowing_1.h5", self.here / "flowing_2.h5"))
        self.assertIn("/neurons/required", differences(self.here / "flowing_1.h5", self.here / "flowing.h5"))
        self.assertLess(rms(y), 3)
        self.assertIn("sample.neurons", self.refused(CONFIGURATION, "flow.h5", "--set", "sample.neurons=0"))

    def test_same_latents_as_an_array(self):
        self.analyze("run.h5", "-o", "as_run.h5")
        self.analyze("net.h5", "run.h5:/trajectory/latent", "-o", "as_array.h5", "--set", "identifiability.step=0.01")
        self.assertEqual(["/identifiability@latents"], differences(self.here / "as_run.h5", self.here / "as_array.h5"))

    def test_mistakes(self):
        with h5py.File(self.here / "run.h5") as file:
            z = file["trajectory/latent"][...]
        step = ["--set", "identifiability.step=0.01"]

        def of_array(values, code=DATA, arguments=tuple(step)):
            np.save(self.here / "z.npy", values)
            return self.refused(code, "net.h5", "z.npy", *arguments)

        self.assertIn("rank 3 (shape [100, 51, 3]), but the network's m has rank 2", of_array(z[..., [0, 1, 1]]))
        self.assertIn("has shape [102]; latents are [trial, time, rank] or [time, rank]", of_array(z[0].ravel()))
        self.assertIn("too few", of_array(z[:1, :3]))
        self.assertIn("never change", of_array(np.ones_like(z)))
        spoiled = z.copy()
        spoiled[3, 4, 1] = np.nan
        self.assertIn("nan", of_array(spoiled).lower())
        spoiled[3, 4, 1] = np.inf
        self.assertIn("inf", of_array(spoiled).lower())
        self.assertIn("identifiability.step", of_array(z, CONFIGURATION, ()))
        for penalty in ("0", "-1e-3"):
            self.assertIn("identifiability.penalty", self.refused(
                CONFIGURATION, "run.h5", "--set", f"identifiability.penalty={penalty}"))
        self.assertIn("holds no latents; name a run", self.refused(CONFIGURATION, "net.h5"))
        self.assertIn("prior_deviation", self.refused(CONFIGURATION, "run.h5", "--set", "identifiability.evidence=true",
                                                      "--set", "identifiability.prior_deviation=1"))
        self.assertIn("smc", self.refused(CONFIGURATION, "run.h5", "--set", "smc.particles=10"))
        run("simulate", EXAMPLES / "identifiability.toml", "-o", self.here / "quiet.h5", "--set", "noise.latent=0")
        self.addCleanup((self.here / "quiet.h5").unlink)
        self.assertIn("evidence", self.refused(4, "quiet.h5", "--set", "identifiability.evidence=true"))

    def test_mistakes_of_runs_and_fits(self):
        driven = self.here / "driven.toml"
        driven.write_text((EXAMPLES / "decision.toml").read_text())
        run("simulate", driven, "-o", self.here / "driven.h5", "--set", "output.inputs=false", "--set", "time.trials=1",
            "--set", "time.duration=0.2")
        self.assertIn("output.inputs = true", self.refused(DATA, "driven.h5"))
        self.assertIn("rank 2, but the network's m has rank 1".replace("rank 2, ", ""),
                      self.refused(DATA, "driven.h5", "run.h5"))
        for name, status in (("failed", "failed"), ("running", "running")):
            shutil.copy(self.here / "fit.h5", self.here / f"{name}_fit.h5")
            with h5py.File(self.here / f"{name}_fit.h5", "r+") as file:
                file["provenance"].attrs["status"] = status
                file["provenance"].attrs["failure"] = "the gradient is not finite"
        self.assertIn('unstable fit: it ended with "the gradient is not finite"', self.refused(DATA, "failed_fit.h5"))
        self.assertIn("running", self.refused(DATA, "running_fit.h5"))
        with h5py.File(self.here / "slow.h5", "w") as file:
            group = file.create_group("network")
            group["m"], group["n"] = np.ones((5, 2)), np.ones((5, 2))
            group["tau"] = np.linspace(0.1, 0.2, 5)
        self.assertIn("time constants of its own", self.refused(DATA, "slow.h5", "run.h5"))


main()
