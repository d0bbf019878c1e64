"""How the threads of numeric libraries wait for each other."""

import os

# GNU OpenMP's threads spin 300,000 times, some 15 ms, at each barrier before they sleep. On two cores that other
# processes want too, `real embed` took 49 to 64 s and 15 CPU-seconds so; with this, 20 to 23 s and 7.
NUM_SPINS = "10000"
# OpenBLAS starts its threads when numpy is imported, and each spins 2^26 cycles before it sleeps: 50 ms of a core for
# nothing in `real pair`, whose products are small. The value is the exponent; 4 is the least that OpenBLAS takes.
BLAS_TIMEOUT = "4"


def wait_briefly() -> None:
    """Have threads give up their core soon, unless the user says how they wait; before numpy and torch are imported."""
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = NUM_SPINS
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", BLAS_TIMEOUT)
