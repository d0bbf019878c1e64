"""One decoding step: a forward pass that reads one token a row, with a growing cache or in a recorded graph."""

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

# What a model calls its cache: the first since transformers 5.20.
CACHE_NAMES = ("cache", "past_key_values")


class FilledCache(NamedTuple):
    """Keys and values of what was read.

    Attributes:
        name: The model's parameter that takes it.
        states: The cache.
    """

    name: str
    states: Any


class Step(Protocol):
    """One forward pass that reads a token a row.

    Attributes:
        leaving_share: Rows leave when this share of them has ended.
    """

    leaving_share: float

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the next logits, shape (rows, vocab), of tokens of shape (rows,)."""

    def keep(self, rows: Tensor) -> None:
        """Go on with some rows alone."""


def choose_step(model: Any, cache: FilledCache, mask: Tensor, rows: Tensor, num_steps: int) -> Step:
    """Choose how steps are run."""
    from transformers.cache_utils import DynamicLayer

    cache.states.reorder_cache(rows)
    if model.device.type == "cuda" and all(type(layer) is DynamicLayer for layer in cache.states.layers):
        return GraphStep(model, cache, mask[rows], num_steps)
    return DynamicStep(model, cache, mask[rows])


class DynamicStep:
    """A pass with a cache that grows."""

    leaving_share = 1 / 8  # cutting the cache costs about a step, which copies it too

    def __init__(self, model: Any, cache: FilledCache, mask: Tensor) -> None:
        self._model = model
        self._cache = cache
        self._mask = mask
        self._positions = mask.sum(-1, keepdim=True)

    def __call__(self, tokens: Tensor) -> Tensor:
        """Read a token a row."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        logits = _forward(self._model, tokens[:, None], self._mask, self._positions, self._cache)
        self._positions = self._positions + 1
        return logits

    def keep(self, rows: Tensor) -> None:
        """Go on with some rows alone."""
        self._cache.states.reorder_cache(rows)
        self._mask, self._positions = self._mask[rows], self._positions[rows]


class FixedStep:
    """A pass of fixed shapes: the cache has room for all steps.

    What it does not hold yet lies behind the step's position, and is masked by that.
    """

    leaving_share = 1 / 2  # the first pass of a shape costs a few steps

    def __init__(self, model: Any, cache: FilledCache, mask: Tensor, num_steps: int) -> None:
        states = [(layer.keys, layer.values) for layer in cache.states.layers]
        self._model = model
        self._name = cache.name
        self._mask = torch.cat([mask, mask.new_ones(len(mask), num_steps)], dim=1)
        self._begin(states, mask.sum(-1, keepdim=True))

    def __call__(self, tokens: Tensor) -> Tensor:
        """Read a token a row."""
        self._tokens.copy_(tokens[:, None])
        self._length += 1
        return self._run()

    def keep(self, rows: Tensor) -> None:
        """Go on with some rows alone."""
        layers = self._cache.states.layers
        states = [(layer.keys[rows, :, : self._length], layer.values[rows, :, : self._length]) for layer in layers]
        self._mask = self._mask[rows]
        self._begin(states, self._positions[rows])

    def _begin(self, states: list[tuple[Tensor, Tensor]], positions: Tensor) -> None:
        from transformers import StaticCache

        self._length = states[0][0].shape[2]
        room = StaticCache(config=self._model.config.get_text_config(), max_cache_len=self._mask.shape[1])
        for layer, (keys, values) in zip(room.layers, states, strict=True):
            layer.lazy_initialization(keys, values)
            layer.keys[:, :, : self._length] = keys
            layer.values[:, :, : self._length] = values
        self._cache = FilledCache(self._name, room)
        self._tokens = torch.zeros_like(positions)
        self._positions = positions.clone()
        self._rewind(positions)

    def _rewind(self, positions: Tensor) -> None:
        self._positions.copy_(positions)
        for layer in self._cache.states.layers:
            layer.cumulative_length.fill_(self._length)

    def _run(self) -> Tensor:
        logits = _forward(self._model, self._tokens, self._mask, self._positions, self._cache)
        self._positions.add_(1)
        return logits


class GraphStep(FixedStep):
    """A pass recorded as a CUDA graph: launching its kernels one by one takes longer than running them."""

    def __call__(self, tokens: Tensor) -> Tensor:
        """Read a token a row."""
        self._tokens.copy_(tokens[:, None])
        self._length += 1
        self._graph.replay()
        return self._logits

    def _begin(self, states: list[tuple[Tensor, Tensor]], positions: Tensor) -> None:
        super()._begin(states, positions)
        beside = torch.cuda.Stream()  # a graph must have run once before it is recorded, on another stream
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            self._run()
        torch.cuda.current_stream().wait_stream(beside)
        self._rewind(positions)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits = self._run()


def _forward(model: Any, tokens: Tensor, mask: Tensor, positions: Tensor, cache: FilledCache) -> Tensor:
    output = model(
        input_ids=tokens,
        attention_mask=mask,
        position_ids=positions,
        use_cache=True,
        logits_to_keep=1,
        **{cache.name: cache.states},
    )
    return torch.as_tensor(output.logits[:, -1].float())
