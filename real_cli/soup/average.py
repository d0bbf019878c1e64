"""What `soup` computes and compares: weights, averages, and whether checkpoints can be averaged at all."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from real_cli.errors import UsageError, clip
from real_cli.models.load.tensor_files import TensorShape

# How far the sum of weights may be from 1: the rounding of six digits each.
TOLERANCE = Fraction(1, 10**6)
KIND = ("architectures", "model_type")
# Authorship, stops of generation and training settings do not change what weights mean.
NOT_OF_THE_WEIGHTS = frozenset(
    {
        *("transformers_version", "_name_or_path", "dtype", "torch_dtype"),
        *("attn_implementation", "_attn_implementation_autoset", "use_cache"),
        *("bos_token_id", "eos_token_id", "pad_token_id"),
        *("initializer_range", "id2label", "label2id", "problem_type"),
    }
)
ONLY_IN_TRAINING = ("dropout", "pdrop", "dropout_prob")
# safetensors' names of the number formats that can be averaged.
AVERAGED = frozenset({"F64", "F32", "F16", "BF16"})


def parse_weights(text: str | None, count: int) -> list[float]:
    """Read the weights of an average.

    A negative weight is not refused: with weights 1.5,-0.5 the average goes on beyond the first model, away from the
    second (ExPO, Zheng et al., 2024, arXiv:2404.16792).

    >>> parse_weights("1/4,0.75", 2)
    [0.25, 0.75]
    """
    if text is None:
        return [1 / count] * count
    try:
        exact = [Fraction(part.strip()) for part in text.split(",")]
        [float(weight) for weight in exact]
    except (ValueError, ZeroDivisionError, OverflowError):
        raise UsageError(f"--weights {clip(text)}: give a finite number for each model, as in 0.5,0.5") from None
    if len(exact) != count:
        raise UsageError(f"--weights {clip(text)}: {len(exact)} weights and {count} models; give one for each")
    total = sum(exact, Fraction())
    if abs(total - 1) > TOLERANCE:
        raise UsageError(f"--weights {clip(text)}: their sum is {float(total):g}; it must be 1")
    return [float(weight / total) for weight in exact]


def average(
    tensors: Sequence[Tensor], weights: Sequence[float], dtype: torch.dtype, room: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Average tensors of several models, theta = a * theta_1 + (1 - a) * theta_2.

    Sums in float64: float32 would move a model that is averaged with itself, by weights such as 0.3 and 0.7, in its
    last digit. What is finite in the end is not checked here.

    >>> average([torch.tensor([1.0]), torch.tensor([3.0])], [0.5, 0.5], torch.float32)
    tensor([2.])

    References:
        Chegini et al., 2024, SALSA, arXiv:2411.01798: the reference is the average of two policies.
    """
    counted = [(tensor, weight) for tensor, weight in zip(tensors, weights, strict=True) if weight]
    if [weight for _, weight in counted] == [1.0]:
        return counted[0][0].to(dtype)
    total, part = room or new_room(tensors[0].numel())
    (first, weight), *others = counted
    total, part = (numbers[: first.numel()].view_as(first) for numbers in (total, part))
    total.copy_(first).mul_(weight)
    for tensor, weight in others:
        total.add_(part.copy_(tensor), alpha=weight)
    return total.to(dtype)


def new_room(size: int) -> tuple[Tensor, Tensor]:
    """Make the room that an average of tensors of up to `size` numbers takes, to be used again."""
    return torch.empty(size, dtype=torch.float64), torch.empty(size, dtype=torch.float64)


def config_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """List differences between two configs that change what weights mean.

    >>> config_differences({"hidden_size": 16, "use_cache": True}, {"hidden_size": 32})
    ["config 'hidden_size' is 16 and 32"]
    """
    fields = [field for field in {**first, **second} if _counts(field) and first.get(field) != second.get(field)]
    fields.sort(key=lambda field: (field not in KIND, field))
    return [f"config '{field}' is {clip(first.get(field))} and {clip(second.get(field))}" for field in fields]


def _counts(field: str) -> bool:
    return field not in NOT_OF_THE_WEIGHTS and not field.endswith(ONLY_IN_TRAINING)


def tensor_differences(first: Mapping[str, TensorShape], second: Mapping[str, TensorShape]) -> list[str]:
    """List differences between the tensors of two checkpoints, but for their numbers.

    >>> ours, theirs = {"a": TensorShape("F32", (2, 3)), "b": TensorShape("F32", (1,))}, {}
    >>> tensor_differences(ours, theirs | {"a": TensorShape("BF16", (2, 4))})
    ["tensor 'a' has shapes 2x3 and 2x4", "tensor 'b' is in the first alone"]
    """
    differences = []
    for name in sorted({**first, **second}):
        ours, theirs = first.get(name), second.get(name)
        if ours is None or theirs is None:
            differences.append(f"tensor '{name}' is in the {'second' if ours is None else 'first'} alone")
        elif ours.shape != theirs.shape:
            differences.append(f"tensor '{name}' has shapes {_show(ours.shape)} and {_show(theirs.shape)}")
        elif ours.dtype != theirs.dtype and not {ours.dtype, theirs.dtype} <= AVERAGED:
            differences.append(f"tensor '{name}' is {ours.dtype} and {theirs.dtype}")
    return differences


def _show(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "()"


def enumerate_problems(problems: Sequence[str], most: int = 8) -> str:
    """Join many phrases in one line.

    >>> enumerate_problems(["a", "b", "c"], most=2)
    'a, b, and 1 more'
    """
    more = [f"and {len(problems) - most:,} more"] if len(problems) > most else []
    return ", ".join([*problems[:most], *more])
