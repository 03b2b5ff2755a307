"""The whole chain on a rat's frontal cortex (Luo et al. 2025): a short fit by variational SMC, the flow of its connectivity,
a network of another size, and the report on what is required. The sampled network has the fitted network's drive at the
states that the recording visited; a sample of neurons whose n are dealt to others has not."""
import subprocess
from pathlib import Path

import h5py
import numpy as np

from support import PROGRAM, Case, main, shared

EXAMPLE = Path(__file__).parents[2] / "examples" / "rat_decision.toml"
NEURONS = 5000


def drive(network, z, v):
    """(1/N) sum_i n_i relu(m_i z + b_i v + d_i)."""
    m, n, b, d = (network[name][...] for name in ("m", "n", "input_weights", "bias"))
    return np.maximum(z @ m.T + v @ b.T + d, 0) @ n / len(m)


class RatChain(Case):
    def program(self, *words):
        done = subprocess.run([PROGRAM, "-q", *map(str, words)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_chain(self):
        shared("rat_luo2025_X087_2021_08_03.h5")
        fit, flow, net = (self.folder / name for name in ("fit.h5", "flow.h5", "net.h5"))
        self.program("fit", "vsmc", EXAMPLE, "-o", fit, "--set", "training.epochs=2")
        self.program("fit", "flow", "--from", fit, "-o", flow, "--set", "latents.particles=64",
                     "--set", "loadings_flow.epochs=300", "--set", "conditional_flow.epochs=50",
                     "--set", "conditional_flow.batch=100")
        self.program("sample", flow, "--neurons", NEURONS, "-o", net)
        report = self.program("analyze", "identifiability", flow, "--set", "sample.neurons=500")
        self.assertIn("effective", report)
        with h5py.File(fit) as fitted, h5py.File(flow) as learned, h5py.File(net) as sampled:
            test = learned["latents/part"][...] == 2
            z, v, y = (learned[f"latents/{name}"][...][test] for name in ("z", "v", "y"))
            size = np.linalg.norm(y)
            self.assertLess(np.linalg.norm(drive(fitted["network"], z, v) - y) / size, 1e-9)
            self.assertEqual(fitted["network"].attrs["decay"], sampled["network"].attrs["decay"])
            arrays = {name: sampled[f"network/{name}"][...] for name in ("m", "n", "input_weights", "bias")}
        error = np.linalg.norm(drive(arrays, z, v) - y) / size
        arrays["n"] = np.roll(arrays["n"], 1, axis=0)
        control = np.linalg.norm(drive(arrays, z, v) - y) / size
        self.saw("drive of the sampled network, relative error at the test trials' states", error, 0.4)
        self.saw("the same with n dealt to other neurons", control)
        self.assertLess(error, 0.4)
        self.assertGreater(control, 2 * error)


if __name__ == "__main__":
    main()
