"""What is checked once a model is loaded: nothing missing, all numbers finite, a vocabulary that fits."""

from collections.abc import Collection
from typing import Any

import torch

from real_cli.errors import ModelError, clip
from real_cli.models.load.folder_check import (
    note,
)

LACKS = "its weights lack"


def check_missing(name: str, missing: Collection[str], problem: str = LACKS) -> None:
    """Refuse weights that lack tensors: libraries fill them with random numbers, and only warn."""
    if missing:
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise ModelError(f"model '{name}': {problem} '{min(missing)}'{more}; give a model that is whole")


def check_finite(name: str, model: Any) -> None:
    """Refuse weights with a number that is not finite, and name the first tensor."""
    floats = [(key, value) for key, value in model.named_parameters() if value.is_floating_point()]
    if not floats:
        return
    with torch.no_grad():
        # A sum is finite only if all its parts are; it takes an eighth of the time of checking each.
        sums = [value.sum(dtype=torch.float32).to(floats[0][1].device) for _, value in floats]
        suspects = (~torch.stack(sums).isfinite()).nonzero().flatten().tolist()
        for key, value in (floats[number] for number in suspects):
            if not value.isfinite().all():
                raise ModelError(
                    f"model '{name}': tensor '{key}' holds numbers that are not finite; give another model"
                )


def num_embeddings(model: Any) -> int:
    """Count the tokens that a model reads and, where it has a head, writes."""
    tables = (model.get_input_embeddings(), model.get_output_embeddings())
    return min(int(table.weight.shape[0]) for table in tables if hasattr(table, "weight"))


def check_vocabulary_fits(name: str, model: Any, tokenizer: Any, *, records_are_checked: bool = False) -> None:
    """Refuse a tokenizer whose token ids the model has no embeddings for."""
    size = num_embeddings(model)
    beyond = {token: number for token, number in tokenizer.get_vocab().items() if number >= size}
    if records_are_checked and beyond and set(beyond.values()) <= set(tokenizer.added_tokens_decoder):
        have = "1 token of its tokenizer has" if len(beyond) == 1 else f"{len(beyond):,} tokens of its tokenizer have"
        note(f"model '{name}': {have} no embedding ({clip(min(beyond))}): records that bring it are refused")
    elif beyond:
        token = min(beyond)
        raise ModelError(
            f"model '{name}': its tokenizer gives {clip(token)} the number {beyond[token]:,}, and the model has "
            f"{size:,} tokens; give a tokenizer and a model that belong together"
        )
