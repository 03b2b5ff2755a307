"""The learning curves of a sweep as halving_study.csv has them: docs/sweeps.md, Early stopping.
    rankflow sweep collect grid -o grid/results.h5
    python3 tests/sweep/halving_study.py grid > curves.csv
"""
import csv
import pathlib
import sys

import h5py

KEYS = ("network.rank", "network.neurons", "training.optimiser.learning_rate", "seed")


def main(directory):
    writer = csv.writer(sys.stdout, lineterminator="\n")
    with open(directory / "results.csv", encoding="utf-8") as table:
        for number, row in enumerate(csv.DictReader(table)):
            with h5py.File(directory / row["result"], "r") as file:
                curve = file["training/validation_log_likelihood"][()]
            if number == 0:
                writer.writerow([*(key.split(".")[-1] for key in KEYS), *(f"epoch_{i}" for i in range(len(curve)))])
            writer.writerow([*(row[key] for key in KEYS), *(f"{value:.6g}" for value in curve)])


main(pathlib.Path(sys.argv[1]))
