"""What PyTorch's BLAS has to be told before PyTorch is loaded."""
import os


def prepare(threads):
    """So many threads; and the vector instructions there are: OpenBLAS 0.3.21 does not know the newest processors and
    takes them for the oldest, five times slower."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with open("/proc/cpuinfo", encoding="utf-8") as processor:
        if "avx512vl" in processor.read():
            os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
