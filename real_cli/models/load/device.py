"""Where a model runs, and in which number format."""

import ctypes
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from real_cli.errors import UsageError, none_of
from real_cli.records.choices import BATCH_TOKENS, GENERATION_TOKENS, Precision

if TYPE_CHECKING:
    import torch


# Devices that torch knows, and that models run on.
KINDS = ("auto", "cpu", "cuda", "mps", "xpu", "hpu", "npu", "xla", "mtia", "privateuseone")
# Names of mallopt(3), from malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
# Those that run models with torch; auto chooses among them.
DEVICES = ("auto", "cpu", "cuda", "mps", "xpu", "hpu", "npu", "xla")
LARGEST_INT = 2**31 - 1


@dataclass(frozen=True)
class Place:
    """A device and a number format, as chosen."""

    device: "torch.device"
    dtype: "torch.dtype"

    def __str__(self) -> str:
        return f"{self.device}, {str(self.dtype).removeprefix('torch.')}"


def check_device(name: str) -> None:
    """Refuse, before anything heavy is loaded, a device that cannot be there."""
    kind, _, number = name.partition(":")
    if kind not in KINDS:
        raise UsageError(f"--device: {none_of(name, DEVICES)}")
    if number and not number.isdecimal():
        raise UsageError(f"--device {name}: not available here: no device has that name; take auto, cpu, cuda:1 or mps")
    if kind == "cuda" and is_built_for_cpus():
        raise UsageError(
            f"--device {name}: not available here: torch is installed without CUDA; take cpu, or install it with CUDA"
        )


def is_built_for_cpus() -> bool:
    """Tell whether torch knows neither CUDA nor ROCm, from the file that says so; importing it takes seconds."""
    spec = find_spec("torch")
    try:
        text = (Path(str(spec.origin)).parent / "version.py").read_text(encoding="utf-8") if spec else ""
    except OSError:
        return False
    return all(re.search(rf"^{name}\b[^=]*= None$", text, re.MULTILINE) for name in ("cuda", "hip"))


def choose_device(name: str) -> "torch.device":
    """Choose a device: the named one, or the freest accelerator, or the CPU."""
    import torch

    if name != "auto":
        try:
            device = torch.device(name)
            torch.empty(0, device=device)
        # What torch raises for an unknown name, for a backend that was not compiled in, and for one without `empty`.
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            kind = name.partition(":")[0]
            if kind not in DEVICES:
                raise UsageError(f"--device: {none_of(name, DEVICES)}") from None
            raise UsageError(f"--device {name}: not available here; use cpu, or auto for what there is") from error
        return device
    if not torch.accelerator.is_available():
        return torch.device("cpu")
    kind = torch.accelerator.current_accelerator().type
    if kind == "cuda" and torch.cuda.device_count() > 1:
        free = [torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())]
        return torch.device(kind, free.index(max(free)))
    return torch.device(kind, 0) if kind == "cuda" else torch.device(kind)


def choose_dtype(device: "torch.device", precision: Precision) -> "torch.dtype":
    """Choose a number format: bfloat16 where the hardware computes in it, float32 elsewhere.

    A CPU takes float32 whatever the checkpoint has: bfloat16 is slow there.
    """
    import torch

    if precision is not Precision.auto:
        return getattr(torch, precision.value)
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native or device.type == "xpu" else torch.float32


def choose_place(device: str, precision: Precision) -> Place:
    """Choose device and number format."""
    chosen = choose_device(device)
    if chosen.type == "cpu":
        keep_freed_memory()
    return Place(chosen, choose_dtype(chosen, precision))


def stored_dtype(place: Place) -> "torch.dtype":
    """Choose the format of weights that are read and not trained: on a CPU float32 stays, and bfloat16 computes.

    Vectors of a 135M model then have a cosine of 0.9989 to float32's at least, and not 0.9935, at nearly the speed.
    """
    import torch

    is_mixed = place.device.type == "cpu" and place.dtype == torch.bfloat16
    return torch.float32 if is_mixed else place.dtype


def is_slower(place: Place) -> bool:
    """Tell float32 on a CPU that multiplies matrices in bfloat16 by instructions of its own."""
    import torch

    has: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    is_plain = place.device.type == "cpu" and place.dtype == torch.float32
    return is_plain and any(has.get(name) for name in ("amx_bf16", "avx512_bf16"))


LEAST_TRAINING_TOKENS, MOST_TRAINING_TOKENS = 4096, 32768
# Gradient and two moments of AdamW, in float32.
BYTES_PER_TRAINED = 12
# Of activations, a token and layer. On an H200, computing in bfloat16: 54 bytes a number of the hidden size, both with
# 135M parameters (an MLP 2.7 times as wide) and 1B (4 times). This is a little more.
BYTES_PER_HIDDEN, BYTES_PER_INNER = 30, 10
# What stands before the name of a model's attention where it takes packed rows.
PACKED = "packed_"


def attention_name(model: Any) -> str:
    """Return the name of the function that computes a model's attention, packed or not."""
    name: str = model.config._attn_implementation
    return name.removeprefix(PACKED)


def default_batch_tokens(device: "torch.device") -> int:
    """Choose the tokens of one forward pass, when the user does not say.

    On a CPU small passes are faster (their activations stay in its caches) and lighter; an accelerator needs large
    ones to be busy.
    """
    return BATCH_TOKENS.on(device.type)


def default_training_tokens(device: "torch.device", model: Any) -> int:
    """Choose the tokens of one pass that keeps its activations for the gradients.

    On a GPU launching the kernels of a small model takes longer than running them, up to thousands of tokens: the
    fewer passes a step takes the better.
    """
    if device.type == "cpu":
        return 512
    import torch

    if device.type != "cuda" or attention_name(model) == "eager":  # a number a pair of tokens
        return LEAST_TRAINING_TOKENS
    config = model.config.get_text_config()
    weights = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    left = torch.cuda.get_device_properties(device).total_memory - weights - trained * BYTES_PER_TRAINED
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    return tokens_that_fit(left, config.num_hidden_layers, config.hidden_size, inner)


def tokens_that_fit(num_bytes: int, num_layers: int, hidden_size: int, inner_size: int) -> int:
    """Work out how many tokens' activations take half of the memory that is left.

    >>> tokens_that_fit(60 << 30, 16, 2048, 8192), tokens_that_fit(1 << 30, 16, 2048, 8192)
    (13312, 4096)
    """
    per_token = num_layers * (BYTES_PER_HIDDEN * hidden_size + BYTES_PER_INNER * inner_size)
    thousands = num_bytes // 2 // per_token // 1024
    return min(MOST_TRAINING_TOKENS, max(LEAST_TRAINING_TOKENS, thousands * 1024))


def default_generation_tokens(device: "torch.device") -> int:
    """Choose how many tokens are read and written at a time, when the user does not say.

    Each step runs one token of every row: many rows share the reading of the weights, and memory goes to their
    cache of keys and values.
    """
    return GENERATION_TOKENS.on(device.type)


def keep_freed_memory() -> None:
    """Have the C library keep large freed blocks and hand them out again.

    By default it returns each to the system, which zeroes a new one page by page: a tenth of the time of training
    on a CPU. Where the library has no mallopt, nothing changes.
    """
    try:
        library = ctypes.CDLL(None)
        for name in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            library.mallopt(name, LARGEST_INT)
        library.mallopt(M_ARENA_MAX, 1)  # or one thread would not reuse another's blocks
    except (OSError, AttributeError, TypeError):
        return
