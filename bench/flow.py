#!/usr/bin/python3
"""Training and sampling of connectivity flows beside the same computation in PyTorch. Usage: bench/flow.py BUILD_DIRECTORY

The two take turns (A B A B), each time on the same number of cores; printed are the least times of all turns and their
ratio, of the clock and of processor time (of the busiest rank; of all threads together), which other programs on the
machine disturb less.
"""
import argparse
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1")
STAGES = {"n_sampling": ["n_sampling"], "n_solving": ["n_tanh", "n_gram", "n_solve"], "n_network": ["n_network"]}


def last_json(command, **more):
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(ENVIRONMENT, **more)).stdout
    return json.loads(out.strip().splitlines()[-1])


def ours(build, ranks):
    return last_json(["mpirun", "-n", str(ranks), f"{build}/bench/bench_flow_epochs"], OMP_NUM_THREADS="1")


def torch(threads):
    return last_json(["/usr/bin/python3", f"{HERE}/peers/flow_torch.py", "--threads", str(threads), "--warm", "80"])


def least(runs, names, kind):
    return min(sum(run[f"{name}_{kind}"] for name in names) for run in runs)


def line(text, mine, mine_names, peer, peer_names):
    parts = []
    for kind, label in (("min", "clock"), ("cpu_min", "processor")):
        a, b = least(mine, mine_names, kind), least(peer, peer_names, kind)
        parts.append(f"{label} rankflow {1e3 * a:8.2f} ms, PyTorch {1e3 * b:8.2f} ms, ratio {b / a:5.1f}")
    print(f"{text:34s} {'; '.join(parts)}", flush=True)


def compare(build, cores, rounds):
    mine, peer = [], []
    for _ in range(rounds):
        mine.append(ours(build, cores))
        peer.append(torch(cores))
    print(f"{cores} core(s), BLAS of PyTorch: {', '.join(peer[0]['blas'])}")
    line("epoch of the flow of m", mine, ["m_epoch"], peer, ["m_epoch"])
    line("epoch of the flow of n given m", mine, ["n_epoch"], peer, ["n_epoch"])
    for name, parts in STAGES.items():
        line(f"  of it: {name[2:]}", mine, [name], peer, parts)
    best = max(mine, key=lambda run: run["sampling_gflops"])
    peak = max(run["fused_product_gflops"] for run in mine)
    # Three products of 128 x 128 forward and twice that backward, 1000 samples.
    limit = 1000 * 3 * 3 * 2 * 128 * 128 / cores / peak / 1e9
    print(f"fused products in registers {peak:.0f} GFLOP/s per core: an epoch of m's flow cannot take less than "
          f"{1e3 * limit:.2f} ms of processor time; Eigen's product {max(run['eigen_gflops'] for run in mine):.0f}; "
          f"sampling {best['sampling_gflops']:.0f} GFLOP/s per core in the hidden layers "
          f"({best['sampling_gflops'] / peak:.0%} of the limit), {best['samples_per_cpu_second']} samples per second "
          f"and core; ridge residual {best['ridge_residual']:.1e} with {best['ridge_functions']} functions", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for cores in (1, 2):
        compare(options.build, cores, options.rounds)


if __name__ == "__main__":
    main()
