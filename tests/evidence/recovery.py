"""What the recovery tests share: fitting by the built program, simulating and filtering what was fitted, statistics.

`--full` runs the long form that docs/evidence-fits.md quotes: 5 seeds, 1 to 5; without it the first one, for CI.
"""
import subprocess
import sys

import h5py
import numpy as np

from support import PROGRAM, Case, Run, toml

FULL = "--full" in sys.argv
if FULL:
    sys.argv.remove("--full")
SEEDS = range(1, 6) if FULL else range(1, 2)


def merged(*configurations):
    """Tables of the later ones over those of the earlier ones, key by key."""
    result = {}
    for configuration in configurations:
        for name, table in configuration.items():
            result[name] = table if isinstance(table, list) else {**result.get(name, {}), **table}
    return result


class FitCase(Case):
    def call(self, *words):
        done = subprocess.run([PROGRAM, "-q", *map(str, words)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}\n{done.stderr}")

    def configured(self, tables, *words):
        """Runs the subcommand `words` on the configuration made of `tables`; the path of its result."""
        self._runs += 1
        config, output = self.folder / f"{self._runs}.toml", self.folder / f"{self._runs}.h5"
        lines = []
        for name, table in tables.items():
            for entry in table if isinstance(table, list) else [table]:
                lines.append(f"[[{name}]]" if isinstance(table, list) else f"[{name}]")
                lines += [f"{key} = {toml(value)}" for key, value in entry.items() if not isinstance(value, dict)]
                for key, value in entry.items():
                    if isinstance(value, dict):
                        lines.append(f"[{name}.{key}]")
                        lines += [f"{k} = {toml(v)}" for k, v in value.items()]
        config.write_text("\n".join(lines) + "\n")
        self.call(*words, config, "-o", output)
        return output

    def recording(self, **tables):
        return self.configured(tables, "generate", "recording")

    def fit(self, *tables):
        return self.configured(merged(*tables), "fit", "vsmc")

    def generated(self, fit, seed=1, **time):
        """A simulation of the fit with noise of its own."""
        self._runs += 1
        output = self.folder / f"{self._runs}.h5"
        sets = [f"--set=time.{key}={value}" for key, value in time.items()]
        self.call("simulate", fit, "-o", output, f"--set=run.seed={seed}", *sets)
        return Run(output)


def held_out_score(fit):
    """Log-likelihood per held-out step of the best parameters."""
    with h5py.File(fit, "r") as file:
        return np.nanmax(file["/training/validation_log_likelihood"][...])


def plane(series):
    """Mean and the two leading principal directions of `series` [trial, time, channel]."""
    rows = series.reshape(-1, series.shape[2])
    directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:2]
    scale = ((rows - rows.mean(axis=0)) @ directions.T).std(axis=0)
    return rows.mean(axis=0), directions.T / scale


def periods(series, axes, step):
    """Time per revolution of each trial in the plane `axes`, with its sign: another sense of rotation is another
    period, and no rotation an infinite one."""
    mean, directions = axes
    point = (series - mean) @ directions
    phase = np.unwrap(np.arctan2(point[..., 1], point[..., 0]), axis=1)
    with np.errstate(divide="ignore"):
        return 2 * np.pi * (series.shape[1] - 1) * step / (phase[:, -1] - phase[:, 0])


def mean_period(found):
    """Of all trials together: the harmonic mean, for revolutions add up."""
    with np.errstate(divide="ignore"):
        return 1 / np.mean(1 / found)


def spectrum(series, axes, length):
    """Normalised power of the two components in `axes` over segments of `length` steps, without the constant."""
    mean, directions = axes
    point = (series - mean) @ directions
    count = point.shape[1] // length
    segments = point[:, : count * length].reshape(-1, length, 2)
    window = np.hanning(length)[:, None]
    segments = (segments - segments.mean(axis=1, keepdims=True)) * window
    power = np.mean(np.abs(np.fft.rfft(segments, axis=1)) ** 2, axis=0)
    return power[1:] / power[1:].sum(axis=0)


def hellinger(a, b):
    return np.mean(np.sqrt(np.maximum(0.0, 1 - np.sum(np.sqrt(a * b), axis=0))))


def softplus(s):
    return np.logaddexp(0, s) + 1e-6


def bootstrap_filter(fit, counts, mask, inputs, particles, seed):
    """Log p(counts [B, T, D]) of each trial under a fitted Poisson model with an affine softplus readout (without
    factorials), and the filtered mean of the latents: a plain bootstrap filter in numpy, from the equations."""
    with h5py.File(fit, "r") as file:
        m, n, d = (file[f"/network/{name}"][...] for name in ("m", "n", "bias"))
        b = file["/network/input_weights"][...] if inputs is not None else np.zeros((len(d), 0))
        decay, kind = file["/network"].attrs["decay"], file["/network"].attrs["activation"]
        mean, first, noise = (file[name][...] for name in ("/initial/mean", "/initial/cholesky", "/noise/cholesky"))
        weights, bias = file["/observation/weights"][...], file["/observation/bias"][...]
    kind = kind.decode() if isinstance(kind, bytes) else kind
    n = n * (1 - decay) / len(d)  # the file's n is that of z <- decay z + (1 - decay) / N n^T phi
    random = np.random.default_rng(seed)
    trials, times, _ = counts.shape
    z = mean + random.normal(size=(trials, particles, len(mean))) @ first.T
    v = np.zeros((trials, b.shape[1]))
    filtered = np.zeros((trials, times, len(mean)))
    total = np.zeros(trials)
    for t in range(times):
        if t > 0:
            s = z @ m.T + (v @ b.T)[:, None, :]
            rates = np.maximum(s + d, 0) - (np.maximum(s, 0) if kind == "clipped_relu" else 0)
            z = decay * z + rates @ n + random.normal(size=z.shape) @ noise.T
            if inputs is not None:
                v = decay * v + (1 - decay) * inputs[:, t - 1]
        rate = softplus(z @ weights.T + bias)
        weight = np.sum(counts[:, t, None] * np.log(rate) - rate, axis=2) * mask[:, t, None]
        top = weight.max(axis=1, keepdims=True)
        weight = np.exp(weight - top)
        total += top[:, 0] + np.log(weight.mean(axis=1))
        weight /= weight.sum(axis=1, keepdims=True)
        filtered[:, t] = np.einsum("bk,bkr->br", weight, z)
        places = (np.arange(particles) + random.uniform(size=(trials, 1))) / particles
        for trial in range(trials):
            parents = np.searchsorted(np.cumsum(weight[trial]), places[trial] * (1 - 1e-12))
            z[trial] = z[trial, np.minimum(parents, particles - 1)]
    return total, filtered


def report(case, what, values, allowed=None):
    """One seed: the value; several: median and range."""
    values = np.asarray(values)
    text = f"{values[0]:.4g}" if len(values) == 1 else \
        f"median {np.median(values):.4g}, range {values.min():.4g} to {values.max():.4g}"
    case.saw(what, text, allowed)
