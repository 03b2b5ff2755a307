#!/usr/bin/python3
"""Training of connectivity flows in PyTorch: what Rankflow's is compared with.

Kim, Pereira-Obilinovic, Wang, Shea-Brown & Suembuel, "Identifying connectivity distributions from neural dynamics using
flows", ICML 2026, at their sizes, for a network of 1000 tanh neurons in four populations and rank 2.

Flow of m: conditional flow matching on straight paths, x_t = t x1 + (1 - t) x0, a network of 4 hidden layers of 128
units x sigmoid(x), AdamW; an epoch is all samples once in minibatches of 64.
Flow of n given m: an epoch draws m's from the first flow (midpoint rule, 20 steps), solves

    n = S (X^T X + penalty S^2 / alpha^2 I)^-1 X^T Y / alpha      X = tanh(z m^T) over all visited states z
                                                                  Y = z(t+1) - (1 - alpha) z(t)

and makes one gradient step on all (n, m). All in single precision.

Prints one line of JSON: seconds of both epochs and of the stages of the second, least and median, of the clock and of
processor time (all threads together), and the BLAS library at work (Debian's PyTorch takes the slow netlib unless
OpenBLAS is installed: dependencies.txt beside this file).
"""
import argparse
import json
import statistics
import time

import openblas


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
            ("samples", 1000, "neurons of an epoch"), ("trials", 240, "of 100 steps"), ("warm", 150, "epochs of m's flow"),
            ("repeat", 5, "epochs of n's flow, after one more"), ("threads", 1, "of PyTorch and BLAS"),
            ("seed", 1, "of data, parameters and noise")):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} ({default})")
    return parser.parse_args()


if __name__ == "__main__":
    OPTIONS = arguments()
    openblas.prepare(OPTIONS.threads)

import torch
from torch import nn

ALPHA = 0.1
PENALTY = 1e-4


class Velocity(nn.Module):
    def __init__(self, variables, conditions=0, width=128):
        super().__init__()
        layers = [nn.Linear(variables + conditions + 1, width), nn.SiLU()]
        for _ in range(3):
            layers += [nn.Linear(width, width), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(width, variables))

    def forward(self, x, t, condition=None):
        parts = [x, t] if condition is None else [x, condition, t]
        return self.layers(torch.cat(parts, dim=1))


def optimiser_of(network):
    return torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-5)


def gradient_step(network, optimiser, x1, condition=None):
    x0 = torch.randn_like(x1)
    t = torch.rand(len(x1), 1)
    velocity = network(t * x1 + (1 - t) * x0, t, condition)
    loss = ((velocity - (x1 - x0)) ** 2).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


def epoch_of_m(network, optimiser, m, batch=64):
    order = torch.randperm(len(m))
    return [gradient_step(network, optimiser, m[order[i:i + batch]]) for i in range(0, len(m), batch)]


@torch.no_grad()
def sample(network, count, steps=20):
    x = torch.randn(count, 2)
    h = 1 / steps
    for step in range(steps):
        t = torch.full((count, 1), step * h)
        middle = x + h / 2 * network(x, t)
        x = x + h * network(middle, t + h / 2)
    return x


def quadstable(neurons=1000):
    """m, n in four populations, and the latents from a grid of initial points."""
    sign = torch.tensor([[(-1.0) ** (i // 2 ** c) for c in (0, 1)] for i in range(neurons)])
    m = 0.87 * sign + 0.5 * torch.randn(neurons, 2)
    n = 2.31 * sign + 0.5 * torch.randn(neurons, 2)
    grid = torch.linspace(-2.4, 2.4, 20)
    z = torch.cartesian_prod(grid, grid)
    rows = [z]
    for _ in range(99):
        z = z + ALPHA * (torch.tanh(z @ m.T) @ n / neurons - z)
        rows.append(z)
    return m, torch.stack(rows, dim=1)


class Stages:
    def __init__(self):
        self.clock, self.cpu = {}, {}

    def time(self, name, action):
        clock, cpu = time.perf_counter(), time.process_time()
        result = action()
        self.cpu.setdefault(name, []).append(time.process_time() - cpu)
        self.clock.setdefault(name, []).append(time.perf_counter() - clock)
        return result

    def report(self):
        out = {}
        for name, times in self.clock.items():
            out[f"{name}_min"], out[f"{name}_median"] = min(times), statistics.median(times)
            out[f"{name}_cpu_min"] = min(self.cpu[name])
        return out


def epoch_of_n(stages, m_network, network, optimiser, z, y, count):
    m = stages.time("n_sampling", lambda: sample(m_network, count))
    x = stages.time("n_tanh", lambda: torch.tanh(z @ m.T))
    gram = stages.time("n_gram", lambda: x.T @ x)
    ridge = PENALTY * count ** 2 / ALPHA ** 2 * torch.eye(count)
    n = stages.time("n_solve", lambda: count * torch.linalg.solve(gram + ridge, x.T @ y) / ALPHA)
    return stages.time("n_network", lambda: gradient_step(network, optimiser, n, m))


def blas_libraries():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return sorted({line.split("/")[-1].strip() for line in maps if "blas" in line.lower()})


def main():
    torch.set_num_threads(OPTIONS.threads)
    torch.manual_seed(OPTIONS.seed)
    m, latents = quadstable()
    latents = latents[:OPTIONS.trials]
    z = latents[:, :-1].reshape(-1, 2)
    y = (latents[:, 1:] - (1 - ALPHA) * latents[:, :-1]).reshape(-1, 2)
    stages = Stages()
    m_network = Velocity(2)
    optimiser = optimiser_of(m_network)
    epoch_of_m(m_network, optimiser, m)
    for _ in range(OPTIONS.warm - 1):
        stages.time("m_epoch", lambda: epoch_of_m(m_network, optimiser, m))
    network = Velocity(2, 2)
    optimiser = optimiser_of(network)
    epoch_of_n(Stages(), m_network, network, optimiser, z, y, OPTIONS.samples)
    for _ in range(OPTIONS.repeat):
        stages.time("n_epoch", lambda: epoch_of_n(stages, m_network, network, optimiser, z, y, OPTIONS.samples))
    print(json.dumps({"threads": OPTIONS.threads, "torch": torch.__version__, "blas": blas_libraries(),
                      **stages.report()}))


if __name__ == "__main__":
    main()
