"""When one rank fails alone the job ends within seconds and says which rank, what, and while doing what."""
import subprocess
import sys
import time
import unittest

from support import MPIEXEC, main

PROGRAM = sys.argv[4]


class FailingRank(unittest.TestCase):
    def test_ends_with_a_message(self):
        for ranks in (2, 3, 4):
            begin = time.monotonic()
            done = subprocess.run([MPIEXEC, "-n", str(ranks), PROGRAM], timeout=60, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertLess(time.monotonic() - begin, 10)
            self.assertEqual(4, done.returncode, done.stdout)
            self.assertIn("rank 1", done.stdout)
            self.assertIn("latent 3 is not finite", done.stdout)
            self.assertIn("while summing the latents", done.stdout)
            self.assertIn("while stepping the network", done.stdout)

    def test_alone_nobody_fails(self):
        subprocess.run([MPIEXEC, "-n", "1", PROGRAM], timeout=60, check=True)


main()
