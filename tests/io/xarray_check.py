"""Files as other programs see them. Usage: xarray_check.py IO_EXCHANGE MPIEXEC

Opens what Rankflow writes (by 1 and by 3 ranks) in xarray and h5py, compares the two bit by bit, and lets
Rankflow read what h5py and numpy write.
"""
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import xarray


def datasets(path):
    """All datasets outside /provenance: values by path."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith("provenance"):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def check_run(folder, ranks):
    run = xarray.open_dataset(folder / "run.h5", engine="h5netcdf", group="trajectory")
    assert run.latent.dims == ("trial", "time", "rank"), run.latent.dims
    assert run.rates.dims == ("trial", "time", "neuron"), run.rates.dims
    assert dict(run.sizes) == {"trial": 2, "time": 20, "rank": 3, "neuron": 1300}, run.sizes
    assert list(run.coords) == ["time"], list(run.coords)
    assert set(run.data_vars) == {"latent", "rates"}, set(run.data_vars)
    assert run.time.attrs["units"] == "s" and run.latent.attrs["long_name"] == "latent state"
    assert run.latent.sel(time=1.5, trial=0).values.tolist() == [3.0, 3.0, 3.0]
    neuron = np.arange(1300, dtype=np.float32)
    assert np.array_equal(run.rates.values[1, 7], neuron + np.float32(0.25))
    with h5py.File(folder / "run.h5") as file:
        assert dict(file.attrs) == {"file_type": "run", "format_version": 1}, dict(file.attrs)
        provenance = file["provenance"].attrs
        assert provenance["ranks"] == ranks and provenance["seed"] == 5
        assert provenance["status"] == "complete" and provenance["configuration"] == "[run]\nseed = 5\n"


def check_network_and_recording(folder):
    network = xarray.open_dataset(folder / "network.h5", engine="h5netcdf", group="network")
    assert network.m.dims == ("neuron", "rank") and network.n.shape == (1300, 2)
    assert network.attrs == {"activation": "tanh", "tau": 0.1}, network.attrs
    assert network.m.values[1299, 1] == 1299.25
    recording = xarray.open_dataset(folder / "recording.h5", engine="h5netcdf", group="recording")
    assert recording.observations.dims == ("trial", "time", "channel")
    assert recording.observations.values.ravel().tolist() == [1, 2, 3, 4, 5, 6]
    assert recording.mask.values.tolist() == [[1, 0, 1]]
    assert np.allclose(recording.time, [0, 0.1, 0.2])


def write_foreign(folder):
    observations = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    weights = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with h5py.File(folder / "made.h5", "w") as file:
        recording = file.create_group("recording")
        recording["observations"] = observations
        recording["inputs"] = np.zeros((2, 3, 1))
        recording["mask"] = np.array([[True, True, False], [True, True, True]])
        recording.attrs["bin_width_s"] = 0.02
        recording.attrs["observation_kind"] = "poisson"
        file["other/w"] = weights
    np.save(folder / "c.npy", weights)
    np.save(folder / "f.npy", np.asfortranarray(weights.astype("<f4")))
    np.savez(folder / "plain.npz", w=weights.astype("<i8"))
    np.savez_compressed(folder / "packed.npz", w=weights.astype("<i4"))


def check_reading(program, folder):
    write_foreign(folder)
    lines = subprocess.run([program, "read", folder], check=True, capture_output=True, text=True).stdout.splitlines()
    assert lines[0] == "recording 2x3x4 inputs 1 bin 0.02 kind poisson first 0 1 2 mask 110111", lines[0]
    arrays = ["c.npy", "f.npy", "plain.npz", "packed.npz", "made.h5"]
    assert lines[1:] == [f"{name} [2, 3] 1 2 3 4 5 6" for name in arrays], lines[1:]


def check_lonely_failure(program, launcher):
    """Rank 0 fails where the others do not listen: the job ends within seconds with its exit code."""
    done = subprocess.run([launcher, "-n", "3", program, "stuck", "-"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 5, done
    assert "rank 0: No space left on device" in done.stderr, done.stderr


def main():
    program, launcher = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folders = {ranks: pathlib.Path(name) / str(ranks) for ranks in (1, 3)}
        for ranks, folder in folders.items():
            folder.mkdir()
            subprocess.run([launcher, "-n", str(ranks), program, "write", folder], check=True)
            check_run(folder, ranks)
            check_network_and_recording(folder)
            left = sorted(path.name for path in folder.iterdir())
            assert left == ["network.h5", "recording.h5", "run.h5"], left
        for file in ("run.h5", "network.h5", "recording.h5"):
            one, three = (datasets(folder / file) for folder in folders.values())
            assert one.keys() == three.keys() and len(one) > 2
            assert all(one[path].tobytes() == three[path].tobytes() for path in one)
        assert datasets(folders[1] / "run.h5")["trajectory/time"].tobytes() != b""
        check_reading(program, folders[1])
    check_lonely_failure(program, launcher)
    print("xarray, h5py and numpy agree with Rankflow")


main()
