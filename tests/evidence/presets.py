"""The named networks: their mean-field theory, from the numbers of the Connector paper (Kim et al. 2026), and runs of
them in latent space."""
import numpy as np

from mean_field import MeanField, tanh_slope
from support import Case


def planar(sigma):
    """m of variance 1, n of variance 4, cov(n_r, m_s) = sigma[r][s]."""
    sigma = np.array(sigma)
    return [{"covariance": np.block([[np.eye(2), sigma.T], [sigma, 4 * np.eye(2)]])}]


def clouds():
    return [{"mean": [0.87 * a, 0.87 * b, 2.31 * a, 2.31 * b], "covariance": 0.25 * np.eye(4)}
            for a in (-1, 1) for b in (-1, 1)]


THEORY = {name: MeanField(populations, 2, np.tanh, tanh_slope) for name, populations in {
    "bistable": planar([[1.2, 0.8], [0.0, 1.6]]), "quadstable": clouds(),
    "limit_cycle": planar([[1.6, -0.8], [0.8, 1.6]]), "ring_attractor": planar([[1.6, 0.0], [0.0, 1.6]])}.items()}
TAU = 0.1


def radius(theory):
    """Where the radial flow vanishes, by bisection."""
    low, high = 0.3, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if theory.drive(np.array([middle, 0.0]))[0] > middle else (low, middle)
    return low


class PresetCase(Case):
    def run_preset(self, preset, neurons, seed, start, duration, method="runge_kutta", step=0.02, **output):
        """In latent space. With five Runge-Kutta steps of order 4 per time constant, the mean field's own period is off
        by 8e-7."""
        return self.simulate(
            run={"seed": seed}, network={"preset": preset, "neurons": neurons, "tau": TAU},
            time={"step": step, "duration": step * round(duration / step), "trials": len(start)} | output,
            integration={"space": "latent", "method": method, "order": 4, "adaptive": False},
            initial={"latent": np.array(start)}, output={"network": False}).latent
