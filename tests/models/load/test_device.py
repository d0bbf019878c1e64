"""What a device is given when the user does not say."""

import ctypes
from types import SimpleNamespace

import pytest
import torch

from real_cli.models.load.device import default_batch_tokens, default_training_tokens, keep_freed_memory


@pytest.mark.parametrize(("device", "tokens"), [("cpu", 1024), ("cuda", 16384)])
def test_a_pass_is_small_on_a_cpu(device, tokens):
    """As the help says."""
    assert default_batch_tokens(torch.device(device)) == tokens


@pytest.fixture
def trainee():
    """A model of 10 + 90 numbers, of which 10 are trained."""
    model = torch.nn.Sequential(torch.nn.Linear(10, 1, bias=False), torch.nn.Linear(90, 1, bias=False))
    model[1].weight.requires_grad_(False)
    sizes = SimpleNamespace(num_hidden_layers=16, hidden_size=2048, intermediate_size=8192)
    model.config = SimpleNamespace(_attn_implementation="sdpa", get_text_config=lambda: sizes)
    return model


def on_a_gpu_of(num_bytes, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=num_bytes))


@pytest.mark.parametrize(("thousands", "tokens"), [(1, 4096), (5, 5120), (7, 7168), (40, 32768)])
def test_a_training_pass_takes_half_of_what_weights_and_optimizer_leave(thousands, tokens, trainee, monkeypatch):
    """A token takes 16 * (30 * 2048 + 10 * 8192) = 2,293,760 bytes; 100 weights 4 each, and ten of them 12 more."""
    on_a_gpu_of(2 * thousands * 1024 * 2_293_760 + 400 + 120, monkeypatch)
    assert default_training_tokens(torch.device("cuda"), trainee) == tokens
    on_a_gpu_of(2 * thousands * 1024 * 2_293_760 + 400 + 119, monkeypatch)
    assert default_training_tokens(torch.device("cuda"), trainee) == max(4096, tokens - 1024 * (thousands < 33))


def test_a_training_pass_is_small_on_a_cpu_and_where_memory_is_unknown(trainee, monkeypatch):
    assert default_training_tokens(torch.device("cpu"), trainee) == 512
    assert default_training_tokens(torch.device("mps"), trainee) == 4096
    on_a_gpu_of(1 << 40, monkeypatch)
    trainee.config._attn_implementation = "eager"
    assert default_training_tokens(torch.device("cuda"), trainee) == 4096


@pytest.mark.parametrize("error", [OSError, AttributeError, TypeError])
def test_a_c_library_without_mallopt_is_left_alone(error, monkeypatch):
    """musl has none, and Windows no C library by that name."""

    def fail(name):
        raise error

    monkeypatch.setattr(ctypes, "CDLL", fail)
    keep_freed_memory()
