"""What the options of `real embed` offer."""

from enum import StrEnum
from importlib.util import find_spec

from real_cli.errors import ModelError, UsageError
from real_cli.installing import install_extra

# Of a language model; an encoder has its own.
MAX_LENGTH = 512
LAST_LAYER = -1


class Pooling(StrEnum):
    """How a causal language model's token states become one vector."""

    mean = "mean"
    last = "last"


class Field(StrEnum):
    """What `embed` embeds."""

    responses = "responses"
    prompt = "prompt"


class Backend(StrEnum):
    """What runs an encoder."""

    torch = "torch"
    openvino = "openvino"


def check_backend(backend: Backend, device: str) -> None:
    """Refuse, before anything is read or loaded, what cannot run by OpenVINO here."""
    if backend is Backend.torch:
        return
    if device not in ("auto", "cpu"):
        raise UsageError(f"--backend openvino runs on the CPU alone, not on --device {device}; leave one of them out")
    if find_spec("openvino") is None:
        raise ModelError(f"--backend openvino needs the package openvino: {install_extra('openvino')}")
