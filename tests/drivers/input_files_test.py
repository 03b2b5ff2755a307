"""The files that analyses read: none is overwritten by what they write, under whatever name, and a file that holds
something else is refused with what it is and what is needed."""
import os
import pathlib
import unittest

import h5py
import numpy as np
from support import EXAMPLES, folder, in_parallel, main, run

USAGE, DATA = 2, 3
SIMULATION = """
[network]
preset = "bistable"
neurons = 60
[time]
step = 0.01
duration = 0.2
trials = 4
[initial]
latent_std = 1.0
[integration]
space = "latent"
method = "euler"
[observation]
channels = 3
std = 0.1
"""
FIT = """
[data]
file = "model.h5"
[network]
neurons = 16
[smc]
particles = 4
[training]
epochs = 1
batch_trials = 1
validation_fraction = 0.0
"""


def prepare(here):
    (here / "run.toml").write_text(SIMULATION)
    run("-q", "generate", "network", EXAMPLES / "preset_network.toml", "-o", here / "net.h5", "--set",
        "network.neurons=60", "--set", "network.preset=bistable")
    run("-q", "simulate", here / "run.toml", "-o", here / "run.h5")
    run("-q", "generate", "recording", here / "run.toml", "-o", here / "data.h5")
    run("-q", "generate", "recording", here / "run.toml", "-o", here / "model.h5", "--set", "run.seed=2")
    (here / "fit.toml").write_text(FIT)
    run("-q", "fit", "vsmc", here / "fit.toml", "-o", here / "fit.h5")
    for kind in ("flow", "analysis"):
        with h5py.File(here / f"{kind}.h5", "w") as file:
            file.attrs["file_type"] = kind
            file.attrs["format_version"] = np.int64(1)
            file["values"] = np.zeros(3)
    with h5py.File(here / "foreign.h5", "w") as file:
        file["values"] = np.zeros(3)
    (here / "words.txt").write_text("no numbers here\n")


QUICK = ["--set", "populations.most=2", "--set", "populations.fixed_points=false"]
# A command without its output, and the files that it reads.
READERS = {
    "compare": (["compare", "net.h5", "run.h5", "--set", "compare.conditional_mean=preset", "--set",
                 "compare.preset=bistable"], ["net.h5", "run.h5"]),
    "populations": (["analyze", "populations", "net.h5", *QUICK], ["net.h5"]),
    "fixed points": (["analyze", "fixed-points", "net.h5"], ["net.h5"]),
    "identifiability of a run": (["analyze", "identifiability", "run.h5"], ["run.h5"]),
    "identifiability beside a network": (["analyze", "identifiability", "net.h5", "run.h5"], ["net.h5", "run.h5"]),
    "identifiability of an array": (
        ["analyze", "identifiability", "net.h5", "run.h5:/trajectory/latent", "--set", "identifiability.step=0.01"],
        ["net.h5", "run.h5"]),
    "evaluate": (["evaluate", "model.h5", "data.h5"], ["model.h5", "data.h5"]),
    "evaluate an array": (
        ["evaluate", "model.h5", "data.h5:/recording/observations", "--set", "data.bin_width=0.01"],
        ["model.h5", "data.h5"]),
    "filter": (["filter", "fit.h5", "data.h5"], ["fit.h5", "data.h5"]),
}

# A command with {} for the file of another type; which types are right for it; words of its message.
TYPES = ["network", "run", "recording", "fit", "flow", "analysis", "foreign"]
FILES = {"network": "net.h5", "recording": "data.h5", **{kind: f"{kind}.h5" for kind in TYPES if kind not in (
    "network", "recording")}}
NETWORKS = (["network", "run", "fit"], ["without the group /network; needed is", "rankflow simulate"])
RECORDINGS = (["recording"], ["recording"])
WANTED = {
    "compare {} net.h5": NETWORKS,
    "compare net.h5 {}": NETWORKS,
    "analyze populations {}": NETWORKS,
    "analyze fixed-points {}": NETWORKS,
    "simulate run.toml -o no.h5 --set network.source=file --set network.neurons=0 --set network.file={}": NETWORKS,
    "analyze identifiability {}": (["network", "run", "fit", "flow"], NETWORKS[1]),
    "analyze identifiability net.h5 {}": (["run"], ["has no latents", "needed is a run", "data.h5:/z"]),
    "analyze identifiability fit.h5 {}": RECORDINGS,
    "evaluate {} data.h5": (["run", "recording", "fit"], ["holds no generated observations", "needed is a run"]),
    "evaluate model.h5 {}": RECORDINGS,
    "filter {} data.h5": (["fit"], ["expected"]),
    "filter fit.h5 {}": RECORDINGS,
}


class InputFiles(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.here = pathlib.Path(cls.folder.name)
        prepare(cls.here)

    def spared(self, command, output, read):
        """What is wrong with how a command refuses to write where it reads."""
        before = {path: path.read_bytes() for path in self.here.iterdir() if path.is_file()}
        done = run(*command, "-o", output, cwd=self.here, expect=None)
        said = " ".join(done.stderr.split())
        problems = []
        if done.returncode != USAGE or "both the output and a file" not in said:
            problems.append(f"ended with {done.returncode}: {said}")
        if done.stdout:
            problems.append("worked before it refused")
        if {path: path.read_bytes() for path in self.here.iterdir() if path.is_file()} != before:
            problems.append("changed files")
        return [f"{' '.join(command)} -o {output} ({read}): {problem}" for problem in problems]

    def test_an_output_is_no_input(self):
        problems = [found for command, read in READERS.values() for name in read
                    for found in self.spared(command, name, name)]
        self.assertEqual("", "\n".join(problems))

    def test_nor_under_another_name(self):
        (self.here / "below").mkdir()
        os.symlink("net.h5", self.here / "link.h5")
        os.link(self.here / "net.h5", self.here / "second_name.h5")
        os.symlink(self.here, self.here / "below" / "back")
        problems = []
        for output in ("./net.h5", "below/../net.h5", str(self.here / "net.h5"), "link.h5", "second_name.h5",
                       "below/back/net.h5"):
            problems += self.spared(READERS["fixed points"][0], output, "net.h5")
        named = [word.replace("net.h5", "link.h5") for word in READERS["compare"][0]]
        problems += self.spared(named, "net.h5", "link.h5")
        self.assertEqual("", "\n".join(problems))

    def test_a_network_drawn_is_no_input_nor_the_other_output(self):
        command = ["analyze", "populations", "net.h5", *QUICK, "--resample", "50"]
        before = (self.here / "net.h5").read_bytes()
        self.assertIn("both the output and a file",
                      run(*command, "--resampled", "net.h5", cwd=self.here, expect=USAGE).stderr)
        self.assertIn("give two files", run(*command, "-o", "same.h5", "--resampled", "./same.h5", cwd=self.here,
                                            expect=USAGE).stderr)
        self.assertEqual(before, (self.here / "net.h5").read_bytes())
        self.assertFalse((self.here / "same.h5").exists())
        run(*command, "-o", "one.h5", "--resampled", "other.h5", cwd=self.here)
        self.assertTrue((self.here / "one.h5").exists() and (self.here / "other.h5").exists())

    def test_another_name_is_fine(self):
        def check(number, command):
            output = self.here / f"control{number}.h5"
            run(*command, "-o", output, cwd=self.here)
            self.assertTrue(output.exists())
            if number == 1:
                run(*command, "-o", output, cwd=self.here)  # an earlier result of the kind may be replaced
        in_parallel([lambda n=n, c=c: check(n, c[0]) for n, c in enumerate(READERS.values())])

    def test_files_of_other_types(self):
        def check(line, kind, words):
            done = run(*(word.format(FILES[kind]) for word in line.split()), cwd=self.here, expect=None)
            said = " ".join(done.stderr.split())
            found = "HDF5 file of another program" if kind == "foreign" else f"{kind} file"
            if line.startswith("filter {}") and kind == "foreign":
                found = "not a Rankflow file"
            if kind == "flow" and words is NETWORKS[1]:
                words = ["draw one with 'rankflow sample ", "a distribution of networks"]
            missing = [word for word in (found, FILES[kind], *words) if word not in said]
            right = done.returncode == DATA and not missing and "internal" not in said
            return [] if right else [f"{line.format(FILES[kind])}: {done.returncode}, lacks {missing}: {said}"]
        problems = sum(in_parallel([lambda l=line, k=kind, w=words: check(l, k, w)
                                    for line, (right, words) in WANTED.items() for kind in TYPES
                                    if kind not in right]), [])
        self.assertEqual("", "\n".join(problems))

    def test_runs_without_their_network(self):
        run("-q", "simulate", self.here / "run.toml", "-o", self.here / "bare.h5", "--set", "output.network=false")
        said = run("analyze", "fixed-points", "bare.h5", cwd=self.here, expect=DATA).stderr
        self.assertIn("a run file without the group /network", said)
        self.assertIn("output.network = true", said)

    def test_weights_that_are_no_numbers_or_too_large(self):
        rng = np.random.default_rng(4)
        m = rng.normal(size=(40, 2))
        for value, words in ((np.nan, "NaN or infinity"), (np.inf, "NaN or infinity"), (-1e200, "-1e+200")):
            n = 2 * m
            n[17, 1] = value
            with h5py.File(self.here / "bad.h5", "w") as file:
                file["network/m"], file["network/n"] = m, n
            for command in ("compare bad.h5 net.h5", "compare net.h5 bad.h5", "analyze populations bad.h5",
                            "analyze fixed-points bad.h5", "analyze identifiability bad.h5 run.h5"):
                said = run(*command.split(), cwd=self.here, expect=DATA).stderr
                for word in (words, "/network/n", "bad.h5", "neuron 17", "column 1"):
                    self.assertIn(word, said)
        with h5py.File(self.here / "bad.h5", "w") as file:
            file["network/m"], file["network/n"] = np.zeros((0, 2)), np.zeros((0, 2))
        self.assertIn("at least one neuron", run("analyze", "populations", "bad.h5", cwd=self.here, expect=DATA).stderr)


main()
