"""Mistakes that users make with fits: each ends with its exit code and a message that says what was found and what to
do."""
import pathlib
import unittest

import h5py
import numpy as np
from support import folder, in_parallel, main, run

USAGE, DATA, NUMERICAL, SYSTEM = 2, 3, 4, 5

GOOD = """
[data]
file = "gaussian.h5"
[network]
neurons = 20
rank = 2
[smc]
particles = 4
[training]
epochs = 1
batch_trials = 3
"""
POISSON = '[observation]\nkind = "poisson"\n'
ENCODER = ["smc.proposal=encoder", "encoder.kernels=[9, 5]", "encoder.channels=4"]


def recording(path, observations, kind="gaussian", **more):
    with h5py.File(path, "w") as file:
        group = file.create_group("recording")
        group["observations"] = observations
        for name, values in more.items():
            group[name] = values
        group.attrs["bin_width_s"] = 0.01
        group.attrs["observation_kind"] = kind


def prepare(here):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(6, 12, 4))
    recording(here / "gaussian.h5", x)
    flat = x.copy()
    flat[:, :, 2] = 0
    recording(here / "flat.h5", flat)
    counts = rng.poisson(1.0, (6, 12, 4)).astype(float)
    recording(here / "counts.h5", counts, "poisson")
    silent = counts.copy()
    silent[:, :, 1] = 0
    recording(here / "silent.h5", silent, "poisson")
    for name, value in (("negative", -1.0), ("half", 0.5)):
        wrong = counts.copy()
        wrong[3, 7, 2] = value
        recording(here / f"{name}.h5", wrong)
    empty = x.copy()
    empty[4] = np.nan
    recording(here / "empty.h5", empty)
    never = x.copy()
    never[:, :, 3] = np.nan
    recording(here / "never.h5", never)
    infinite = x.copy()
    infinite[1, 2, 3] = np.inf
    recording(here / "infinite.h5", infinite)
    recording(here / "single.h5", x[:1])
    np.savez(here / "start.npz", m=rng.normal(size=(20, 3)), variance=np.array([1.0, 0.0, 1.0, 1.0]), x=x, flat=x[0],
             cholesky=np.array([[1.0, 0.5], [0.0, 1.0]]), inputs=np.zeros((6, 11, 1)))
    (here / "words.txt").write_text("no numbers here\n")


def fit(*sets, config=GOOD, more=()):
    return config, ["fit", "vsmc", "{config}", "-o", "out.h5", *more, *[w for s in sets for w in ("--set", s)]]


# name: (what is done, exit code, fragments of the message)
MISTAKES = {
    # the data
    "no data": (fit(config=GOOD.replace('file = "gaussian.h5"', "")), USAGE, ["data.file", "data.observations"]),
    "data missing": (fit("data.file=none.h5"), DATA, ["none.h5", "does not exist"]),
    "data are text": (fit("data.file=words.txt"), DATA, ["words.txt", "not an HDF5"]),
    "recording and arrays": (fit("data.observations=start.npz:x", "data.bin_width=0.1"), USAGE,
                             ["data.file", "not both"]),
    "arrays without bin width": (fit("data.file=", "data.observations=start.npz:x"), USAGE, ["data.bin_width"]),
    "array lacks an axis": (fit("data.file=", "data.observations=start.npz:flat", "data.bin_width=0.1"), DATA,
                            ["data.observations", "[12, 4]", "axes"]),
    "inputs of another length": (
        fit("data.file=", "data.observations=start.npz:x", "data.bin_width=0.1", "data.inputs=start.npz:inputs"), DATA,
        ["data.inputs", "[6, 11, 1]", "12 times"]),
    "infinite sample": (fit("data.file=infinite.h5"), DATA, ["inf", "trial 1, time 2, channel 3"]),
    "negative counts": (fit("data.file=negative.h5", config=GOOD + POISSON), DATA,
                        ["-1", "trial 3, time 7, channel 2", "poisson"]),
    "fractional counts": (fit("data.file=half.h5", config=GOOD + POISSON), DATA,
                          ["0.5", "trial 3, time 7, channel 2", "gaussian"]),
    "real values as counts": (fit(config=GOOD + POISSON), DATA, ["poisson", "gaussian"]),
    "flat channel": (fit("data.file=flat.h5"), DATA, ["channel 2 is 0", "exclude_channels = [2]"]),
    "silent unit": (fit("data.file=silent.h5", config=GOOD + POISSON), DATA, ["channel 1 is 0", "72 observed"]),
    "channel never observed": (fit("data.file=never.h5"), DATA, ["channel 3 was never observed", "exclude_channels"]),
    "trial never observed": (fit("data.file=empty.h5"), DATA, ["trial 4", "data.trials"]),
    "channel that is not": (fit("data.channels=[0, 4]"), USAGE, ["data.channels", "channel 4", "has 4"]),
    "trial that is not": (fit("data.trials=[6]"), USAGE, ["data.trials", "trial 6", "has 6"]),
    "channels chosen and excluded": (fit("data.channels=[0]", "data.exclude_channels=[1]"), USAGE, ["not both"]),
    "channels descend": (fit("data.channels=[2, 1]"), USAGE, ["data.channels", "ascend"]),
    "counts standardised": (fit("data.file=counts.h5", "data.standardise=true", config=GOOD + POISSON), USAGE,
                            ["standardise", "counts"]),
    # the model
    "optimal proposal for counts": (fit("data.file=counts.h5", config=GOOD + POISSON), USAGE,
                                    ["smc.proposal", "optimal", "gaussian"]),
    "Poisson without a positive link": (fit("data.file=counts.h5", "observation.link=identity", config=GOOD + POISSON),
                                        USAGE, ["observation.link", "softplus"]),
    "fewer neurons than channels": (fit("network.neurons=3", "observation.source=rates", "smc.proposal=bootstrap"),
                                    USAGE, ["observation.source", "4 channels", "3"]),
    "rank above neurons": (fit("network.rank=21"), USAGE, ["network.rank", "20", "21"]),
    "start of another shape": (fit("parameters.m=start.npz:m"), DATA, ["parameters.m", "[20, 3]", "[20, 2]"]),
    "start without variance": (fit("parameters.observation_variance=start.npz:variance"), DATA,
                               ["observation_variance", "positive", "0"]),
    "start with a wrong factor": (fit("parameters.transition_cholesky=start.npz:cholesky"), DATA,
                                  ["transition_cholesky", "lower triangular", "0.5"]),
    "encoder wider than the trial": (fit(*ENCODER, "encoder.kernels=[9, 9]"), USAGE, ["encoder", "17", "12"]),
    "encoder wider than the window": (fit(*ENCODER, "training.window=10"), USAGE, ["encoder", "13", "window is 10"]),
    "even kernel": (fit(*ENCODER, "encoder.kernels=[4]"), USAGE, ["encoder.kernels", "odd", "4"]),
    # the training
    "too few trials": (fit("training.batch_trials=6"), USAGE, ["training.batch_trials is 6", "5 window(s)"]),
    "too few windows": (fit("data.file=single.h5", "training.batch_trials=3", "training.window=5"), USAGE,
                        ["batch_trials is 3", "2 window(s) of 5"]),
    "nothing held out": (fit("data.file=single.h5", "training.validation_fraction=0.05"), USAGE,
                         ["validation_fraction", "12 steps leaves 0"]),
    "no particles": (fit("smc.particles=0"), USAGE, ["smc.particles", "at least 1"]),
    "unknown optimiser": (fit("training.optimiser.kind=adma"), USAGE, ["adma", "adam"]),
    "key of a simulation": (fit("time.duration=1"), USAGE, ["time"]),
    "learning rate rises": (fit("training.optimiser.schedule=cosine", "training.optimiser.final_learning_rate=1"),
                            USAGE, ["final_learning_rate", "learning_rate"]),
    "all weights zero": (fit("observation.std=1e-60", "smc.proposal=bootstrap"), NUMERICAL,
                         ["weight zero", "step 0", "trial", "before training"]),
    # files
    "output is the recording": (
        (GOOD, ["fit", "vsmc", "{config}", "-o", "gaussian.h5"]), USAGE, ["gaussian.h5", "both the output and"]),
    "output in no folder": ((GOOD, ["fit", "vsmc", "{config}", "-o", "no/out.h5"]), SYSTEM, ["no/out.h5", "folder"]),
    "no kind of fit": ((GOOD, ["fit", "{config}"]), USAGE, ["vsmc"]),
    "simulate what is no fit": ((GOOD, ["simulate", "gaussian.h5", "-o", "out.h5"]), DATA, ["gaussian.h5", "fit"]),
}


class BadInput(unittest.TestCase):
    maxDiff = None

    def check(self, name, here, ranks=0):
        (config_text, arguments), code, fragments = MISTAKES[name]
        config = here / f"{abs(hash(name))}" / "config.toml"
        config.parent.mkdir(exist_ok=True)
        # Paths in a file are relative to its folder, those of --set to the working directory.
        config.write_text(config_text.replace('"gaussian.h5"', '"../gaussian.h5"'))
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
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            done = run("fit", "vsmc", "good.toml", "-o", "good.h5", cwd=self.good(here))
            self.assertIn("wrote", done.stderr, "control: without a mistake it works")
            problems = sum(in_parallel([lambda n=n: self.check(n, here) for n in MISTAKES]), [])
            self.assertEqual("", "\n".join(problems))

    @staticmethod
    def good(here):
        (here / "good.toml").write_text(GOOD)
        return here

    def test_on_two_ranks(self):
        """One message, and nobody hangs."""
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            names = ["data missing", "fractional counts", "encoder wider than the trial", "too few trials",
                     "all weights zero"]
            problems = sum((self.check(n, here, ranks=2) for n in names), [])
            self.assertEqual("", "\n".join(problems))


main()
