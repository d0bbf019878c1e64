"""How threads wait: briefly, unless the user says otherwise."""

import os

import pytest

from real_cli.cli.threads import BLAS_TIMEOUT, NUM_SPINS, wait_briefly


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, NUM_SPINS),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, None),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
    ],
)
def test_openmp_spins_briefly_unless_the_user_says_how_it_waits(given, expected, monkeypatch):
    """GOMP_SPINCOUNT would override OMP_WAIT_POLICY, so both are the user's."""
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    wait_briefly()
    assert os.environ.get("GOMP_SPINCOUNT") == expected


@pytest.mark.parametrize(("given", "expected"), [(None, BLAS_TIMEOUT), ("20", "20")])
def test_openblas_threads_sleep_at_once_unless_the_user_says_when(monkeypatch, given, expected):
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")  # of the other libraries
    if given:
        monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", given)
    wait_briefly()
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == expected
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT")
