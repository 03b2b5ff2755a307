"""The queue inside one allocation: 40 cases of very different lengths on 4 ranks, and what a case costs beside itself."""
import heapq
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

MPIEXEC, PROGRAM = sys.argv[1], sys.argv[2]
RANKS = 4
TRIES = 3


def ideal(lengths, workers):
    """Makespan when each case in turn begins on the worker that is free first, without any cost."""
    free = [0.0] * workers
    for length in lengths:
        heapq.heappush(free, heapq.heappop(free) + length)
    return max(free)


def run(lengths, ranks):
    """[(case, start, end, rank)] in the order of their beginnings."""
    with tempfile.TemporaryDirectory(prefix="rankflow-test-") as name:
        directory = pathlib.Path(name) / "sweep"
        subprocess.run([PROGRAM, "plan", directory, *map(str, lengths)], check=True, timeout=120)
        subprocess.run([MPIEXEC, "-n", str(ranks), PROGRAM, "work", directory], check=True, timeout=120)
        lines = [line.split() for log in directory.glob("cases/*/*/log.txt") for line in log.read_text().splitlines()]
        recorded = list(directory.glob("ledger/*/*.done"))
    assert len(recorded) == len(lengths), f"{len(recorded)} of {len(lengths)} cases are recorded"
    rows = [(int(case), float(start), float(end), int(rank)) for case, start, end, rank in lines]
    return sorted(rows, key=lambda row: row[1])


class Makespan(unittest.TestCase):
    def makespan(self, lengths):
        rows = run(lengths, RANKS)
        self.assertEqual(sorted(range(40)), sorted(row[0] for row in rows), "each once")
        self.assertEqual(set(range(RANKS)), {row[3] for row in rows})
        return max(row[2] for row in rows) - min(row[1] for row in rows)

    def test_within_15_percent_of_the_ideal(self):
        draw = random.Random(31)
        lengths = [round(draw.choice([0.05, 0.1, 0.2, 0.4, 1.6]) * draw.uniform(0.7, 1.3), 3) for _ in range(40)]
        best = ideal(lengths, RANKS)
        taken = self.makespan(lengths)
        for _ in range(TRIES - 1):  # what else the machine does only adds
            if taken >= 1.15 * best:
                taken = min(taken, self.makespan(lengths))
        # The control: cases dealt out beforehand, as an array of jobs would have them.
        dealt = max(sum(lengths[rank::RANKS]) for rank in range(RANKS))
        print(f"makespan {taken:.2f} s, ideal for this order {best:.2f} s ({100 * (taken / best - 1):.1f} % above), "
              f"dealt out beforehand at least {dealt:.2f} s")
        self.assertLess(taken, 1.15 * best)
        self.assertGreater(dealt, 1.15 * best, "these lengths would show nothing")

    def test_cost_of_a_case(self):
        """Time between a worker's cases: claim, folder, configuration, log, record. Said, not judged."""
        rows = run([0.001] * 100, 1)
        gaps = sorted(after[1] - before[2] for before, after in zip(rows, rows[1:]))
        print(f"between cases: median {1e3 * gaps[len(gaps) // 2]:.1f} ms, longest {1e3 * gaps[-1]:.1f} ms")
        self.assertEqual(100, len(rows))


unittest.main(argv=sys.argv[:1], verbosity=2)
