#!/usr/bin/python3
"""Gradient step of variational SMC beside the same computation in PyTorch. Usage: bench/vsmc.py BUILD_DIRECTORY [--long]

The two take turns (A B A B), each time on the same number of cores; printed are the least times of all turns and their
ratio. --long adds K = 1000 in PyTorch, which needs 9 GB and minutes. Then: time against N, and one rank against two.
"""
import argparse
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1")


def last_json(command, **more):
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(ENVIRONMENT, **more)).stdout
    return json.loads(out.strip().splitlines()[-1])


def flags(sizes):
    return [word for key, value in sizes.items() for word in (f"--{key}", str(value))]


def ours(build, ranks, repeat, **sizes):
    return last_json(["mpirun", "-n", str(ranks), f"{build}/bench/bench_vsmc_step", "--repeat", str(repeat),
                      *flags(sizes)], OMP_NUM_THREADS="1")


def torch(threads, repeat, **sizes):
    return last_json(["/usr/bin/python3", f"{HERE}/peers/vsmc_torch.py", "--threads", str(threads), "--repeat",
                      str(repeat), *flags(sizes)])


def against_torch(build, particles, cores, rounds, repeat, peer_repeat):
    mine, peer = [], []
    for _ in range(rounds):
        mine.append(ours(build, cores, repeat, particles=particles))
        peer.append(torch(cores, peer_repeat, particles=particles))
    a, b = min(run["seconds_min"] for run in mine), min(run["seconds_min"] for run in peer)
    memory = max(run["peak_memory_bytes"] for run in peer) / 2 ** 20
    print(f"N=512 R=3 K={particles:5d}, {cores} core(s): rankflow {1e3 * a:9.3f} ms, PyTorch {1e3 * b:9.1f} ms, "
          f"ratio {b / a:6.1f}; peak memory of a process {mine[0]['peak_mb']:.0f} and {memory:.0f} MB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    for cores in (1, 2):
        against_torch(options.build, 10, cores, rounds=3, repeat=100, peer_repeat=15)
    if options.long:
        for cores in (1, 2):
            against_torch(options.build, 1000, cores, rounds=1, repeat=5, peer_repeat=3)
    for neurons in (512, 4096, 32768, 100000):
        run = ours(options.build, 1, 5, neurons=neurons, particles=64, trials=2, steps=20)
        print(f"N={neurons:6d}, 2 trials x 64 particles x 20 steps: {run['ns_per_item']:.3f} ns per neuron, particle "
              f"and step", flush=True)
    for particles, repeat in ((10, 200), (1000, 5)):
        one, two = (min(ours(options.build, ranks, repeat, particles=particles)["seconds_min"] for _ in range(3))
                    for ranks in (1, 2))
        print(f"10 trials x {particles:4d} particles: {1e3 * one:.3f} ms on 1 rank, {1e3 * two:.3f} ms on 2, "
              f"speed-up {one / two:.2f}", flush=True)


if __name__ == "__main__":
    main()
