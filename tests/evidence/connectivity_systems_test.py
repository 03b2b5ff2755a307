"""Flows learned from the four systems of Kim et al. (ICML 2026) against the authors' trained models: distances to the true
connectivities (figure 4) and flow fields, at a fraction of the epochs. SEEDS=1,2,3 in the environment does it for more."""
import os
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np

from support import PROGRAM, Case, main

PRESETS = {"quadstable": "quadstable", "bistable": "bistable", "limit_cycle": "limit_cycle", "ring": "ring_attractor"}
NAMES = tuple(PRESETS)
# The authors' models: distance to the truth, and relative error of the flow field of 20 000 neurons.
PUBLISHED = dict(zip(NAMES, (0.138, 0.149, 0.174, 0.126)))
PUBLISHED_FIELD = dict(zip(NAMES, (0.076, 0.026, 0.045, 0.050)))
SHORT = ["loadings_flow.epochs=500", "conditional_flow.epochs=200", "conditional_flow.average_memory=0.98",
         "conditional_flow.batch=50"]
EXAMPLES = Path(__file__).parents[2] / "examples"


class Systems(Case):
    def program(self, *arguments, sets=()):
        words = [str(word) for word in arguments] + [word for setting in sets for word in ("--set", setting)]
        done = subprocess.run([PROGRAM, "-q", *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}\n{done.stderr}")

    def distances(self, seed):
        """[true, inferred], and the error of each system's own flow field."""
        truth, small, large = {}, {}, {}
        for name, preset in PRESETS.items():
            truth[name] = self.folder / f"truth_{name}.h5"
            config = self.folder / "truth.toml"
            config.write_text(f'[run]\nseed = {seed}\n[network]\npreset = "{preset}"\nneurons = 1000\n')
            self.program("generate", "network", config, "-o", truth[name])
            flow = self.folder / f"flow_{name}.h5"
            start = time.monotonic()
            self.program("fit", "flow", EXAMPLES / f"connectivity_{name}.toml", "-o", flow, "--overwrite",
                         sets=[f"run.seed={seed}", *SHORT])
            self.saw(f"seed {seed}, {name}: seconds of training", time.monotonic() - start)
            for neurons, samples in ((1000, small), (20000, large)):
                samples[name] = self.folder / f"{name}_{neurons}.h5"
                self.program("sample", flow, "--neurons", neurons, "-o", samples[name])
        matrix = np.zeros((4, 4))
        fields = {}
        for i, true in enumerate(NAMES):
            for j, inferred in enumerate(NAMES):
                matrix[i, j] = self.compare(truth[true], small[inferred], true)["distance"]
            fields[true] = self.compare(truth[true], large[true], true)["flow_difference"]
        return matrix, fields

    def compare(self, first, second, true):
        output = self.folder / "comparison.h5"
        self.program("compare", first, second, "-o", output,
                     sets=["compare.conditional_mean=preset", f"compare.preset={PRESETS[true]}",
                           "compare.conditional_neurons=200", "compare.iterations=geomloss"])
        with h5py.File(output, "r") as file:
            return dict(file["comparison"].attrs)

    def test_figure_4(self):
        for seed in map(int, os.environ.get("SEEDS", "1").split(",")):
            matrix, fields = self.distances(seed)
            for i, name in enumerate(NAMES):
                self.saw(f"seed {seed}, {name} to {', '.join(NAMES)}", np.array2string(matrix[i], precision=3))
                self.saw(f"seed {seed}, {name}: flow field", fields[name], PUBLISHED_FIELD[name])
            for i, name in enumerate(NAMES):
                with self.subTest(seed=seed, system=name):
                    self.assertEqual(i, np.argmin(matrix[i]))
                    self.assertEqual(i, np.argmin(matrix[:, i]))
                    self.assertLess(matrix[i, i], PUBLISHED[name])
                    self.assertLess(fields[name], PUBLISHED_FIELD[name])


if __name__ == "__main__":
    main()
