"""Decode many responses at once: a prompt is read once for all of its responses, and finished rows leave.

`model.generate` reads a prompt once a response and runs every row until the last one ends. It stays the fallback where
a model's cache holds more than keys and values.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from real_cli.io.progress import running_counter
from real_cli.models.generate.sampler import Draw, End
from real_cli.models.generate.steps import CACHE_NAMES, FilledCache, Step, choose_step
from real_cli.records.questions import Sampling


def decode(model: Any, tokenizer: Any, prompts: Sequence[list[int]], samplings: Sequence[Sampling]) -> list[list[int]]:
    """Write a response to each prompt, until its end token, its limit or one of its stop strings."""
    ends = model.generation_config.eos_token_id
    draw = Draw(samplings, model.device)
    end = End(samplings, tokenizer, [ends] if isinstance(ends, int) else ends or [])
    distinct = {tuple(ids): number for number, ids in enumerate(dict.fromkeys(map(tuple, prompts)))}
    origins = torch.tensor([distinct[tuple(ids)] for ids in prompts], device=model.device)
    padded = tokenizer.pad({"input_ids": [list(ids) for ids in distinct]}, return_tensors="pt").to(model.device)
    with torch.inference_mode():
        first = _read(model, padded)
        if first is None:
            written = _generate(model, tokenizer, padded, origins, draw, end)
        else:
            logits, cache = first
            step = choose_step(model, cache, padded["attention_mask"], origins, end.limit)
            del first, cache  # a graph has a cache of its own: two would stay in memory
            written = _write(step, logits[origins], draw, end)
    if not draw.are_numbers:
        raise FloatingPointError("logits are not finite")
    return [ids[:length] for ids, length in zip(written.tolist(), end.lengths, strict=True)]


def _read(model: Any, padded: Any) -> tuple[Tensor, FilledCache] | None:
    """Run the prompts; return their last logits and the cache, or None if its rows cannot be selected."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    parameters = inspect.signature(model.forward).parameters.keys()
    name = next((name for name in CACHE_NAMES if name in parameters), None)
    if name is None or not {"position_ids", "logits_to_keep"} <= parameters:
        return None
    mask = padded["attention_mask"]
    output = model(
        input_ids=padded["input_ids"],
        attention_mask=mask,
        position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
        use_cache=True,
        logits_to_keep=1,
    )
    cache = output[name]
    if type(cache) is not DynamicCache or not all(isinstance(layer, DynamicLayer) for layer in cache.layers):
        return None
    return output.logits[:, -1].float(), FilledCache(name, cache)


def _write(step: Step, logits: Tensor, draw: Draw, end: End) -> Tensor:
    rows = torch.arange(len(logits), device=logits.device)
    written = torch.zeros(len(rows), end.limit, dtype=torch.long, device=logits.device)
    counter = running_counter()
    for number in range(end.limit):
        counter.tell_part(number / end.limit)
        tokens = draw(logits, number)
        written[rows, number] = tokens
        going = end(written[rows, : number + 1])
        if not going.any():
            break
        if (~going).sum() >= step.leaving_share * len(going):
            kept = going.nonzero().squeeze(1)
            end.keep(kept)
            kept = kept.to(rows.device)
            draw.keep(kept)
            step.keep(kept)
            rows, tokens = rows[kept], tokens[kept]
        logits = step(tokens)
    return written


def _generate(model: Any, tokenizer: Any, padded: Any, origins: Tensor, draw: Draw, end: End) -> Tensor:
    """Let the library write: a row a response, all of them until the last one ends."""
    width = padded["input_ids"].shape[1]

    def drawn(input_ids: Tensor, scores: Tensor) -> Tensor:
        kept = torch.full_like(scores, float("-inf"))
        tokens = draw(scores.float(), input_ids.shape[1] - width)
        return kept.scatter(1, tokens[:, None], 0.0)

    def ended(input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        return ~end(input_ids[:, width:]).to(input_ids.device)

    output = model.generate(
        input_ids=padded["input_ids"][origins],
        attention_mask=padded["attention_mask"][origins],
        do_sample=False,
        max_new_tokens=end.limit,
        pad_token_id=tokenizer.pad_token_id,
        logits_processor=[drawn],
        stopping_criteria=[ended],
    )
    return torch.as_tensor(output[:, width:])
