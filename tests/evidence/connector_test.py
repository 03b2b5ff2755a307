"""The ground-truth networks of the Connector paper (Kim et al., ICML 2026): every published latent and flow field."""
import h5py
import numpy as np

from support import Case, main, relative, shared

NAMES = ("quadstable", "bistable", "limit_cycle", "ring")
ALPHA = 0.1


class Connector(Case):
    def network(self, name):
        file = str(shared("published", f"connector_{name}.h5"))
        return {"source": "arrays", "activation": "tanh", "tau": 1.0,
                "arrays": {"m": f"{file}:/m", "n": f"{file}:/n"}}

    def published(self, name):
        with h5py.File(shared("published", f"connector_{name}.h5"), "r") as file:
            return {key: file[key][...] for key in ("m", "n", "latents", "field_grid_30/z", "field_grid_30/F_true")}

    def euler(self, name, starts, steps, space, step=ALPHA):
        return self.simulate(
            network=self.network(name),
            time={"step": step, "duration": steps * step, "trials": len(starts)},
            integration={"space": space, "method": "euler"},
            initial={"latent": self.array(starts)},
            output={"network": False, "final_state": False},
        ).latent

    # Sums of 1000 terms in another order, rounding 1e-16 each step; trajectories between two basins of attraction
    # separate as exp(0.6 t) at most (largest eigenvalue of Sigma minus the leak): by 400 over 10 time constants.
    TOLERANCE = 1e-12

    def test_all_published_latents(self):
        for name in NAMES:
            latents = self.published(name)["latents"]
            found = self.euler(name, latents[:, 0], latents.shape[1] - 1, "latent")
            self.saw(f"{name}, {latents.shape[0]} trials, latent space", relative(found, latents), self.TOLERANCE)
            self.assertEqual(found.shape, latents.shape)
            self.assertLess(relative(found, latents), self.TOLERANCE)

    def test_potentials_of_every_neuron_give_the_same_latents(self):
        # Projecting potentials on m solves normal equations: rounding times the condition number of m'm, about 1.
        for name in NAMES:
            latents = self.published(name)["latents"][::10]
            found = self.euler(name, latents[:, 0], latents.shape[1] - 1, "neuron")
            self.saw(f"{name}, {latents.shape[0]} trials, neuron space", relative(found, latents), self.TOLERANCE)
            self.assertLess(relative(found, latents), self.TOLERANCE)

    def test_flow_field_on_the_grid(self):
        # One Euler step of 2^-10: F = (z(h) - z(0)) / h, dividing by a power of two is exact, and the difference
        # carries the rounding of z, 2e-16 times 2.4, magnified by 1024.
        step = 2.0**-10
        for name in NAMES:
            published = self.published(name)
            latent = self.euler(name, published["field_grid_30/z"], 1, "latent", step)
            field = (latent[:, 1] - latent[:, 0]) / step
            self.saw(f"{name}, flow field", relative(field, published["field_grid_30/F_true"]), 1e-11)
            self.assertLess(relative(field, published["field_grid_30/F_true"]), 1e-11)

    def test_control_networks_differ_from_each_other(self):
        latents = self.published("ring")["latents"][:4]
        found = self.euler("bistable", latents[:, 0], latents.shape[1] - 1, "latent")
        self.assertGreater(relative(found, latents), 0.1)


if __name__ == "__main__":
    main()
