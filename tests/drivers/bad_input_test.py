"""Mistakes that users make: each ends with its exit code and a message that names what was found and what to do."""
import os
import pathlib
import subprocess
import unittest

import h5py
import numpy as np
from support import RANKFLOW, folder, in_parallel, main, run

USAGE, DATA, NUMERICAL, SYSTEM = 2, 3, 4, 5

GOOD = """
[network]
preset = "bistable"
neurons = 600
[time]
step = 0.01
duration = 0.1
"""
POPULATIONS = """
[network]
source = "populations"
neurons = 100
rank = 1
[[network.populations]]
covariance = {covariance}
[time]
duration = 0.1
"""
RECORDING = """
[recording]
kind = "{kind}"
bin_width = 0.01
observations = "{observations}"
"""


def prepare(here):
    """Files that the mistakes are about."""
    rng = np.random.default_rng(3)
    good = {"m": rng.normal(size=(50, 2)), "n": rng.normal(size=(50, 2))}
    np.savez(here / "good.npz", **good)
    np.savez(here / "short.npz", m=good["m"], n=good["n"][:40])
    broken = good["m"].copy()
    broken[17, 1] = np.nan
    np.savez(here / "nan.npz", m=broken, n=good["n"])
    np.save(here / "turned.npy", good["m"].T)
    np.save(here / "complex.npy", good["m"].astype(complex))
    (here / "cut.npy").write_bytes((here / "turned.npy").read_bytes()[:300])
    (here / "words.txt").write_text("no numbers here\n")
    with h5py.File(here / "network.h5", "w") as file:
        file["network/m"] = good["m"]
        file["network/n"] = good["n"]
        file["network"].attrs["activation"] = "tahn"
    with h5py.File(here / "half.h5", "w") as file:
        file["network/m"] = good["m"]
    with h5py.File(here / "nan.h5", "w") as file:
        file["network/m"], file["network/n"] = broken, good["n"]
    with h5py.File(here / "tau.h5", "w") as file:
        file["network/m"], file["network/n"] = good["m"], good["n"]
        file["network/tau"] = np.full(50, 0.1)
    counts = rng.poisson(1.0, (3, 20, 4)).astype("f8")
    half, negative, hole = counts.copy(), counts.copy(), counts.copy()
    half[1, 2, 3], negative[2, 19, 0], hole[0, 5, 1] = 0.5, -1, np.nan
    np.savez(here / "counts.npz", counts=counts, half=half, negative=negative, hole=hole, flat=counts[0],
             mask=np.ones((3, 19)), odd=np.full((3, 20), 2), steps=np.array([20, 21, 3]), inputs=np.ones((2, 20, 1)),
             words=np.array(["a", "b"]))
    with h5py.File(here / "session.h5", "w") as file:
        file["spikes"] = counts
    (here / "folder").mkdir()


# What is done: a configuration and --set arguments for `simulate`, or a whole command line.
def simulate(*sets, config=GOOD, more=()):
    return config, ["simulate", "{config}", "-o", "out.h5", *more, *[w for s in sets for w in ("--set", s)]]


def recording(config):
    return config, ["import", "recording", "{config}", "-o", "out.h5"]


def generated(*sets, config=GOOD):
    return config, ["generate", "recording", "{config}", "-o", "out.h5", *[w for s in sets for w in ("--set", s)]]


def network(*sets):
    return "[network]\nneurons = 10\n", ["generate", "network", "{config}", "-o", "out.h5",
                                         *[w for s in sets for w in ("--set", s)]]


FILE = ["network.source=file", "network.neurons=0"]
ARRAYS = ["network.source=arrays", "network.neurons=0"]

# name: (what is done, exit code, fragments of the message)
MISTAKES = {
    # the command line
    "no subcommand": ((GOOD, []), USAGE, ["subcommand"]),
    "unknown subcommand": ((GOOD, ["simulte", "{config}"]), USAGE, ["simulte", "simulate"]),
    "unknown option": (simulate(more=["--ouput", "x"]), USAGE, ["--ouput"]),
    "no configuration": ((GOOD, ["simulate"]), USAGE, ["config"]),
    "configuration missing": ((GOOD, ["simulate", "nowhere.toml"]), USAGE, ["nowhere.toml"]),
    "configuration is a folder": ((GOOD, ["simulate", "folder"]), USAGE, ["folder"]),
    "set without value": (simulate("run.seed"), USAGE, ["run.seed"]),
    "unknown kind of data": ((GOOD, ["generate", "recordings", "{config}"]), USAGE, ["recordings", "recording"]),
    # the configuration's form
    "not TOML": (simulate(config="[network\npreset = 1\n"), USAGE, ["config.toml:1"]),
    "unknown key": (simulate(config=GOOD + "duratoin = 3.0\n"), USAGE, ["duratoin", "duration", "config.toml:8"]),
    "unknown table": (simulate(config=GOOD + "[nosie]\nneuron = 1.0\n"), USAGE, ["nosie", "noise"]),
    "unknown key in set": (simulate("network.neuron=5"), USAGE, ["network.neuron", "neurons"]),
    "wrong type": (simulate("network.neurons=many"), USAGE, ["network.neurons", "integer", "many"]),
    "text for a number": (simulate(config=GOOD + 'save_every = "fast"\n'), USAGE, ["time.save_every", "fast"]),
    "real for an integer": (simulate("network.neurons=10.5"), USAGE, ["network.neurons", "integer"]),
    "key given twice": (simulate(config=GOOD + "step = 0.1\n"), USAGE, ["step", "config.toml"]),
    "negative size": (simulate("network.neurons=-5"), USAGE, ["network.neurons", "-5", "at least 0"]),
    "no trials": (simulate("time.trials=0"), USAGE, ["time.trials", "at least 1"]),
    "negative step": (simulate("time.step=-0.1"), USAGE, ["time.step", "above 0"]),
    "unknown preset": (simulate("network.preset=bistabel"), USAGE, ["bistabel", "bistable"]),
    "unknown method": (simulate("integration.method=rk4"), USAGE, ["rk4", "runge_kutta"]),
    # combinations
    "latent space with time constants": (
        simulate("integration.space=latent", "network.time_constants=log_uniform"), USAGE, ["latent", "time constant"]),
    "latent space with a file's time constants": (
        simulate("integration.space=latent", *FILE, "network.file=tau.h5"), USAGE, ["time constant", "neuron"]),
    "latent space with noise of neurons": (
        simulate("integration.space=latent", "noise.neuron=0.1"), USAGE, ["noise.neuron", "noise.latent"]),
    "latent space with a bulk": (
        simulate("integration.space=latent", "network.bulk.kind=procedural"), USAGE, ["network.bulk"]),
    "noise with bdf": (simulate("integration.method=bdf", "noise.neuron=0.1"), USAGE, ["noise", "euler"]),
    "single precision with adams": (
        simulate("integration.method=adams", "run.precision=single"), USAGE, ["run.precision"]),
    "sparse bulk without degree": (simulate("network.bulk.kind=sparse"), USAGE, ["in_degree"]),
    "rows off the steps": (simulate("time.save_every=0.015"), USAGE, ["time.step", "0.015"]),
    "save interval and times": (simulate("time.save_every=0.02", "time.save_at=[0.05]"), USAGE, ["save_at"]),
    "times descend": (simulate("time.save_at=[0.05, 0.02]"), USAGE, ["save_at", "ascend"]),
    "stop without threshold": (simulate(config=GOOD + "[stop]\nlatent = 0\n"), USAGE, ["above", "below"]),
    "stop at a latent that is not": (
        simulate(config=GOOD + "[stop]\nlatent = 2\nabove = 1.0\n"), USAGE, ["stop.latent", "rank 2"]),
    "pulse without end": (
        simulate(config=GOOD.replace("bistable", "decision") + '[[inputs]]\nkind = "pulse"\n'), USAGE,
        ["inputs.0.stop"]),
    "input channel that is not": (
        simulate(config=GOOD.replace("bistable", "decision") + "[[inputs]]\nchannel = 3\n"), USAGE, ["4", "channel"]),
    "neuron that is not": (simulate("output.rates=true", "output.neurons=[600]"), USAGE, ["600", "output.neurons"]),
    "initial latents of another rank": (
        simulate("initial.latent=[1.0, 2.0, 3.0]"), DATA, ["initial.latent", "3"]),
    "preset of another rank": (simulate("network.rank=3"), USAGE, ["network.rank", "3", "2"]),
    "covariance not positive": (
        simulate(config=POPULATIONS.format(covariance="[[1.0, 2.0], [2.0, 1.0]]")), USAGE,
        ["network.populations.0.covariance", "positive"]),
    "covariance not symmetric": (
        simulate(config=POPULATIONS.format(covariance="[[1.0, 0.5], [0.4, 1.0]]")), USAGE, ["covariance", "symmetric"]),
    "covariance too large": (
        simulate(config=POPULATIONS.format(covariance=np.eye(6).tolist())), USAGE, ["covariance", "6"]),
    "populations without any": (simulate("network.source=populations"), USAGE, ["network.populations"]),
    "overlap not square": (
        simulate("network.source=heavy_tailed", "network.heavy_tailed.overlap=[[1.0, 0.5]]"), USAGE, ["overlap"]),
    "recording without observation": (generated(), USAGE, ["[observation]", "channels"]),
    "observation without channels": (generated(config=GOOD + "[observation]\nstd = 0.1\n"), USAGE,
                                     ["observation.channels"]),
    "bulk in a network file": (network("network.bulk.kind=procedural"), USAGE, ["network.bulk", "low-rank"]),
    # files
    "network file missing": (simulate(*FILE, "network.file=none.h5"), DATA, ["none.h5", "does not exist"]),
    "network file not named": (simulate("network.source=file"), USAGE, ["network.file"]),
    "network file is text": (simulate(*FILE, "network.file=words.txt"), DATA, ["words.txt", "not an HDF5"]),
    "network without n": (simulate(*FILE, "network.file=half.h5"), DATA, ["/network/n", "half.h5"]),
    "NaN in a network": (simulate(*FILE, "network.file=nan.h5"), DATA, ["nan.h5", "neuron 17", "column 1"]),
    "unknown activation": (simulate(*FILE, "network.file=network.h5"), DATA, ["tahn", "tanh"]),
    "neurons unlike the file": (
        simulate("network.source=file", "network.file=tau.h5"), USAGE, ["network.neurons", "600", "50"]),
    "arrays without n": (simulate(*ARRAYS, "network.arrays.m=good.npz:m"), USAGE, ["arrays.n"]),
    "array missing in archive": (
        simulate(*ARRAYS, "network.arrays.m=good.npz:mm", "network.arrays.n=good.npz:n"), DATA, ["mm", "holds", "m"]),
    "archive without member": (
        simulate(*ARRAYS, "network.arrays.m=good.npz", "network.arrays.n=good.npz:n"), DATA, ["name the array"]),
    "arrays that do not fit": (
        simulate(*ARRAYS, "network.arrays.m=short.npz:m", "network.arrays.n=short.npz:n"), USAGE,
        ["[40, 2]", "50"]),
    "array turned": (
        simulate(*ARRAYS, "network.arrays.m=good.npz:m", "network.arrays.n=turned.npy"), USAGE, ["transpose"]),
    "NaN in a weight": (
        simulate(*ARRAYS, "network.arrays.m=nan.npz:m", "network.arrays.n=nan.npz:n"), DATA, ["nan", "neuron 17"]),
    "complex array": (
        simulate(*ARRAYS, "network.arrays.m=complex.npy", "network.arrays.n=good.npz:n"), DATA, ["c16", "f8"]),
    "array cut off": (
        simulate(*ARRAYS, "network.arrays.m=cut.npy", "network.arrays.n=good.npz:n"), DATA, ["cut.npy"]),
    "dataset missing": (
        simulate(*ARRAYS, "network.arrays.m=tau.h5:/network/mm", "network.arrays.n=tau.h5:/network/n"), DATA,
        ["/network/mm", "/network/m"]),
    # recordings
    "bin width missing": (recording('[recording]\nobservations = "counts.npz:counts"\n'), USAGE, ["bin_width"]),
    "recording lacks an axis": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:flat")), DATA, ["[20, 4]", "axes"]),
    "axes named wrongly": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:counts") + 'axes = "trial time neuron"\n'),
        USAGE, ["recording.axes", "channel"]),
    "fractional counts": (
        recording(RECORDING.format(kind="poisson", observations="counts.npz:half")), DATA,
        ["0.5", "trial 1, time 2, channel 3", "gaussian"]),
    "negative counts": (
        recording(RECORDING.format(kind="poisson", observations="counts.npz:negative")), DATA, ["-1", "trial 2, time 19"]),
    "hole without mask": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:hole")), DATA, ["nan", "mask"]),
    "mask of another length": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:counts") + 'mask = "counts.npz:mask"\n'),
        DATA, ["[3, 19]", "20 times"]),
    "mask of other values": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:counts") + 'mask = "counts.npz:odd"\n'),
        DATA, ["holds 2", "1 (observed) and 0"]),
    "more steps than times": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:counts") + 'n_steps = "counts.npz:steps"\n'),
        DATA, ["21", "trial 1", "20"]),
    "inputs of fewer trials": (
        recording(RECORDING.format(kind="gaussian", observations="counts.npz:counts") + 'inputs = "counts.npz:inputs"\n'),
        DATA, ["[2, 20, 1]", "3 trial"]),
    "observations missing": (
        recording(RECORDING.format(kind="poisson", observations="session.h5:/spike")), DATA, ["/spike", "/spikes"]),
    "array of words": (recording(RECORDING.format(kind="gaussian", observations="counts.npz:words")), DATA, ["U1"]),
    # outputs and other files
    "output in no folder": ((GOOD, ["simulate", "{config}", "-o", "no/out.h5"]), SYSTEM, ["no/out.h5", "folder"]),
    "output below a file": ((GOOD, ["simulate", "{config}", "-o", "words.txt/out.h5"]), SYSTEM, ["words.txt"]),
    "output is a folder": ((GOOD, ["simulate", "{config}", "-o", "folder"]), SYSTEM, ["folder"]),
    "output where nobody writes": ((GOOD, ["simulate", "{config}", "-o", "/proc/out.h5"]), SYSTEM, ["/proc/out.h5"]),
    "inspect what is missing": ((GOOD, ["inspect", "none.h5"]), DATA, ["none.h5", "does not exist"]),
    "inspect text": ((GOOD, ["inspect", "words.txt"]), DATA, ["words.txt", "not an HDF5"]),
    "inspect a folder": ((GOOD, ["inspect", "folder"]), DATA, ["folder", "directory"]),
    "activity without bound": (
        simulate("network.activation=identity", "initial.latent_std=1.0", "time.duration=1000", "time.save_every=10"),
        NUMERICAL, ["kappa_", "inf", "time.step"]),
}


class BadInput(unittest.TestCase):
    maxDiff = None

    def check(self, name, here, ranks=0):
        (config_text, arguments), code, fragments = MISTAKES[name]
        config = here / f"{abs(hash(name))}" / "config.toml"
        config.parent.mkdir(exist_ok=True)
        # Paths in a file are relative to its folder, those of --set to the working directory.
        config.write_text(config_text.replace('= "counts', '= "../counts').replace('= "session', '= "../session'))
        done = run(*[word.replace("{config}", str(config)) for word in arguments], cwd=here, ranks=ranks, expect=None)
        told = f"{name}: code {done.returncode}, expected {code}\n{done.stderr}"
        problems = [] if done.returncode == code else [told]
        problems += [f"{name}: no {fragment!r} in\n{done.stderr}" for fragment in fragments
                     if fragment not in done.stderr]
        if "internal" in done.stderr:
            problems.append(told)
        if ranks and done.stderr.count("error:") != 1:
            problems.append(f"{name}: {done.stderr.count('error:')} messages from {ranks} ranks\n{done.stderr}")
        return problems

    def test_mistakes(self):
        self.assertGreaterEqual(len(MISTAKES), 40)
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            before = set(here.iterdir())
            problems = sum(in_parallel([lambda n=n: self.check(n, here) for n in MISTAKES]), [])
            self.assertEqual("", "\n".join(problems))
            left = {path.name for path in set(here.iterdir()) - before if not path.is_dir()}
            self.assertLessEqual(left, {"out.h5"}, "only a run that had begun leaves a file")

    def test_on_two_ranks(self):
        """Every rank fails alike, one speaks."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            chosen = ["unknown key", "covariance not positive", "NaN in a network", "NaN in a weight",
                      "output in no folder", "hole without mask", "activity without bound", "network without n"]
            problems = sum(in_parallel([lambda n=n: self.check(n, here, ranks=2) for n in chosen]), [])
            self.assertEqual("", "\n".join(problems))

    def test_unfinished_run_is_spared(self):
        with folder() as name:
            here = pathlib.Path(name)
            config = here / "config.toml"
            config.write_text(GOOD)
            sets = ["--set", "time.duration=20000", "--set", "time.save_every=100", "--set", "run.wall_time=0.2"]
            run("simulate", config, "-o", here / "out.h5", *sets, expect=75)
            done = run("simulate", config, "-o", here / "out.h5", *sets, expect=USAGE)
            self.assertIn("--resume", done.stderr)
            self.assertIn("--overwrite", done.stderr)
            done = run("simulate", config, "-o", here / "out.h5", *sets, "--resume", "--set", "run.seed=9", expect=USAGE)
            self.assertIn("another configuration", done.stderr)
            run("simulate", config, "-o", here / "out.h5", "--overwrite")

    def test_earlier_result_survives_a_mistake(self):
        with folder() as name:
            here = pathlib.Path(name)
            config = here / "config.toml"
            config.write_text(GOOD)
            run("simulate", config, "-o", here / "out.h5")
            before = (here / "out.h5").read_bytes()
            run("simulate", config, "-o", here / "out.h5", "--set", "network.rank=3", expect=USAGE)
            self.assertEqual(before, (here / "out.h5").read_bytes())

    def test_full_disk(self):
        """In a mount namespace of its own, a file system of 2 MiB."""
        with folder() as name:
            here = pathlib.Path(name)
            (here / "small").mkdir()
            config = here / "config.toml"
            config.write_text(GOOD)
            script = f"mount -t tmpfs -o size=2m none {here}/small && exec {RANKFLOW} simulate {config} " \
                     f"-o {here}/small/out.h5 --set time.duration=20 --set output.rates=true"
            probe = subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=2m none {here}/small"],
                                   check=False, capture_output=True)
            if probe.returncode != 0:
                print("DISK FULL WAS NOT TESTED: no right to mount a small file system")
                self.skipTest("no right to mount")
            done = subprocess.run(["unshare", "-m", "sh", "-c", script], text=True, capture_output=True, check=False,
                                  timeout=60, env=os.environ)
            self.assertEqual(SYSTEM, done.returncode, done.stderr)
            self.assertIn("out.h5", done.stderr)
            self.assertIn("space", done.stderr)


main()
