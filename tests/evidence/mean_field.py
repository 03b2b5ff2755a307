"""Mean-field theory of low-rank networks with Gaussian-mixture loadings: what N -> infinity gives, and how far a finite
network lies from it (Mastrogiuseppe & Ostojic 2018; Beiran et al. 2021)."""
from itertools import product

import numpy as np

from support import normal_nodes


class MeanField:
    """E[n_r phi(m . z + d)] over populations of (m, n, d), and its finite-size fluctuation. A population has a weight,
    a mean and a covariance in the program's order: R of m, R of n, one of d."""

    def __init__(self, populations, rank, phi, slope, nodes=80):
        self.phi, self.slope, self.rank = phi, slope, rank
        total = sum(p.get("weight", 1.0) for p in populations)
        size = 2 * rank + 1
        x, w = normal_nodes(nodes)
        self.parts = []
        for p in populations:
            mean = np.zeros(size)
            mean[: len(p.get("mean", []))] = p.get("mean", [])
            covariance = np.zeros((size, size))
            given = np.asarray(p["covariance"])
            covariance[: len(given), : len(given)] = given
            seen = [*range(rank), size - 1]  # m and d decide the rate; n given them is linear plus independent noise
            n = list(range(rank, 2 * rank))
            values, vectors = np.linalg.eigh(covariance[np.ix_(seen, seen)])
            root = (vectors * np.sqrt(np.maximum(values, 0)))[:, values > 1e-12]
            grid = np.array(list(product(x, repeat=root.shape[1])))
            weight = np.prod(np.array(list(product(w, repeat=root.shape[1]))), axis=1)
            md = mean[seen] + grid @ root.T
            regression = covariance[np.ix_(n, seen)] @ np.linalg.pinv(covariance[np.ix_(seen, seen)])
            n_mean = mean[n] + (md - mean[seen]) @ regression.T
            residual = covariance[np.ix_(n, n)] - regression @ covariance[np.ix_(seen, n)]
            self.parts.append((weight * p.get("weight", 1.0) / total, md[:, :rank], md[:, rank], n_mean, residual))

    def drive(self, z):
        """kappa(z) [R]."""
        return sum((w * self.phi(m @ z + d)) @ n for w, m, d, n, _ in self.parts)

    def jacobian(self, z):
        """d kappa_r / d z_s."""
        return sum(np.einsum("k,k,kr,ks->rs", w, self.slope(m @ z + d), n, m) for w, m, d, n, _ in self.parts)

    def fluctuation(self, z):
        """N times the covariance of kappa(z) of a network of N neurons drawn independently."""
        second = np.zeros((self.rank, self.rank))
        for w, m, d, n, residual in self.parts:
            rate2 = w * self.phi(m @ z + d) ** 2
            second += np.einsum("k,kr,ks->rs", rate2, n, n) + rate2.sum() * residual
        mean = self.drive(z)
        return second - np.outer(mean, mean)

    def fixed_point(self, z, leak=1.0):
        """Newton's method from `z`."""
        z = np.array(z, dtype=float)
        for _ in range(100):
            step = np.linalg.solve(self.jacobian(z) - leak * np.eye(self.rank), self.drive(z) - leak * z)
            z -= step
            if np.max(np.abs(step)) < 1e-14:
                return z
        raise ValueError(f"no fixed point found, at {z}")

    def fixed_point_covariance(self, z):
        """N times the covariance of a finite network's fixed point, to first order: dz = (1 - F')^-1 dkappa."""
        inverse = np.linalg.inv(np.eye(self.rank) - self.jacobian(z))
        return inverse @ self.fluctuation(z) @ inverse.T


def tanh_slope(x):
    return 1 / np.cosh(x) ** 2
