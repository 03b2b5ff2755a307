#!/usr/bin/python3
"""Draws what `rankflow analyze identifiability`, `analyze populations` or `compare` wrote: python3 plot_analysis.py
report.h5 picture.png"""

import sys

import h5py
import matplotlib

matplotlib.use("Agg")  # no display on a cluster
import matplotlib.pyplot as plt
import numpy as np


def draw_flow(panel, file, flow, title):
    """Arrows of a flow field of rank 2; speed over the latent for rank 1."""
    latent = file["flow_field/latent"][:]
    if latent.shape[1] == 1:
        panel.plot(latent[:, 0], flow[:, 0])
        panel.axhline(0, color="gray", lw=0.5)
        panel.set(xlabel="$z_1$", ylabel="$F$", title=title)
        return
    extent = file["flow_field"].attrs["extent"].astype(int)
    grid = [a.reshape(extent).T for a in (*latent.T, *flow.T)]
    panel.streamplot(*grid, color=np.hypot(grid[2], grid[3]), linewidth=0.8, density=0.9)
    panel.set(xlabel="$z_1$", ylabel="$z_2$", title=title, aspect="equal")


def draw_populations(file, figure):
    count = len(file["populations/weight"])
    names = [(file["flow_field/whole"][:], "whole network")]
    names += [(names[0][0] - file[f"flow_field/drive_{p}"][:], f"without population {p + 1}") for p in range(count)]
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for panel, (flow, title) in zip(panels, names):
        draw_flow(panel, file, flow, title)
    for panel, silenced in zip(panels, ["none", *(f"population_{p}" for p in range(count))]):
        points = file.get(f"silencing/{silenced}/latent")
        if points is None or points.shape[1] != 2:
            continue
        stable = file[f"silencing/{silenced}/stable"][:] == 1
        panel.plot(*points[:][stable].T, "k.", *points[:][~stable].T, "k+")


def draw_comparison(file, figure):
    panels = figure.subplots(1, 2)
    for panel, name in zip(panels, ("first", "second")):
        draw_flow(panel, file, file[f"flow_field/{name}"][:], f"flow of the {name}")


def draw_spectrum(panel, group):
    share = group["determined"][:]
    shown = min(len(share), 40)
    panel.bar(np.arange(1, shown + 1), share[:shown])
    panel.set(xlabel="mode", ylabel="determined", ylim=(0, 1), title=f"{share.sum():.1f} effective degrees of freedom")


def draw_functionals(panel, group):
    """Intervals of 95 % given the data, without data in gray, and the values of the given n."""
    names = group.attrs["functional_names"].split("\n")
    estimate, given = group["functional_estimate"][:], group["functional_given"][:]
    rank, place = estimate.shape[1], 0
    labels = []
    for f, name in enumerate(names[:12]):
        for r in range(rank):
            panel.errorbar(0, place, xerr=1.96 * group["functional_prior_deviation"][f], color="lightgray", capsize=4)
            panel.errorbar(estimate[f, r], place, xerr=1.96 * group["functional_deviation"][f], color="C0", capsize=2)
            panel.plot(given[f, r], place, "C3x")
            labels.append(f"{name}, latent {r + 1}")
            place += 1
    panel.set(yticks=range(place), yticklabels=labels, title="functionals of n: x given, bars what the data leave")
    panel.invert_yaxis()


def draw_coverage(panel, file):
    group = file["coverage"]
    z1, z2 = group["z1"][:], group["z2"][:]
    share = group["deviation"][:] / group["prior_deviation"][:]
    image = panel.pcolormesh(z1, z2, share.T, shading="nearest")
    panel.contour(z1, z2, group["supported"][:].T, levels=[0.5], colors="w")
    visited = file["visited/latent"]
    panel.plot(*visited[:: max(1, len(visited) // 2000)].T, "k.", ms=1, alpha=0.3)
    panel.set(xlabel="$z_1$", ylabel="$z_2$", title="uncertainty of the flow; within the line it is known")
    plt.colorbar(image, ax=panel)


def draw_identifiability(file, figure):
    mapped = "coverage/z2" in file and "coverage/z3" not in file
    panels = figure.subplots(1, 3 if mapped else 2)
    draw_spectrum(panels[0], file["identifiability"])
    draw_functionals(panels[1], file["identifiability"])
    if mapped:
        draw_coverage(panels[2], file)


def draw(path, picture):
    with h5py.File(path) as file:
        figure = plt.figure(figsize=(15, 4.5))
        for group, drawn in (("identifiability", draw_identifiability), ("populations", draw_populations),
                             ("comparison", draw_comparison)):
            if group in file:
                if "flow_field" in file and file["flow_field/latent"].shape[1] > 2:
                    sys.exit(f"{path}: flow fields of more than two latents are not drawn")
                drawn(file, figure)
                break
        else:
            sys.exit(f"{path} is no report of 'analyze identifiability', 'analyze populations' or 'compare'")
    figure.tight_layout()
    figure.savefig(picture, dpi=120)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    draw(sys.argv[1], sys.argv[2])
