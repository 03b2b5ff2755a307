#!/usr/bin/python3
"""Period of the limit cycle of a synthetic recording's latents and of a simulation's: compare_period.py RECORDING RUN"""
import sys

import h5py
import numpy as np


def period(latents, step):
    """Seconds for one turn around the origin of the first two principal components, mean over trials [trial, time, R].

    The first quarter is left out: the way to the cycle.
    """
    turns = []
    for trial in latents:
        centred = trial[len(trial) // 4:] - trial[len(trial) // 4:].mean(axis=0)
        left = np.linalg.svd(centred, full_matrices=False)[0][:, :2]
        angle = np.unwrap(np.arctan2(left[:, 1], left[:, 0]))
        turns.append(abs(angle[-1] - angle[0]) / (2 * np.pi) / ((len(angle) - 1) * step))
    return 1 / np.mean(turns)


def main():
    with h5py.File(sys.argv[1], "r") as recording, h5py.File(sys.argv[2], "r") as run:
        teacher = period(recording["truth/latent"][...], recording["recording"].attrs["bin_width_s"])
        fit = period(run["trajectory/latent"][...], np.diff(run["trajectory/time"][:2])[0])
    print(f"Period of the limit cycle: {teacher:.3f} s of the network that was recorded, {fit:.3f} s of the fit "
          f"({100 * (fit / teacher - 1):+.1f} %)")


if __name__ == "__main__":
    main()
