#!/usr/bin/python3
"""The Euler step of a low-rank network in numpy on one core: what run.py compares with.

x <- x + (h/tau) (-x + m kappa) [+ noise], kappa = n^T tanh(x) / N. `plain`: as the equations read, with a fresh array
for every term. `tuned`: in place, with preallocated arrays, as few passes as numpy allows. Prints the CPU time of a
step in ns per neuron, mean of all steps after the first.
Usage: euler_numpy.py [NEURONS [RANK [plain|tuned [double|float [NOISE]]]]]
"""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
import time

import numpy as np

RATIO = 1e-3 / 0.1


class Plain:
    def __init__(self, generator, noise):
        self.generator, self.noise = generator, noise * np.sqrt(2 * RATIO)

    def __call__(self, m, n, x, kappa):
        x = x + x.dtype.type(RATIO) * (-x + m @ kappa)
        if self.noise > 0:
            x = x + x.dtype.type(self.noise) * self.generator.standard_normal(len(x), dtype=x.dtype)
        return x, n.T @ np.tanh(x) / x.dtype.type(len(x))


class Tuned:
    def __init__(self, generator, noise):
        self.generator, self.noise, self.drive = generator, noise * np.sqrt(2 * RATIO), None

    def __call__(self, m, n, x, kappa):
        if self.drive is None:
            self.drive = np.empty_like(x)
        drive = self.drive
        np.matmul(m, kappa * x.dtype.type(RATIO), out=drive)
        x *= x.dtype.type(1 - RATIO)
        x += drive
        if self.noise > 0:
            self.generator.standard_normal(out=drive, dtype=x.dtype)
            drive *= x.dtype.type(self.noise)
            x += drive
        np.tanh(x, out=drive)
        return x, n.T @ drive / x.dtype.type(len(x))


def measure(neurons, rank, form, dtype, noise):
    generator = np.random.default_rng(1)
    m = generator.standard_normal((neurons, rank), dtype=dtype)
    n = 2 * m + generator.standard_normal((neurons, rank), dtype=dtype)
    x = m @ np.full(rank, 0.5, dtype)
    kappa = n.T @ np.tanh(x) / dtype(neurons)
    step = (Plain if form == "plain" else Tuned)(generator, noise)
    x, kappa = step(m, n, x, kappa)
    steps = max(5, int(3e7 / neurons))
    start = time.process_time()
    for _ in range(steps):
        x, kappa = step(m, n, x, kappa)
    seconds = time.process_time() - start
    assert x.dtype == kappa.dtype == dtype, "numpy went on in another precision"
    assert np.isfinite(kappa).all() and np.abs(kappa).max() > 1e-3, "the activity died out"
    return seconds / (steps * neurons) * 1e9


if __name__ == "__main__":
    given = dict(enumerate(sys.argv[1:]))
    precision = np.float32 if given.get(3) == "float" else np.float64
    time_taken = measure(int(float(given.get(0, 1e6))), int(given.get(1, 2)), given.get(2, "plain"), precision,
                         float(given.get(4, 0)))
    print(f"{time_taken:.3f}")
