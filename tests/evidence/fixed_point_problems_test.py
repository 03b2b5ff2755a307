"""All fixed points: published problems, exhaustive enumeration of small networks, published EEG networks, polynomial time.

Reference problems: z = a z + V relu(U z - h) - hz. Ours: z = decay z + (1 - decay)/N n^T phi(m z, d) + offset, so that
n = N V^T / (1 - a), d = -h, offset = -hz.
"""
import itertools
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np

from support import PROGRAM, Case, Run, main, shared


def relu(x):
    return np.maximum(x, 0)


def exhaustive(linear, m, v, d, clipped):
    """Zeros of (linear - 1) z + v phi(m z, d) by the affine system of every pattern of every neuron's pieces."""
    neurons, rank = m.shape
    # A neuron's pieces: slope, constant, and the interval of m z where they hold.
    pieces = []
    for bias in d:
        if not clipped:
            pieces.append([(0.0, 0.0, -np.inf, -bias), (1.0, bias, -bias, np.inf)])
        else:
            low, high = min(-bias, 0.0), max(-bias, 0.0)
            middle = (1.0, bias) if bias > 0 else (-1.0, 0.0)
            pieces.append([(0.0, 0.0, -np.inf, low), (*middle, low, high), (0.0, bias, high, np.inf)])
    table = np.array([list(p) for p in itertools.product(*pieces)])  # [pattern, neuron, 4]
    slope, constant, low, high = np.moveaxis(table, 2, 0)
    matrices = np.eye(rank) * (linear - 1) + np.einsum("rn,pn,nc->prc", v, slope, m)
    sums = np.einsum("rn,pn->pr", v, constant)
    regular = np.abs(np.linalg.det(matrices)) > 1e-13
    z = np.linalg.solve(matrices[regular], -sums[regular][..., None])[..., 0]
    s = z @ m.T
    inside = np.all((s >= low[regular] - 1e-12) & (s <= high[regular] + 1e-12), axis=1)
    found = []
    for point in z[inside]:
        if not any(np.max(np.abs(point - other)) < 1e-8 * (1 + np.max(np.abs(point))) for other in found):
            found.append(point)
    return np.array(sorted(found, key=tuple)).reshape(-1, rank)


def farthest(points, others):
    """Largest distance from one of `points` to the nearest of `others`, relative to its size."""
    if len(points) == 0:
        return 0.0
    if len(others) == 0:
        return np.inf
    distance = np.max(np.abs(points[:, None] - others[None]), axis=2).min(axis=1)
    return np.max(distance / (1 + np.max(np.abs(points), axis=1)))


class FixedPointProblems(Case):
    def network(self, m, v, d, decay, activation="relu"):
        """A network file with z = decay z + v phi(m z, d)."""
        self._runs += 1
        path = self.folder / f"network{self._runs}.h5"
        with h5py.File(path, "w") as file:
            file["network/m"] = m
            file["network/n"] = v.T * len(m) / (1 - decay)
            file["network/bias"] = d
            file["network"].attrs["activation"] = activation
            file["network"].attrs["decay"] = decay
        return path

    def start(self, network, *sets, ranks=0):
        output = network.with_suffix(f".{len(list(self.folder.iterdir()))}.out.h5")
        launcher = ["mpiexec", "-n", str(ranks)] if ranks else []
        words = [*launcher, PROGRAM, "-q", "analyze", "fixed-points", network, "-o", output]
        for setting in sets:
            words += ["--set", setting]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False), output

    def analyze(self, network, *sets, ranks=0):
        done, output = self.start(network, *sets, ranks=ranks)
        self.assertEqual(done.returncode, 0, f"{done.args}\n{done.stdout}\n{done.stderr}")
        return Run(output), done.stdout

    def points(self, run):
        with h5py.File(run._path, "r") as file:
            group = file["fixed_points"]
            return group["latent"][...] if group.attrs["count"] else np.zeros((0, 1))

    def attribute(self, run, name):
        with h5py.File(run._path, "r") as file:
            return file["fixed_points"].attrs[name]

    def seconds(self, run):
        """Wall time of the search itself, without starting the program and reading the network."""
        with h5py.File(run._path, "r") as file:
            return float(file["provenance"].attrs["search_seconds"])

    def reference(self, name):
        with h5py.File(shared("published", f"{name}.h5"), "r") as file:
            return {key: file[key][...] for key in file}

    def problem(self, name):
        known = self.reference(name)
        network = self.network(known["U"], known["V"], -known["h"], known["a"][0])
        run, _ = self.analyze(network, f"fixed_points.offset={(-known['hz']).tolist()}", "fixed_points.basin_starts=0")
        self.saw(f"{name}: search, s", self.seconds(run))
        z = self.points(run)
        # By substitution, in numpy; rounding of sums of 30 terms of order 1.
        image = known["a"] * z + relu(z @ known["U"].T - known["h"]) @ known["V"].T - known["hz"]
        self.assertLess(np.max(np.abs(image - z)), 1e-13 * (1 + np.max(np.abs(z))))
        self.assertEqual(self.attribute(run, "complete"), 1)
        return known, run, z

    def test_the_problem_with_exactly_4(self):
        known, run, z = self.problem("fixed_points_N20_R2")
        self.assertEqual(len(z), 4)
        self.assertLess(np.max(np.abs(z - known["fixed_points"])), 1e-11)
        size = np.abs(run["/fixed_points/eigenvalues_real"] + 1j * run["/fixed_points/eigenvalues_imag"])
        self.assertLess(np.max(np.abs(size - known["jacobian_eigvals_abs"])), 1e-10)
        self.assertFalse(run["/fixed_points/stable"].any(), "each has an eigenvalue above 1")
        moved = self.network(known["U"], known["V"], -known["h"] + 1e-6, known["a"][0])
        other = self.points(self.analyze(moved, "fixed_points.basin_starts=0")[0])
        self.assertGreater(farthest(other, known["fixed_points"]), 1e-9, "control: another threshold is seen")

    def test_the_problem_with_at_least_14(self):
        known, run, z = self.problem("fixed_points_N30_R3")
        self.saw("fixed points of N30_R3 (published: 14)", len(z))
        self.assertGreaterEqual(len(z), 14)
        self.assertLess(farthest(known["fixed_points"], z), 1e-11)
        self.assertLess(np.max(run["/fixed_points/residual"]), 1e-12)

    def random(self, number, clipped):
        rng = np.random.default_rng([number, clipped])
        rank = 1 + number % 3
        neurons = 3 + number % (5 if clipped else 10)
        m = rng.normal(size=(neurons, rank))
        v = 6 * 0.1 / neurons * (m.T + 0.5 * rng.normal(size=(rank, neurons)))
        return m, v, -rng.normal(size=neurons)

    def test_none_missed_on_200_random_networks(self):
        def check(number):
            clipped = number % 2 == 1
            m, v, d = self.random(number, clipped)
            expected = exhaustive(0.9, m, v, d, clipped)
            network = self.folder / f"random{number}.h5"
            with h5py.File(network, "w") as file:
                file["network/m"], file["network/n"], file["network/bias"] = m, v.T * len(m) / 0.1, d
                file["network"].attrs["activation"] = "clipped_relu" if clipped else "relu"
                file["network"].attrs["decay"] = 0.9
            output = self.folder / f"random{number}.out.h5"
            subprocess.run([PROGRAM, "-q", "analyze", "fixed-points", network, "-o", output, "--set",
                            "fixed_points.basin_starts=0"], check=True, capture_output=True)
            return number, expected, self.points(Run(output))

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(check, range(200)))
        counts = [len(expected) for _, expected, _ in results]
        for number, expected, found in results:
            self.assertEqual(len(found), len(expected), f"network {number}")
            # Badly conditioned regions lose digits: room for a condition number of 1e6.
            self.assertLess(farthest(expected, found), 1e-9, f"network {number}")
        self.saw("fixed points in 200 random networks", sum(counts))
        self.saw("networks with several", sum(count > 1 for count in counts))
        self.assertGreater(sum(count > 1 for count in counts), 20, "control: there are several to be missed")

    def test_polynomial_time(self):
        """Crossings followed are N C(N, R-1), an exact polynomial; regions solved and seconds are printed."""
        for rank, sizes in ((2, (50, 100, 200, 400, 800)), (3, (30, 50, 100, 200))):
            seconds, regions = [], []
            for neurons in sizes:
                rng = np.random.default_rng(neurons)
                m = rng.normal(size=(neurons, rank))
                v = 0.4 / neurons * (m.T + 0.5 * rng.normal(size=(rank, neurons)))
                network = self.network(m, v, -rng.normal(size=neurons), 0.9)
                run, _ = self.analyze(network, "fixed_points.basin_starts=0")
                seconds.append(min(self.seconds(run),
                                   self.seconds(self.analyze(network, "fixed_points.basin_starts=0")[0])))
                regions.append(self.attribute(run, "regions"))
                lines = neurons if rank == 2 else neurons * (neurons - 1) // 2
                self.assertEqual(self.attribute(run, "crossings"), lines * neurons)
            self.saw(f"rank {rank}, N", sizes)
            self.saw(f"rank {rank}, seconds of the search", np.round(seconds, 5))
            self.saw(f"rank {rank}, regions solved", regions)
            self.saw(f"rank {rank}, seconds grow at the large end as N to the",
                     np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2]))
            order = np.polyfit(np.log(sizes), np.log(regions), 1)[0]
            self.saw(f"rank {rank}, regions grow as N to the", order, f"below {rank + 0.3}")
            self.assertLess(order, rank + 0.3)

    def test_rank_independence(self):
        if shutil.which("mpiexec") is None:
            self.skipTest("no mpiexec")
        known = self.reference("fixed_points_N30_R3")
        network = self.network(known["U"], known["V"], -known["h"], 0.9)
        sets = ["fixed_points.cycles=2", "fixed_points.cycle_crossings=1e4", "fixed_points.starts=300"]

        def arrays(run):
            found = {}
            with h5py.File(run._path, "r") as file:
                file.visititems(lambda name, item: found.update({name: item[...].tobytes()})
                                if isinstance(item, h5py.Dataset) and not name.startswith("provenance") else None)
                return found, file["provenance"].attrs["ranks"]

        alone, _ = arrays(self.analyze(network, *sets)[0])
        self.assertIn("fixed_points/basin", alone)
        for ranks in (1, 2, 3, 4):
            shared_out, count = arrays(self.analyze(network, *sets, ranks=ranks)[0])
            self.assertEqual(count, ranks)
            self.assertEqual(alone, shared_out, f"{ranks} ranks")
        other, _ = arrays(self.analyze(network, *sets, "run.seed=2")[0])
        self.assertNotEqual(alone, other, "control: another seed follows other starts")

    def test_published_eeg_networks(self):
        """1024 hyperplanes in 3 dimensions each. No published list; Newton runs must find nothing else."""
        number = os.environ.get("RANKFLOW_EEG_NETWORK", "1")
        with h5py.File(shared("published", f"eeg_rank3_published_{number}.h5"), "r") as file:
            m, v, h = (file[name][...].astype(float) for name in ("m", "n", "h"))
            decay = float(file["decay"][...])
        network = self.network(m, v, h, decay, "clipped_relu")
        ranks = 2 if shutil.which("mpiexec") else 0
        run, text = self.analyze(network, ranks=ranks)
        self.saw(f"EEG network {number}: seconds on {max(ranks, 1)} rank(s)", self.seconds(run))
        print(text)
        z = self.points(run)
        self.assertEqual(self.attribute(run, "complete"), 1)
        image = decay * z + (relu(z @ m.T + h) - relu(z @ m.T)) @ v.T
        self.assertLess(np.max(np.abs(image - z)), 1e-12 * (1 + np.max(np.abs(z))))
        newton = self.points(self.analyze(network, "fixed_points.method=newton", "fixed_points.basin_starts=0")[0])
        self.saw("found by Newton from 1024 starts", f"{len(newton)} of {len(z)}")
        self.assertGreater(len(newton), 0)
        self.assertLess(farthest(newton, z), 1e-7)

    def test_bad_input(self):
        m = np.random.default_rng(1).normal(size=(40, 3))
        piecewise = self.network(m, 0.1 * m.T, m[:, 0], 0.9)
        smooth = self.network(m, 0.1 * m.T, m[:, 0], 0.9, "tanh")
        flow = self.network(m, 0.1 * m.T, m[:, 0], 0.9)
        with h5py.File(flow, "r+") as file:
            del file["network"].attrs["decay"]
        empty = self.folder / "empty.h5"
        h5py.File(empty, "w").close()
        own = self.network(m, 0.1 * m.T, m[:, 0], 0.9)
        with h5py.File(own, "r+") as file:
            file["network/tau"] = np.full(40, 0.1)
        mistakes = [
            (smooth, ["fixed_points.method=exact"], 2, ["piecewise-linear", "newton"]),
            (smooth, ["fixed_points.cycles=2"], 2, ["fixed_points.cycles", "smooth"]),
            (flow, ["fixed_points.cycles=2"], 2, ["fixed_points.cycles", "decay"]),
            (piecewise, ["fixed_points.max_crossings=1000"], 2, ["max_crossings", "40 hyperplanes", "about", "newton"]),
            (piecewise, ["fixed_points.inputs=[1.0]"], 2, ["fixed_points.inputs", "0 input channels"]),
            (piecewise, ["fixed_points.offset=[1.0, 2.0]"], 2, ["fixed_points.offset", "3 latents"]),
            (piecewise, ["fixed_points.metod=exact"], 2, ["metod", "method"]),
            (piecewise, ["fixed_points.cycles=0"], 2, ["fixed_points.cycles", "at least 1"]),
            (own, [], 3, ["tau", "time constant"]),
            (empty, [], 3, ["network", "empty.h5"]),
            (self.folder / "none.h5", [], 3, ["none.h5", "does not exist"]),
        ]
        for network, sets, code, fragments in mistakes:
            done, output = self.start(network, *sets)
            self.assertEqual(done.returncode, code, f"{sets}: {done.stderr}")
            for fragment in fragments:
                self.assertIn(fragment, done.stderr, f"{sets}")
            self.assertFalse(output.exists(), sets)


if __name__ == "__main__":
    main()
