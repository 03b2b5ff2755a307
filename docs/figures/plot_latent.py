#!/usr/bin/python3
"""Draws the latent state of a run: python3 plot_latent.py run.h5 picture.png"""

import sys

import h5py
import matplotlib

matplotlib.use("Agg")  # no display on a cluster
import matplotlib.pyplot as plt
import numpy as np


def time_of(latent):
    """Times of the samples in seconds, or the sample numbers of a file without a time scale."""
    scales = list(latent.dims[1].values())
    if not scales or scales[0].shape[0] != latent.shape[1]:
        return np.arange(latent.shape[1]), "sample"
    unit = scales[0].attrs.get("units", "s")
    return scales[0][:], f"time ({unit.decode() if isinstance(unit, bytes) else unit})"


def draw(path, picture):
    with h5py.File(path) as file:
        latent = file["/trajectory/latent"]
        time, time_label = time_of(latent)
        z = latent[:]
    trials, _, rank = z.shape
    shown = range(min(trials, 20))

    figure, panels = plt.subplots(1, 2 if rank > 1 else 1, figsize=(10 if rank > 1 else 6, 4), squeeze=False)
    traces = panels[0, 0]
    for dimension in range(min(rank, 4)):
        for trial in shown:
            label = f"$z_{dimension + 1}$" if trial == 0 else None
            traces.plot(time, z[trial, :, dimension], color=f"C{dimension}", lw=1, alpha=0.7, label=label)
    traces.set(xlabel=time_label, ylabel="latent state", title=f"{trials} trials, rank {rank}")
    traces.legend(loc="upper right")
    if rank > 1:
        plane = panels[0, 1]
        for trial in shown:
            plane.plot(z[trial, :, 0], z[trial, :, 1], lw=1)
            plane.plot(z[trial, -1, 0], z[trial, -1, 1], "k.", ms=5)
        plane.set(xlabel="$z_1$", ylabel="$z_2$", title="paths; a dot marks the end", aspect="equal")
    figure.tight_layout()
    figure.savefig(picture, dpi=150)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    draw(sys.argv[1], sys.argv[2])
