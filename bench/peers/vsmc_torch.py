#!/usr/bin/python3
"""A gradient step of variational sequential Monte Carlo in PyTorch: what Rankflow's is compared with.

Pals, Sagtekin, Pei, Gloeckler & Macke, "Inferring stochastic low-rank recurrent neural networks from neural data",
NeurIPS 2024, in the setting of their EEG figure:

    z(t+1) = decay z + n phi(m z) + L eps        phi(s) = relu(s + h) - relu(s)
    x(t) = z B + bias + sqrt(var) eta            z(0) ~ N(z0_mean, L0 L0^T)

Particles are moved by the optimal proposal p(z(t) | z(t-1), x(t)), weighted, and resampled systematically at every
step. The objective is the mean over trials and steps of logsumexp(log w) - log K. Gradients flow through weights and
samples, not through the choice of ancestors. Data are random numbers with R slow components.

Prints one line of JSON: seconds of a gradient step (least and median; of processor time, all threads together, too,
which other programs on the machine disturb less), peak memory, and the BLAS library at work
(Debian's PyTorch takes the slow netlib unless OpenBLAS is installed: dependencies.txt beside this file).
"""
import argparse
import json
import math
import os
import resource
import statistics
import time

import openblas


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, text in (
            ("neurons", 512, "N"), ("rank", 3, "R, latent dimension"), ("channels", 64, "observed channels"),
            ("particles", 10, "K, per trial"), ("trials", 10, "of a batch"), ("steps", 50, "of a trial"),
            ("threads", 1, "of PyTorch and BLAS"), ("repeat", 10, "gradient steps timed, after one more"),
            ("seed", 1, "of data, parameters and noise")):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} ({default})")
    return parser.parse_args()


if __name__ == "__main__":
    OPTIONS = arguments()
    openblas.prepare(OPTIONS.threads)

import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal


def cholesky_factor(raw):
    """Lower triangle with a positive diagonal, of any square matrix."""
    return torch.tril(raw, -1) + torch.diag_embed(torch.exp(raw.diagonal() / 2))


class LowRankNetwork(nn.Module):
    def __init__(self, neurons, rank, channels):
        super().__init__()
        self.m = nn.Parameter(torch.randn(neurons, rank))
        self.n = nn.Parameter(torch.randn(rank, neurons) / neurons)
        self.h = nn.Parameter(torch.randn(neurons))
        self.decay = nn.Parameter(torch.tensor(math.log(-math.log(0.9))))
        self.noise = nn.Parameter(torch.eye(rank) * math.log(0.01))
        self.initial_mean = nn.Parameter(torch.zeros(rank))
        self.initial_noise = nn.Parameter(torch.zeros(rank, rank))
        self.observation = nn.Parameter(torch.randn(rank, channels) / math.sqrt(rank))
        self.observation_bias = nn.Parameter(torch.zeros(channels))
        self.observation_noise = nn.Parameter(torch.full((channels,), math.log(0.1)))

    def advance(self, z, decay):
        s = z @ self.m.T
        return decay * z + (torch.relu(s + self.h) - torch.relu(s)) @ self.n.T


class OptimalProposal:
    """p(z | prior, x) for z ~ N(prior, L L^T), x ~ N(z B + bias, diag(var)): its mean prior + error G, its covariance."""

    def __init__(self, factor, observation, variance):
        self.factor = factor
        scaled = observation / variance
        precision = torch.cholesky_inverse(factor) + scaled @ observation.T
        covariance = torch.linalg.inv(precision)
        self.gain = scaled.T @ covariance
        self.posterior_factor = torch.linalg.cholesky(covariance)

    def draw(self, prior, x, network, deviation):
        """Particles and their log weights log p(x|z) + log p(z|prior) - log q(z)."""
        error = x - (prior @ network.observation + network.observation_bias)
        proposal = MultivariateNormal(prior + error @ self.gain, scale_tril=self.posterior_factor, validate_args=False)
        z = proposal.rsample()
        predicted = z @ network.observation + network.observation_bias
        log_weights = (Normal(predicted, deviation, validate_args=False).log_prob(x).sum(-1) +
                       MultivariateNormal(prior, scale_tril=self.factor, validate_args=False).log_prob(z) -
                       proposal.log_prob(z))
        return z, log_weights


def resample(z, log_weights):
    """Systematic resampling within each trial: one uniform number places all K points."""
    trials, particles = log_weights.shape
    with torch.no_grad():
        cumulative = torch.softmax(log_weights, -1).cumsum(-1)
        points = (torch.rand(trials, 1) + torch.arange(particles)) / particles
        ancestors = torch.searchsorted(cumulative, points).clamp_(max=particles - 1)
    return torch.gather(z, 1, ancestors.unsqueeze(-1).expand_as(z))


def log_likelihoods(network, x, particles):
    """log p(x(t) | x(0 .. t-1)) as the filter estimates it, [steps, trials]; x is [trials, steps, channels]."""
    trials, steps, _ = x.shape
    decay = torch.exp(-torch.exp(network.decay))
    variance = torch.exp(network.observation_noise)
    deviation = variance.sqrt()
    first = OptimalProposal(cholesky_factor(network.initial_noise), network.observation, variance)
    later = OptimalProposal(cholesky_factor(network.noise), network.observation, variance)
    prior = network.initial_mean.expand(trials, particles, -1)
    found = []
    for t in range(steps):
        proposal = later if t > 0 else first
        z, log_weights = proposal.draw(prior, x[:, t].unsqueeze(1), network, deviation)
        found.append(torch.logsumexp(log_weights, -1) - math.log(particles))
        if t + 1 < steps:
            prior = network.advance(resample(z, log_weights), decay)
    return torch.stack(found)


def recording(trials, steps, channels, rank):
    """Slow random components seen through noise: [trials, steps, channels], variance near 1."""
    state, states = torch.randn(trials, rank), []
    for _ in range(steps):
        states.append(state)
        state = 0.95 * state + math.sqrt(1 - 0.95**2) * torch.randn(trials, rank)
    mixed = torch.stack(states, 1) @ torch.randn(rank, channels) / math.sqrt(rank)
    return 0.95 * mixed + 0.3 * torch.randn(trials, steps, channels)


def blas_library():
    """The loaded library that multiplies matrices; stops unless it is OpenBLAS."""
    with open("/proc/self/maps") as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if "libblas.so" in line}
    if len(files) != 1 or "openblas" not in next(iter(files)):
        raise SystemExit(f"PyTorch loaded {sorted(files)}, not OpenBLAS: such a time would flatter whoever is compared "
                         "with it. Run jobs/install_dependencies.sh --bench, and see "
                         "`update-alternatives --list libblas.so.3-x86_64-linux-gnu`.")
    return files.pop()


def main(options):
    blas = blas_library()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = LowRankNetwork(options.neurons, options.rank, options.channels)
    optimizer = torch.optim.RAdam(network.parameters(), lr=1e-3)
    x = recording(options.trials, options.steps, options.channels, options.rank)
    seconds, processor_seconds = [], []
    for _ in range(options.repeat + 1):
        start, processor_start = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        loss = -log_likelihoods(network, x, options.particles).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        processor_seconds.append(time.process_time() - processor_start)
        assert torch.isfinite(loss), "the likelihood is not finite"
    print(json.dumps(dict(vars(options), seconds_min=min(seconds[1:]), seconds_median=statistics.median(seconds[1:]),
                          processor_seconds_min=min(processor_seconds[1:]),
                          processor_seconds_median=statistics.median(processor_seconds[1:]),
                          peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                          log_likelihood=-loss.item(), torch=torch.__version__, blas=blas)))


if __name__ == "__main__":
    main(OPTIONS)
