"""How the threads of numeric libraries wait for each other."""

import os

# GNU OpenMP's threads spin 300,000 times, some 15 ms, at each barrier before they sleep. On two cores that other
# processes want too, `real embed` took 49 to 64 s and 15 CPU-seconds so; with this, 20 to 23 s and 7.
NUM_SPINS = "10000"


def wait_briefly() -> None:
    """Have OpenMP's threads give up their core soon, unless the user says how they wait; before torch is imported."""
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = NUM_SPINS
