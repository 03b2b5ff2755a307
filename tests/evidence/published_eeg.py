"""The EEG-fitted networks of Pals et al. 2024: series that they generate, and the authors' measures in numpy.

Their evaluation: 2400 + 9640 steps from the posterior of the first EEG sample, the first 2400 dropped, smoothed by a
15-point Hann window, z-scored; spectra smoothed by 20 bins, Hellinger distance.
"""
import h5py
import numpy as np

from support import Case, shared

BURN, SAMPLES = 2400, 9640
NETWORKS = (1, 2, 3)
# Within one network the distance of one series scatters by 0.025 around its mean, and KL by 0.15, of which 0.11 are the
# series' and the rest the 1000 points' (as the published seeds do).
SPREAD = {"PSH": 0.025, "KL_x": 0.15}


def allowed(measure, series, networks=1):
    """Four standard deviations of the difference between the mean of `series` series and that of the 3 published ones,
    over so many networks together."""
    return 4 * SPREAD[measure] * np.sqrt(1 / (networks * series) + 1 / (networks * 3))


def reported(number, measure):
    """Mean of what the authors report of a network for three seeds: "PSH" or "KL_x"."""
    with h5py.File(shared("published", f"eeg_rank3_published_{number}.h5"), "r") as file:
        return np.mean(file.attrs[f"{measure}_seeds_0_1_2"])


def zscore(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def convolve(x, kernel, mode):
    half = len(kernel) // 2
    padded = np.pad(x, ((half, half), (0, 0)), mode=mode)
    return sum(weight * padded[k : k + len(x)] for k, weight in enumerate(kernel))


def spectrum(x):
    power = np.abs(np.fft.rfft(zscore(x), axis=0)) ** 2
    bins = np.arange(-80, 81)
    kernel = np.exp(-0.5 * (bins / 20) ** 2)
    power = convolve(power, kernel / kernel.sum(), "symmetric")
    return (power / power.sum(axis=0))[:-1]


def spectrum_distance(p, q):
    """Hellinger distance of two spectra, mean over channels."""
    return np.mean(np.sqrt(np.maximum(0, 1 - np.sum(np.sqrt(p * q), axis=0))))


def log_density(points, data):
    """Log of the Gaussian kernel density of standard deviation 1 on `data`, up to the common constant. In single
    precision, as the authors': it underflows for 2 in 1000 points, which are left out and would add 0.1 to KL.
    """
    points, data = points.astype(np.float32), data.astype(np.float32)
    square = (points**2).sum(axis=1)[:, None] + (data**2).sum(axis=1) - 2 * points @ data.T
    with np.errstate(divide="ignore"):
        return np.log(np.mean(np.exp(-square / 2), axis=1))


def divergences(data, series, random):
    """KL of each generated series, with points of their own."""
    found = []
    for generated in series:
        points = data[random.integers(len(data), size=1000)] + random.normal(size=(1000, data.shape[1]))
        ratio = log_density(points, data) - log_density(points, generated)
        found.append(np.mean(ratio[np.isfinite(ratio)]))
    return np.array(found)


class PublishedEeg(Case):
    @classmethod
    def setUpClass(cls):
        with h5py.File(shared("eeg_schalk_S001R01.h5"), "r") as file:
            cls.eeg = file["signal"][0].astype(np.float64)

    def generate(self, number, trials, decay=None):
        """A run of so many series of BURN + SAMPLES steps."""
        file = str(shared("published", f"eeg_rank3_published_{number}.h5"))
        with h5py.File(file, "r") as opened:
            p = {name: np.asarray(opened[name][...], dtype=np.float64) for name in
                 ("m", "B", "bias", "var_x", "decay", "z0_mean", "Sigma_z0", "chol_Sigma_z")}
        # Posterior of z(0) given the first sample x(0): product of two Gaussians.
        covariance = np.linalg.inv(np.linalg.inv(p["Sigma_z0"]) + (p["B"] / p["var_x"]) @ p["B"].T)
        mean = covariance @ (np.linalg.solve(p["Sigma_z0"], p["z0_mean"])
                             + p["B"] @ ((self.eeg[0] - p["bias"]) / p["var_x"]))
        random = np.random.default_rng(100 + number)
        start = mean + random.normal(size=(trials, len(mean))) @ np.linalg.cholesky(covariance).T
        decay = float(p["decay"]) if decay is None else decay
        return self.simulate(
            run={"seed": number},
            network={"source": "arrays", "activation": "clipped_relu", "decay": decay,
                     "arrays": {"m": f"{file}:/m", "bias": f"{file}:/h",
                                "n": {"file": f"{file}:/n", "transpose": True,
                                      "scale": p["m"].shape[0] / (1 - decay)}}},
            time={"step": 1.0, "duration": float(BURN + SAMPLES - 1), "trials": trials},
            integration={"space": "latent", "method": "map"},
            initial={"latent": start},
            noise={"latent_cholesky": np.tril(p["chol_Sigma_z"])},
            observation={"weights": {"file": f"{file}:/B", "transpose": True}, "bias": f"{file}:/bias",
                         "variance": f"{file}:/var_x"},
        )

    def prepared(self, run, smoothing=True):
        """The run's series as the authors compare them."""
        hann = np.hanning(15) if smoothing else np.ones(1)
        return [zscore(convolve(x[BURN:], hann, "reflect")) for x in run["/trajectory/observations"]]
