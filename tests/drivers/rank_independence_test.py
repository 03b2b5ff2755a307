"""The same configuration and seed give the same bits on 1, 2, 3 and 4 ranks; another seed does not."""
import pathlib
import tomllib
import unittest

import numpy as np
from support import COMMANDS, EXAMPLES, differences, folder, in_parallel, main, provenance, run

# 700 neurons are 2 tiles: on 3 and 4 ranks some rank has no neurons. 1300 are 3 tiles, not divisible by 2.
CONFIGURATION = """
[run]
seed = 11
[network]
preset = "decision"
neurons = {neurons}
[time]
step = 0.01
duration = 0.4
save_every = 0.02
trials = 3
[integration]
restart_every = 0.1
[initial]
latent_std = 0.5
[[inputs]]
kind = "ornstein_uhlenbeck"
std = 0.3
[[inputs]]
kind = "pulse"
start = 0.105
stop = 0.21
amplitudes = [0.5, -0.5]
[observation]
channels = 5
[output]
inputs = true
population_means = true
rates = true
neurons = [0, 3, 511, 512, 699]
"""

METHODS = {
    "map": ["integration.method=map", "network.decay=0.85"],  # by default its decay is that of euler
    "euler": ["integration.method=euler"],
    "exponential_euler": ["integration.method=exponential_euler"],
    "runge_kutta_fixed": ["integration.method=runge_kutta", "integration.adaptive=false"],
    "runge_kutta_adaptive": ["integration.method=runge_kutta"],
    "adams": ["integration.method=adams"],
    "bdf": ["integration.method=bdf"],
}
SPACES = {
    "neuron": ["output.potentials=true", "initial.potential_std=0.5"],
    "latent": ["integration.space=latent"],
    "sparse": ["network.bulk.kind=sparse", "network.bulk.gain=1.2", "network.bulk.in_degree=30"],
    "procedural": ["network.bulk.kind=procedural", "network.bulk.gain=1.2", "network.bulk.in_degree=10",
                   "network.bulk.dale=true"],
}


def cases():
    """Name -> settings."""
    for method, chosen in METHODS.items():
        fixed = method in ("map", "euler", "exponential_euler")
        for space, more in SPACES.items():
            if space == "procedural" and not fixed:  # redrawn at every evaluation; over the pulse's and a restart's steps
                more = more + ["time.duration=0.12", "time.trials=1"]
            noise = [] if not fixed else ["noise.latent=0.1"] + ([] if space == "latent" else ["noise.neuron=0.2"])
            yield f"{method}-{space}", chosen + more + noise
            if fixed and space in ("neuron", "latent"):
                yield f"{method}-{space}-single", chosen + more + noise + ["run.precision=single"]
    yield "euler-all_to_all", ["network.bulk.kind=procedural", "network.bulk.gain=1.2"]
    yield "bdf-log_uniform", ["integration.method=bdf", "network.time_constants=log_uniform"]
    yield "euler-log_uniform", ["integration.method=euler", "network.time_constants=log_uniform",
                                "network.tau_minimum=0.05", "noise.neuron=0.1"]


def toml(value):
    """What --set takes without quotes."""
    try:
        return tomllib.loads(f"x = {value}") and value
    except tomllib.TOMLDecodeError:
        return f'"{value}"'


class RankIndependence(unittest.TestCase):
    def compare(self, name, command, config, settings, here):
        """One rank without a launcher, then several."""
        sets = [word for setting in settings for word in ("--set", setting)]
        alone = here / f"{name}-alone.h5"
        run(*command, config, "-o", alone, *sets)
        self.assertEqual(1, provenance(alone)["ranks"], name)
        for ranks in (2, 3, 4):
            output = here / f"{name}-{ranks}.h5"
            run(*command, config, "-o", output, *sets, ranks=ranks)
            self.assertEqual([], differences(alone, output), f"{name} on {ranks} ranks")
            self.assertEqual(ranks, provenance(output)["ranks"], name)
            output.unlink()
        return alone, sets

    def control(self, name, command, config, sets, alone, here):
        other = here / f"{name}-other.h5"
        run(*command, config, "-o", other, *sets, "--set", "run.seed=987")
        self.assert_another(name, alone, other)

    def assert_another(self, name, alone, other):
        changed = [path for path in differences(alone, other) if "@" not in path]
        self.assertTrue(any(path.endswith(("/latent", "/m")) for path in changed),
                        f"{name}: another seed changed only {changed}")

    def sweep(self, here, name, ranks, seed=11):
        """Every case in one job, since starting MPI takes longer than a case does; {name of the case: result}."""
        lines = ["[sweep]", 'base = "base.toml"', 'driver = "simulate"', f"ranks = {ranks}", f"seeds = [{seed}]"]
        for number, (_, settings) in enumerate(cases()):
            pairs = [setting.split("=") for setting in settings] + [("network.neurons", str((700, 1300)[number % 2]))]
            lines += ["[[sweep.cases]]"] + [f'"{key}" = {toml(value)}' for key, value in pairs]
        (here / f"{name}.toml").write_text("\n".join(lines))
        run("sweep", "run", here / f"{name}.toml", ranks=ranks, timeout=600)
        plan = tomllib.loads((here / name / "plan.toml").read_text())
        ids = [case["id"] for case in plan["submit"]["cases"]]
        return {case: here / name / "cases" / i[:2] / i / "result.h5" for (case, _), i in zip(cases(), ids, strict=True)}

    def test_methods(self):
        with folder() as name:
            here = pathlib.Path(name)
            (here / "base.toml").write_text(CONFIGURATION.format(neurons=700))
            alone = self.sweep(here, "alone", 1)
            for ranks in (2, 3, 4):
                for case, result in self.sweep(here, f"on_{ranks}", ranks).items():
                    self.assertEqual(ranks, provenance(result)["ranks"], case)
                    self.assertEqual([], differences(alone[case], result), f"{case} on {ranks} ranks")
            for case, result in self.sweep(here, "other", 1, seed=987).items():
                self.assertEqual(1, provenance(alone[case])["ranks"], case)
                self.assert_another(case, alone[case], result)

    def test_methods_differ(self):
        """That no two methods give the same latents shows that the settings reach the program."""
        with folder() as name:
            here = pathlib.Path(name)
            config = here / "base.toml"
            config.write_text(CONFIGURATION.format(neurons=700))
            files = []
            for method, settings in METHODS.items():
                files.append(here / f"{method}.h5")
                run("simulate", config, "-o", files[-1], *[w for s in settings for w in ("--set", s)])
            for i, one in enumerate(files):
                for other in files[:i]:
                    self.assertIn("/trajectory/latent", differences(one, other), f"{one.stem} and {other.stem}")

    def test_examples(self):
        with folder() as name:
            here = pathlib.Path(name)
            counts = np.random.default_rng(1).poisson(0.5, (5, 100, 12))
            np.savez(here / "session.npz", counts=counts.astype("u1"), n_steps=np.array([100, 90, 100, 80, 70]))

            def job(example):
                config = here / example.name
                config.write_text(example.read_text())
                command = COMMANDS.get(example.stem, ["simulate"])
                alone, sets = self.compare(example.stem, command, config, [], here)
                if example.stem != "import_recording":
                    self.control(example.stem, command, config, sets, alone, here)

            in_parallel([lambda e=e: job(e) for e in sorted(EXAMPLES.glob("*.toml"))
                         if "[training]" not in e.read_text() and "[loadings_flow" not in e.read_text()])
            # fits: fit_vsmc_test.py, fit_flow_test.py


main()
