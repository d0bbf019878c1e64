"""How threads wait: briefly, unless the user says otherwise."""

import os

import pytest

from real_cli.cli.threads import NUM_SPINS, wait_briefly


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
