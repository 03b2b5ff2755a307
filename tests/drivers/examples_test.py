"""Every example runs, its dry run writes nothing, and the files can be inspected."""
import os
import pathlib
import re
import sys
import unittest

import numpy as np
from support import COMMANDS, EXAMPLES, SHARED, differences, folder, in_parallel, main, run

# Examples that would take minutes run shortly.
SHORT = {
    "eeg": ["training.epochs=1", "training.steps_per_epoch=2"],
    "fit_oscillator": ["training.epochs=2"],
    "hippocampus": ["training.epochs=1", "training.steps_per_epoch=1", "network.neurons=16", "smc.particles=4"],
    "rat_decision": ["training.epochs=1", "training.steps_per_epoch=1", "network.neurons=16", "smc.particles=4"],
}
SHORT.update({name: ["loadings_flow.epochs=2", "conditional_flow.epochs=1", "conditional_flow.judged_neurons=500",
                     "latents.simulation.grid_points=5", "latents.simulation.rows=20"]
              for name in COMMANDS if name.startswith("connectivity_")})


def session(path):
    """The arrays that examples/import_recording.toml speaks of."""
    counts = np.random.default_rng(1).poisson(0.5, (5, 100, 12))
    np.savez(path / "session.npz", counts=counts.astype("u1"), n_steps=np.array([100, 90, 100, 80, 70]))


def may_run(example):
    """False, loudly, when the recording that an example is about is not here."""
    missing = [name for name in re.findall(r"shared/data/([^:\"]*)", example.read_text()) if not (SHARED / name).exists()]
    if not missing:
        return True
    message = f"THE RECORDING {missing[0]} IS MISSING: examples/{example.name} was not run"
    if os.environ.get("CI") == "true" or os.environ.get("RANKFLOW_SHARED") == "required":
        raise AssertionError(message)
    print(message, file=sys.stderr)
    return False


class Examples(unittest.TestCase):
    def check(self, example):
        with folder() as name:
            here = pathlib.Path(name)
            session(here)
            if example.stem == "fit_oscillator":
                run("generate", "recording", EXAMPLES / "oscillator_recording.toml", "-o", "oscillator.h5", cwd=here)
            config = here / example.name
            config.write_text(example.read_text().replace("../../shared/data", str(SHARED)))
            sets = [word for setting in SHORT.get(example.stem, []) for word in ("--set", setting)]
            command = COMMANDS.get(example.stem, ["simulate"])
            before = sorted(here.iterdir())
            dry = run(*command, config, "--dry-run", *sets, cwd=here).stdout
            self.assertEqual(before, sorted(here.iterdir()), f"a dry run must write nothing: {example.stem}")
            self.assertRegex(dry, r"memory per rank on 1 rank: [\d.]+ [KMG]?i?B\n")
            self.assertRegex(dry, r"output file: [\d.]+ [KMG]?i?B\n")
            # The printed configuration is complete: it gives the same result.
            resolved = here / "resolved.toml"
            resolved.write_text(re.split(r"\n(neurons \d|\d+ trial)", dry)[0])
            run(*command, config, "-o", "out.h5", *sets, cwd=here)
            run(*command, resolved, "-o", "again.h5", cwd=here)
            self.assertEqual([], differences(here / "out.h5", here / "again.h5"), example.stem)
            report = run("inspect", "out.h5", cwd=here).stdout
            self.assertIn(", complete, ", report)
            self.assertIn("health: no NaN or infinity where a value belongs", report)

    def test_each(self):
        examples = sorted(EXAMPLES.glob("*.toml"))
        self.assertGreaterEqual(len(examples), 13)
        examples = [example for example in examples if may_run(example)]
        in_parallel([lambda example=example: self.check(example) for example in examples])


main()
