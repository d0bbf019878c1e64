"""Encoders: texts to vectors, by a sentence-transformers model or by a causal language model."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from real_cli.core.names import Pooling, Precision
from real_cli.errors import ModelError, UsageError
from real_cli.models.device import Place, choose_place
from real_cli.models.resolve import quiet_libraries, resolve_model

DEFAULT_MAX_LENGTH = 512


class Encoder(Protocol):
    """What the embedder asks of a model."""

    max_length: int
    place: Place

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Count the tokens of each text before any is cut."""
        ...

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed one batch; shape (batch, dim)."""
        ...


class SentenceEncoder:
    """A sentence-transformers model, with the pooling and normalization it was made with."""

    def __init__(self, path: str, place: Place, max_length: int | None) -> None:
        from sentence_transformers import SentenceTransformer

        self.place = place
        self._model = SentenceTransformer(path, device=str(place.device), model_kwargs={"dtype": place.dtype})
        if max_length is not None:
            self._model.max_seq_length = min(max_length, self._model.max_seq_length or max_length)
        self.max_length = int(self._model.max_seq_length or DEFAULT_MAX_LENGTH)

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Count the tokens of each text, special ones included."""
        return [len(ids) for ids in self._model.tokenizer(texts, truncation=False, verbose=False)["input_ids"]]

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed one batch; shape (batch, dim)."""
        vectors = self._model.encode(texts, batch_size=len(texts), show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(vectors, dtype=np.float32)


class CausalEncoder:
    """A causal language model: the text alone, no chat template, one hidden layer, masked mean or last token.

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169; the recipe is that of `hh_pair_selection.py` (METHODS 1.2).
    """

    def __init__(self, path: str, place: Place, max_length: int | None, *, pooling: Pooling, layer: int) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.place = place
        self.max_length = max_length or DEFAULT_MAX_LENGTH
        self._pooling, self._layer = pooling, layer
        with quiet_libraries():
            self._tokenizer = AutoTokenizer.from_pretrained(path)
            self._model = AutoModel.from_pretrained(path, dtype=place.dtype).to(place.device).eval()
        # The reference code pads on the right with the end token; a mask keeps pads out of the mean either way.
        self._tokenizer.padding_side = "right"
        self._tokenizer.truncation_side = "right"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        num_layers = self._model.config.get_text_config().num_hidden_layers
        if not -num_layers - 1 <= layer <= num_layers:
            raise UsageError(f"--layer {layer}: the model has {num_layers}; give 0 to {num_layers}, or -1 for the last")

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Count the tokens of each text as the tokenizer makes them by default."""
        return [max(1, len(ids)) for ids in self._tokenizer(texts, verbose=False)["input_ids"]]

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Embed one batch; shape (batch, dim)."""
        import torch

        ids = self._tokenizer(texts, truncation=True, max_length=self.max_length)["input_ids"]
        # A text without tokens has no states to average: its end token stands for it.
        batch = self._tokenizer.pad(
            {"input_ids": [row or [self._tokenizer.eos_token_id] for row in ids]}, return_tensors="pt"
        ).to(self.place.device)
        with torch.inference_mode():
            outputs = self._model(**batch, use_cache=False, output_hidden_states=self._layer != -1)
            states = outputs.last_hidden_state if self._layer == -1 else outputs.hidden_states[self._layer]
            pooled = POOLINGS[self._pooling](states.float(), batch["attention_mask"])
        return np.asarray(pooled.cpu().numpy(), dtype=np.float32)


def mean_pool(states: Any, mask: Any) -> Any:
    """Average token states over the tokens that are not padding.

    Args:
        states: Hidden states, shape (batch, seq, dim).
        mask: 1 for a token, 0 for padding, shape (batch, seq).

    Returns:
        Vectors, shape (batch, dim).
    """
    weights = mask.unsqueeze(-1).to(states.dtype)  # (batch, seq, 1)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def last_pool(states: Any, mask: Any) -> Any:
    """Take the state of the last token that is not padding; padding is on the right.

    Args:
        states: Hidden states, shape (batch, seq, dim).
        mask: 1 for a token, 0 for padding, shape (batch, seq).

    Returns:
        Vectors, shape (batch, dim).
    """
    last = mask.sum(dim=1) - 1  # (batch,)
    return states[range(len(states)), last]


POOLINGS = {Pooling.mean: mean_pool, Pooling.last: last_pool}


def load_encoder(
    name: str,
    *,
    device: str = "auto",
    precision: Precision = Precision.auto,
    max_length: int | None = None,
    pooling: Pooling | None = None,
    layer: int | None = None,
) -> Encoder:
    """Load an encoder by name.

    Args:
        name: A folder, a .gguf file, a hub name or a short name.
        device: Where it runs.
        precision: Its number format.
        max_length: Tokens of a text that count; the model's own limit, or 512 for a language model, if None.
        pooling: For a language model; masked mean if None.
        layer: For a language model; the last hidden layer if None.

    Returns:
        The encoder.

    Raises:
        ModelError: If it cannot be found or loaded.
        UsageError: If an option does not fit the kind of model.
    """
    path = resolve_model(name)
    place = choose_place(device, precision)
    try:
        if is_causal(path):
            return CausalEncoder(
                path, place, max_length, pooling=pooling or Pooling.mean, layer=-1 if layer is None else layer
            )
        if pooling is not None or layer is not None:
            raise UsageError(f"model '{name}' pools in its own way; leave out --pooling and --layer")
        return SentenceEncoder(path, place, max_length)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise ModelError(f"model '{name}': {load_problem(error)}") from None


def is_causal(path: str) -> bool:
    """Tell whether a model is a plain causal language model, and no sentence-transformers one.

    Args:
        path: A folder, or a name on the hub.

    Returns:
        True if its configuration names a causal language model's class.
    """
    from transformers import AutoConfig
    from transformers.utils import cached_file

    if Path(path).is_dir():
        has_modules = (Path(path) / "modules.json").is_file()
    else:
        has_modules = cached_file(path, "modules.json", _raise_exceptions_for_missing_entries=False) is not None
    if has_modules:
        return False
    architectures = AutoConfig.from_pretrained(path).architectures or []
    return any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in architectures)


def load_problem(error: Exception) -> str:
    """Say in one line why a model did not load.

    Args:
        error: What the library raised.

    Returns:
        The first line of its message, and what to do.
    """
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, OSError) and ("huggingface.co" in str(error) or "not a valid model identifier" in str(error)):
        return "no such folder, and not to be had from the hub; give a local path or check the name"
    return first
