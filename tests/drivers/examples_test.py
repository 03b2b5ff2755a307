"""Every example runs, its dry run writes nothing, and the files can be inspected."""
import pathlib
import re
import unittest

import numpy as np
from support import COMMANDS, EXAMPLES, differences, folder, in_parallel, main, run


def session(path):
    """The arrays that examples/import_recording.toml speaks of."""
    counts = np.random.default_rng(1).poisson(0.5, (5, 100, 12))
    np.savez(path / "session.npz", counts=counts.astype("u1"), n_steps=np.array([100, 90, 100, 80, 70]))


class Examples(unittest.TestCase):
    def check(self, example):
        with folder() as name:
            here = pathlib.Path(name)
            session(here)
            config = here / example.name
            config.write_text(example.read_text())
            command = COMMANDS.get(example.stem, ["simulate"])
            before = sorted(here.iterdir())
            dry = run(*command, config, "--dry-run", cwd=here).stdout
            self.assertEqual(before, sorted(here.iterdir()), f"a dry run must write nothing: {example.stem}")
            self.assertRegex(dry, r"memory per rank on 1 rank: [\d.]+ [KMG]?i?B\n")
            self.assertRegex(dry, r"output file: [\d.]+ [KMG]?i?B\n")
            # The printed configuration is complete: it gives the same result.
            resolved = here / "resolved.toml"
            resolved.write_text(re.split(r"\n(neurons \d|\d+ trial)", dry)[0])
            run(*command, config, "-o", "out.h5", cwd=here)
            run(*command, resolved, "-o", "again.h5", cwd=here)
            self.assertEqual([], differences(here / "out.h5", here / "again.h5"), example.stem)
            report = run("inspect", "out.h5", cwd=here).stdout
            self.assertIn(", complete, ", report)
            self.assertIn("health: no NaN or infinity where a value belongs", report)

    def test_each(self):
        examples = sorted(EXAMPLES.glob("*.toml"))
        self.assertGreaterEqual(len(examples), 9)

        in_parallel([lambda example=example: self.check(example) for example in examples])


main()
