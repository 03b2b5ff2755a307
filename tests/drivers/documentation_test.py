"""Every command and every piece of Python in README.md and docs/ runs, in the order of its page.

Long ones run shortly: fewer epochs, neurons, particles. Pages with a test of their own are named below, and so is what
cannot run here.
"""
import os
import pathlib
import re
import shlex
import subprocess
import unittest

import h5py
import numpy as np
from support import EXAMPLES, MPIEXEC, RANKFLOW, SOURCE, folder, in_parallel, main, run

ELSEWHERE = {
    "comparison.md": "compare_test.py",
    "configuration.md": "reference_test.py",
    "identifiability.md": "identifiability_test.py",
    "populations.md": "populations_test.py",
    "slurm.md": "tests/slurm",
}
NOT_HERE = {
    "jobs/quickstart.sh": "builds the project",
    "tests/run.sh": "is what runs this",
    "sweep submit": "tests/slurm",
    "sweep measure": "tests/sweep/measured_test.py",
    "halving_study": "a minute of study, whose curves tests/sweep/halving_test.cpp has",
    "collect grid": "of that study",
    "sweeps/eeg.toml": "minutes of study",
    "sweeps/oscillator_random.toml": "a minute of study",
    "collect random_study": "of that study",
    "bench/run.sh": "minutes of measurements",
    "tests/evidence/recovery_oscillator_test.py": "registered as a test, --full takes hours",
}
COMMAND = re.compile(r"^    ((?:RANKFLOW=\S+ )?(?:mpirun -n \d+ )?(?:build/release/)?(?:rankflow|python3|/usr/bin/python3|\w+/[\w/]+\.sh) .*)$")
FLOW = ("loadings_flow.epochs=2", "conditional_flow.epochs=1", "conditional_flow.judged_neurons=500")
SHORTER = {  # last words of a command, which have the last say
    "fit vsmc": ("training.epochs=2", "training.steps_per_epoch=2"),
    "fit flow examples/connectivity_": (*FLOW, "latents.simulation.grid_points=5", "latents.simulation.rows=20"),
    "fit flow --from": FLOW,
    "fit flow flow.toml": ("conditional_flow.epochs=1", "conditional_flow.judged_neurons=500"),
    "network.neurons=2": ("time.duration=0.1",),
    "evaluate": ("evaluate.samples=50",),
}


def pages():
    return [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))]


def commands_of(page):
    """Commands without the remarks behind them; lines that end with a backslash go on."""
    text = page.read_text().replace("\\\n", "")
    found = [match.group(1) for match in map(COMMAND.match, text.splitlines()) if match]
    found = [re.sub(r"\s+# .*", "", line) for line in found]
    return [line for line in found if not re.search(r"\b[A-Z]{3,}\b", re.sub("RANKFLOW=|README", "", line))]  # DATA.h5: a form


def python_of(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def shorter(line):
    """The same command with less to do."""
    line = re.sub(r"\b([1-9])0{4,}\b", r"\g<1>000", line).replace("-n 64", "-n 3").replace("20000", "2000")
    line = line.replace(" [--watch]", "")
    for part, sets in SHORTER.items():
        if part in line:
            line += "".join(f" --set {item}" for item in sets)
    return line


def prepare(here):
    """What the pages take for granted."""
    (here / "examples").symlink_to(EXAMPLES)
    (here / "docs").symlink_to(SOURCE / "docs")
    random = np.random.default_rng(1)
    counts = random.poisson(0.5, (5, 100, 12))
    np.savez(here / "session.npz", counts=counts.astype("u1"), n_steps=np.array([100, 90, 100, 80, 70]),
             stimulus=random.standard_normal((5, 100, 2)))
    np.save(here / "spikes.npy", counts.astype(float))
    np.save(here / "inputs.npy", random.standard_normal((5, 100, 2)))
    with h5py.File(here / "session.nwb", "w") as nwb:
        nwb["units/spike_times"] = np.concatenate([np.sort(random.uniform(0, 9, 40)), np.sort(random.uniform(0, 9, 70))])
        nwb["units/spike_times_index"] = np.array([40, 110])
    (here / "my_import.toml").write_text((EXAMPLES / "import_recording.toml").read_text())


def prepare_fit(here):
    run("-q", "generate", "recording", EXAMPLES / "oscillator_recording.toml", "-o", here / "data.h5")
    run("-q", "fit", "vsmc", EXAMPLES / "fit_oscillator.toml", "-o", here / "fit.h5", "--set", f"data.file={here / 'data.h5'}",
        *(word for item in SHORTER["fit vsmc"] for word in ("--set", item)))


def prepare_flow(here):
    prepare_fit(here)
    run("-q", "generate", "network", EXAMPLES / "preset_network.toml", "-o", here / "other.h5")
    (here / "flow.toml").write_text((EXAMPLES / "connectivity_bistable.toml").read_text())


def prepare_sweep(here):
    (here / "base.toml").write_text((EXAMPLES / "oscillator_recording.toml").read_text())
    (here / "sweep.toml").write_text('[sweep]\nbase = "base.toml"\ndriver = "generate recording"\nmetric = "mean_observation"\n'
                                     'direction = "maximise"\nseeds = 2\n[sweep.set]\n"time.duration" = 0.5\n')


def prepare_run(here):
    run("-q", "simulate", EXAMPLES / "ring_attractor.toml", "-o", here / "run.h5")


def prepare_fixed_points(here):
    prepare_fit(here)
    run("-q", "analyze", "fixed-points", here / "fit.h5", "-o", here / "out.h5")


BEFORE = {"connectivity_flows.md": prepare_flow, "file-formats.md": prepare_run, "fitting.md": prepare_fit,
          "fixed-points.md": prepare_fixed_points, "sweeps.md": prepare_sweep}


class Documentation(unittest.TestCase):
    def execute(self, line, here):
        words = shlex.split(line)
        programs = {"rankflow": RANKFLOW, "build/release/rankflow": RANKFLOW, "mpirun": MPIEXEC, "python3": "/usr/bin/python3"}
        words = [programs.get(word, word) for word in words]
        done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(0, done.returncode, f"{line}\n{done.stdout}\n{done.stderr}")

    def page(self, page):
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            BEFORE.get(page.name, lambda _: None)(here)
            for line in commands_of(page):
                if not any(part in line for part in NOT_HERE):
                    self.execute(shorter(line), here)
            for number, text in enumerate(python_of(page)):
                script = here / f"piece_{number}.py"
                script.write_text(text)
                done = subprocess.run(["/usr/bin/python3", script.name], cwd=here, capture_output=True, text=True, check=False,
                                      env=dict(os.environ, MPLBACKEND="Agg"))
                self.assertEqual(0, done.returncode, f"{page.name}:\n{text}\n{done.stderr}")
                if (here / "recording.h5").exists():
                    self.assertIn("recording", run("inspect", here / "recording.h5").stdout)

    def test_pages(self):
        found = [page for page in pages() if page.name not in ELSEWHERE]
        in_parallel([lambda page=page: self.page(page) for page in found if commands_of(page) or python_of(page)])

    def test_what_is_found(self):
        """That the patterns above find what there is, and nothing is left out that could run."""
        self.assertGreaterEqual(len(commands_of(SOURCE / "README.md")), 28)
        self.assertGreaterEqual(len(python_of(SOURCE / "docs" / "file-formats.md")), 3)
        everything = "\n".join(line for page in pages() for line in commands_of(page))
        for part in NOT_HERE:
            self.assertIn(part, everything)
        for name in ELSEWHERE:
            self.assertTrue((SOURCE / "docs" / name).exists(), name)

    def test_a_wrong_command_is_seen(self):
        with folder() as name, self.assertRaises(AssertionError):
            self.execute("rankflow simulate examples/missing.toml", pathlib.Path(name))

    def test_data_of_a_fit(self):
        """The table [data] of docs/fitting.md."""
        text = (SOURCE / "docs" / "fitting.md").read_text()
        table = re.search(r"^    \[data\]\n(?:    .*\n)+", text, re.MULTILINE).group(0)
        with folder() as name:
            here = pathlib.Path(name)
            prepare(here)
            lines = [line.strip() for line in table.splitlines()]
            (here / "fit.toml").write_text('observation.kind = "poisson"\ntraining.batch_trials = 2\nsmc.proposal = "bootstrap"\n' + "\n".join(lines))
            run("fit", "vsmc", here / "fit.toml", "--dry-run")
            (here / "other.toml").write_text((here / "fit.toml").read_text().replace("n_steps =", "m_steps ="))
            run("fit", "vsmc", here / "other.toml", "--dry-run", expect=2)

    def test_tables_of_a_sweep(self):
        """Every table of docs/sweeps.md, after the beginning of the first, to which they add."""
        tables = re.findall(r"^```toml\n(.*?)^```", (SOURCE / "docs" / "sweeps.md").read_text(), re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(tables), 4)
        with folder() as name:
            here = pathlib.Path(name)
            prepare_fit(here)
            example = (EXAMPLES / "fit_oscillator.toml").read_text().replace("oscillator.h5", "data.h5")
            (here / "fit.toml").write_text(re.sub("final_learning_rate.*", "", example))  # the page varies the other one
            for number, table in enumerate(tables):
                sweep = here / f"sweep_{number}.toml"
                sweep.write_text(tables[0].split("[sweep.grid]")[0] + table if number else table)
                self.assertIn("cases", run("sweep", "plan", sweep).stdout)


main()
