#!/usr/bin/python3
"""Messages of a gradient step of variational SMC, counted by Open MPI's monitoring, and what they cost at many ranks.

Usage: bench/scaling.py BUILD_DIRECTORY [--latency 2e-6] [--bandwidth 10e9] [--item 0.9e-9]

Counts point-to-point messages and bytes (also those inside collectives) that the busiest rank sends in one gradient
step, at 1 to 4 ranks on this machine, as the difference between runs of 3 steps and of 1. Then it prints the model of
docs/scaling.md for larger rank counts, with the latency (s), bandwidth (bytes/s) and time per neuron, particle and
step (s) given.
"""
import argparse
import glob
import json
import math
import os
import re
import subprocess
import tempfile

ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1")
BLOCK = 64       # particles of a block
SUMMARY = 24     # bytes that a block tells the others of its weights
RESULT = 16      # bytes of log-likelihood and sample size per trial and step


def counted(build, ranks, repeat, sizes):
    """(messages, bytes) that each rank sent in a run of `repeat` gradient steps; the largest of the ranks."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mpirun", "-n", str(ranks), "--mca", "pml_monitoring_enable", "2", "--mca",
                   "pml_monitoring_enable_output", "3", "--mca", "pml_monitoring_filename", f"{folder}/sent",
                   f"{build}/bench/bench_vsmc_step", "--repeat", str(repeat)]
        for key, value in sizes.items():
            command += [f"--{key}", str(value)]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
        sent = []
        for name in glob.glob(f"{folder}/sent.*.prof"):
            with open(name, encoding="utf-8") as file:
                found = re.findall(r"^[EI]\t\d+\t\d+\t(\d+) bytes\t(\d+) msgs", file.read(), re.MULTILINE)
            sent.append((sum(int(m) for _, m in found), sum(int(b) for b, _ in found)))
        return max(m for m, _ in sent), max(b for _, b in sent)


def per_step(build, ranks, sizes):
    one, three = counted(build, ranks, 1, sizes), counted(build, ranks, 3, sizes)
    return (three[0] - one[0]) / 2, (three[1] - one[1]) / 2


def parameters(sizes):
    neurons, rank, channels = sizes["neurons"], sizes["rank"], sizes["channels"]
    return 1 + neurons * (2 * rank + 1) + rank + 2 * rank * rank + channels * (rank + 2)


def predicted(ranks, sizes, options):
    """Seconds of (computation, communication) of one gradient step."""
    particles, trials, steps = sizes["particles"], sizes["trials"], sizes["steps"]
    per_trial = max(1, math.ceil(particles / BLOCK))
    blocks = trials * per_trial if particles > BLOCK else math.ceil(trials / (BLOCK // particles))
    busiest = math.ceil(blocks / ranks)
    compute = options.item * sizes["neurons"] * steps * busiest * min(BLOCK, trials * particles)
    if ranks == 1:
        return compute, 0.0
    rounds = math.ceil(math.log2(ranks))
    gradient = 2 * rounds * options.latency + 2 * 8 * parameters(sizes) / options.bandwidth
    results = 2 * rounds * options.latency + RESULT * trials * steps / options.bandwidth
    if blocks % ranks == 0 and (blocks // ranks) % per_trial == 0 or per_trial == 1:
        return compute, gradient + results
    moved = busiest * BLOCK * 4 * sizes["rank"]
    a_step = rounds * options.latency + SUMMARY * blocks / options.bandwidth  # weights
    a_step += 2 * (2 * options.latency + moved / options.bandwidth)           # particles, and adjoints back
    return compute, gradient + results + steps * a_step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--latency", type=float, default=2e-6)
    parser.add_argument("--bandwidth", type=float, default=10e9)
    parser.add_argument("--item", type=float, default=0.9e-9)
    options = parser.parse_args()
    common = {"neurons": 512, "rank": 3, "channels": 64, "steps": 50}
    print("counted: sent by the busiest rank in one gradient step")
    for trials, particles in ((10, 10), (10, 1000), (1, 10000)):
        sizes = dict(common, trials=trials, particles=particles)
        for ranks in (1, 2, 3, 4):
            messages, sent = per_step(options.build, ranks, sizes)
            print(json.dumps({"trials": trials, "particles": particles, "ranks": ranks, "messages": messages,
                              "bytes": sent}), flush=True)
    print("model: seconds of a gradient step, N = 512, R = 3, 50 steps")
    for trials, particles in ((10, 10), (10, 1000), (500, 64), (10, 100000)):
        sizes = dict(common, trials=trials, particles=particles)
        alone = sum(predicted(1, sizes, options))
        for ranks in (1, 4, 16, 64, 256, 1024, 4096):
            compute, communicate = predicted(ranks, sizes, options)
            total = compute + communicate
            print(f"{trials:4d} trials x {particles:6d} particles, {ranks:5d} ranks: {total:.3e} s, "
                  f"{100 * communicate / total:5.1f} % messages, speed-up {alone / total:7.1f}")


if __name__ == "__main__":
    main()
