"""What a device is given when the user does not say."""

import ctypes

import pytest
import torch

from real_cli.models.load.device import default_batch_tokens, keep_freed_memory


@pytest.mark.parametrize(("device", "training", "tokens"), [
    ("cpu", True, 512), ("cpu", False, 1024), ("cuda", True, 4096), ("cuda", False, 16384),
])  # fmt: skip
def test_a_pass_is_small_on_a_cpu_and_smaller_with_gradients(device, training, tokens):
    """As the help says."""
    assert default_batch_tokens(torch.device(device), training=training) == tokens


@pytest.mark.parametrize("error", [OSError, AttributeError, TypeError])
def test_a_c_library_without_mallopt_is_left_alone(error, monkeypatch):
    """musl has none, and Windows no C library by that name."""

    def fail(name):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", fail)
    keep_freed_memory()
