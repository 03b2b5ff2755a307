#!/usr/bin/python3
"""The noise-free Euler step of a low-rank network in numpy, float64, on one core: what run.py compares with.

x <- x + (h/tau) (-x + m kappa), kappa = n^T tanh(x) / N. `plain`: as the equations read. `tuned`: in place, with
preallocated arrays. Prints ns per neuron and step (best of the repeats).
Usage: euler_numpy.py [NEURONS [RANK [plain|tuned]]]
"""
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
import time

import numpy as np


def plain(m, n, x, kappa, ratio):
    x = x + ratio * (-x + m @ kappa)
    return x, n.T @ np.tanh(x) / len(x)


def tuned(m, n, x, kappa, ratio, drive, rates):
    np.matmul(m, kappa, out=drive)
    drive -= x
    drive *= ratio
    x += drive
    np.tanh(x, out=rates)
    return x, n.T @ rates / len(x)


def measure(neurons, rank, form, steps=20, repeats=5):
    generator = np.random.default_rng(1)
    m = generator.standard_normal((neurons, rank))
    n = 2 * m + generator.standard_normal((neurons, rank))
    x = m @ np.full(rank, 0.5)
    kappa = n.T @ np.tanh(x) / neurons
    step, extra = (plain, ()) if form == "plain" else (tuned, (np.empty(neurons), np.empty(neurons)))
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(steps):
            x, kappa = step(m, n, x, kappa, 1e-3 / 0.1, *extra)
        best = min(best, time.perf_counter() - start)
    assert np.isfinite(kappa).all() and np.abs(kappa).max() > 1e-3, "the activity died out"
    return best / (steps * neurons) * 1e9


if __name__ == "__main__":
    neurons = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1000000
    rank = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    form = sys.argv[3] if len(sys.argv) > 3 else "plain"
    print(f"{measure(neurons, rank, form):.3f}")
