#!/usr/bin/python3
"""Speed and memory of Rankflow beside this machine's limits and beside numpy. Usage: bench/run.sh BUILD_DIRECTORY

All figures of a ratio come from one run, taken in turns (A B A B), median of the rounds: other programs on the machine
then slow down both sides.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NETWORK = """
[network]
preset = "limit_cycle"
[time]
step = 0.001
save_every = {duration}
duration = {duration}
[integration]
space = "{space}"
[initial]
latent = [0.5, 0.1]
[output]
network = false
final_state = false
"""


def per_neuron(build, *names):
    """ns per neuron, by CPU time, of benchmarks run in one process."""
    out = subprocess.run(
        [f"{build}/bench/bench_simulate", f"--benchmark_filter=^({'|'.join(names)})$", "--benchmark_min_time=0.1",
         "--benchmark_format=json"], capture_output=True, text=True, check=True).stdout
    found = {entry["name"]: entry["per_neuron"] * 1e9 for entry in json.loads(out)["benchmarks"]}
    return [found[name] for name in names]


def rounds(count, *measures):
    """Medians of several measures taken in turns, and the median ratio of the first two."""
    rows = [[measure() for measure in measures] for _ in range(count)]
    ratio = statistics.median(row[0] / row[1] for row in rows)
    return [statistics.median(column) for column in zip(*rows)], ratio


def limits(build):
    print("step            ns/neuron  streams  tanh  normal  binding limit  reached")
    for precision in ("double", "float"):
        for kind in ("neuron", "latent", "noisy"):
            for neurons in (10000, 100000, 1000000):
                for rank in (1, 2, 3, 5, 10):
                    if kind == "noisy" and rank != 2:
                        continue
                    label = f"{precision}/{neurons}/{rank}"
                    streams = "latent_limit" if kind == "latent" else "neuron_limit"
                    names = [f"{kind}/{label}", f"{streams}/{label}", f"tanh/{precision}", f"normal/{precision}"]
                    taken = [per_neuron(build, *names) for _ in range(3)]
                    step, memory, tanh, normal = (statistics.median(column) for column in zip(*taken))
                    compute = tanh + (normal if kind == "noisy" else 0)
                    name = "memory" if memory > compute else "tanh" if kind != "noisy" else "tanh + normal"
                    print(f"{kind}/{label:18} {step:6.2f} {memory:8.2f} {tanh:6.2f} {normal:6.2f}  {name:13} "
                          f"{100 * max(memory, compute) / step:4.0f} %", flush=True)


def numpy_peer(build):
    peer = lambda *words: lambda: float(
        subprocess.run([f"{HERE}/peers/euler_numpy.py", *map(str, words)], capture_output=True, text=True,
                       check=True).stdout)
    print("rank 2                   ours   plain  ratio   tuned  ratio")
    for precision in ("double", "float"):
        for kind, noise in (("neuron", 0), ("noisy", 0.1)):
            for neurons in (10000, 100000, 1000000, 10000000):
                label = f"{kind}/{precision}/{neurons}/2"
                own = lambda: per_neuron(build, label)[0]
                (ours, plain, tuned), _ = rounds(3, own, peer(neurons, 2, "plain", precision, noise),
                                                 peer(neurons, 2, "tuned", precision, noise))
                print(f"{label:23} {ours:6.2f}  {plain:6.2f} {plain / ours:6.1f}  {tuned:6.2f} {tuned / ours:6.1f}",
                      flush=True)


def at_once(build, *names):
    """ns per neuron, by wall time, of the slowest of several benchmarks, each in a process of its own, that run at the
    same time; None when one of them had to wait for a core."""
    processes = [subprocess.Popen([f"{build}/bench/bench_simulate", f"--benchmark_filter=^{name}$",
                                   "--benchmark_min_time=0.5", "--benchmark_format=json"], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True) for name in names]
    entries = [json.loads(process.communicate()[0])["benchmarks"][0] for process in processes]
    if any(entry["real_time"] > 1.05 * entry["cpu_time"] for entry in entries):
        return None
    return max(entry["per_neuron"] * 1e9 * entry["real_time"] / entry["cpu_time"] for entry in entries)


def ceiling(build):
    """What a second core gains when nothing is exchanged: two processes with half the neurons each beside one."""
    for kind in ("tanh/double", "neuron_limit/double", "neuron/double", "latent_limit/double", "latent/double"):
        whole, half = ("", "") if kind.startswith("tanh") else ("/1000000/2", "/500000/2")
        pairs = [(at_once(build, kind + whole), at_once(build, kind + half, kind + half)) for _ in range(8)]
        ratios = [2 * one / two for one, two in pairs if one and two]
        said = f"{statistics.median(ratios):.2f} times faster on two cores, {min(ratios):.2f} to {max(ratios):.2f}" \
            if ratios else "no core was free"
        print(f"{kind}{whole}: {said} ({len(ratios)} of {len(pairs)} rounds undisturbed)", flush=True)


def seconds(build, ranks, space, neurons, steps, directory):
    config = os.path.join(directory, "scaling.toml")
    with open(config, "w") as file:
        file.write(NETWORK.format(space=space, duration=steps * 1e-3))
    start = time.perf_counter()
    subprocess.run(["mpirun", "-n", str(ranks), f"{build}/rankflow", "simulate", config, "-o",
                    os.path.join(directory, "scaling.h5"), "--overwrite", "--set", f"network.neurons={neurons}"],
                   capture_output=True, check=True)
    return time.perf_counter() - start


def scaling(build):
    """Time of the additional steps of a long run over a short one: start-up and generation drop out. Fastest of the
    rounds, for 1 rank and for 2: a rank that waits for a core holds up the other one."""
    with tempfile.TemporaryDirectory() as directory:
        for space in ("neuron", "latent"):
            for neurons, few, many in ((100000, 100, 20000), (1000000, 50, 2000)):
                extra = lambda ranks: (seconds(build, ranks, space, neurons, many, directory) -
                                       seconds(build, ranks, space, neurons, few, directory))
                one, two = (min(times) for times in zip(*[(extra(1), extra(2)) for _ in range(6)]))
                print(f"{space} space, N = {neurons}: 1 rank {one:.2f} s, 2 ranks {two:.2f} s for {many - few} steps: "
                      f"{one / two:.2f} times faster", flush=True)


if __name__ == "__main__":
    build_directory = os.path.abspath(sys.argv[1])
    parts = {"limits": limits, "numpy": numpy_peer, "ceiling": ceiling, "scaling": scaling}
    print("load average", os.getloadavg(), "on", os.cpu_count(), "cores")
    for part in sys.argv[2:] or parts:
        parts[part](build_directory)
    print("load average", os.getloadavg())
