"""Encoders: texts to vectors, by an encoder model or by a causal language model.

Both are run by transformers alone. A sentence-transformers folder that says more than "this model, this pooling" is run
by that library, whose import takes as long as embedding a thousand texts.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from real_cli.embed.choices import LAST_LAYER, MAX_LENGTH, Backend, Pooling, check_backend
from real_cli.embed.pooling import POOLINGS
from real_cli.embed.sentence_folders import read_recipe
from real_cli.errors import RecordError, UsageError
from real_cli.models.load.adapter_folders import is_adapter, load_causal
from real_cli.models.load.device import Place, choose_place, stored_dtype
from real_cli.models.load.folder_check import check_settings
from real_cli.models.load.hub import settings_folder
from real_cli.models.load.loaded_checks import check_vocabulary_fits
from real_cli.models.load.loading import POOLERS, load_config, load_library_encoder, load_model, load_tokenizer, loading
from real_cli.models.load.resolve import resolve_model
from real_cli.records.choices import Precision


class Prepared(NamedTuple):
    """Texts ready for an encoder.

    Attributes:
        inputs: One for each text.
        lengths: Tokens of each, after what is too long was cut.
        num_cut: How many were cut.
    """

    inputs: Sequence[Any]
    lengths: list[int]
    num_cut: int


class Encoder(Protocol):
    """What the embedder asks of a model."""

    max_length: int
    place: Place

    def prepare(self, texts: list[str]) -> Prepared:
        """Tokenize texts."""
        ...

    def encode(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """Embed one batch of what `prepare` made; shape (batch, dim)."""
        ...


class TransformerEncoder:
    """A model of transformers, run once: its hidden states, pooled to one vector a text."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        place: Place,
        *,
        max_length: int,
        pool: Callable[[Any, Any], Any],
        layer: int = LAST_LAYER,
        normalize: bool = False,
    ) -> None:
        self.place = place
        self.max_length = max_length
        self.model = model
        self._tokenizer = tokenizer
        self._pool = pool
        self._layer = layer
        self._normalize = normalize
        num_special = tokenizer.num_special_tokens_to_add()
        if max_length <= num_special:
            raise UsageError(
                f"--max-length {max_length}: the tokenizer adds {num_special} tokens of its own; give more"
            )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token

    def prepare(self, texts: list[str]) -> Prepared:
        """Tokenize texts once: ids cut to the limit."""
        batch = self._tokenizer(
            texts, truncation=True, max_length=self.max_length, return_attention_mask=False, verbose=False
        )
        if self._tokenizer.is_fast:
            num_cut = sum(bool(encoding.overflowing) for encoding in batch.encodings)
        else:
            full = self._tokenizer(texts, return_attention_mask=False, verbose=False)["input_ids"]
            num_cut = sum(len(ids) > self.max_length for ids in full)
        # A text without tokens has no states to average: its end token stands in.
        end = self._tokenizer.eos_token_id
        if end is None and not all(batch["input_ids"]):
            raise RecordError("a text has no tokens, and the model's tokenizer no end token to stand for it")
        inputs = [ids or [end] for ids in batch["input_ids"]]
        return Prepared(inputs, [len(ids) for ids in inputs], num_cut)

    def encode(self, inputs: Sequence[list[int]]) -> NDArray[np.float32]:
        """Embed one batch of token ids; shape (batch, dim)."""
        import torch

        ids, mask = (torch.from_numpy(part).to(self.place.device) for part in self.padded(inputs))
        with torch.inference_mode():
            return np.asarray(self.pooled(ids, mask).cpu().numpy(), dtype=np.float32)

    def padded(self, inputs: Sequence[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Put token ids side by side, padded on the right, with a mask of what is text; each (batch, seq)."""
        lengths = np.fromiter(map(len, inputs), dtype=np.int64, count=len(inputs))
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(mask.shape, self._tokenizer.pad_token_id or 0)  # any token: it is masked
        ids[mask] = np.concatenate(inputs)
        return ids, mask.astype(np.int64)

    def pooled(self, ids: Any, mask: Any) -> Any:
        """Run the model on a padded batch of ids; shape (batch, dim)."""
        import torch

        settings: dict[str, Any] = {"output_hidden_states": True} if self._layer != LAST_LAYER else {}
        if hasattr(self.model.config, "use_cache"):
            settings["use_cache"] = False
        is_mixed = self.model.dtype != self.place.dtype
        with torch.autocast(self.place.device.type, self.place.dtype, enabled=is_mixed):
            outputs = self.model(input_ids=ids, attention_mask=mask, **settings)
        states = outputs.last_hidden_state if self._layer == LAST_LAYER else outputs.hidden_states[self._layer]
        pooled = self._pool(states.float(), mask)
        return torch.nn.functional.normalize(pooled, dim=1) if self._normalize else pooled


class LibraryEncoder:
    """A model that only sentence-transformers runs as it was made."""

    def __init__(self, name: str, path: str, place: Place, max_length: int | None) -> None:
        self.place = place
        self._model = load_library_encoder(name, path, place)
        if max_length is not None:
            self._model.max_seq_length = min(max_length, self._model.max_seq_length or max_length)
        self.max_length = int(self._model.max_seq_length or MAX_LENGTH)

    def prepare(self, texts: list[str]) -> Prepared:
        """Count tokens; the library makes them again when it embeds."""
        ids = self._model.tokenizer(texts, truncation=False, verbose=False)["input_ids"]
        lengths = [min(len(row), self.max_length) for row in ids]
        return Prepared(texts, lengths, sum(len(row) > self.max_length for row in ids))

    def encode(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """Embed one batch of texts; shape (batch, dim)."""
        vectors = self._model.encode(
            list(inputs), batch_size=len(inputs), show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)


def load_encoder(
    name: str,
    *,
    device: str = "auto",
    precision: Precision = Precision.auto,
    max_length: int | None = None,
    pooling: Pooling | None = None,
    layer: int | None = None,
    backend: Backend = Backend.torch,
) -> Encoder:
    """Load an encoder from a folder, a .gguf file, a hub name or a short name.

    By default a model's own limit of tokens holds, or 512 for a language model, which alone takes a `pooling`
    (masked mean) and a `layer` (the last).
    """
    check_backend(backend, device)
    if backend is Backend.openvino:
        return _load_compiled(name, precision, max_length, pooling, layer)
    path = resolve_model(name)
    place = choose_place(device, precision)
    check_settings(name, path)
    with loading(name):
        if is_causal(name, path):
            return _load_causal(
                name, path, place, max_length, pooling or Pooling.mean, LAST_LAYER if layer is None else layer
            )
        if pooling is not None or layer is not None:
            raise UsageError(f"model '{name}' pools in its own way; leave out --pooling and --layer")
        return _load_sentence(name, path, place, max_length) or LibraryEncoder(name, path, place, max_length)


def _load_compiled(
    name: str, precision: Precision, max_length: int | None, pooling: Pooling | None, layer: int | None
) -> Encoder:
    """Load an encoder for torch, in float32 on the CPU, and compile it by OpenVINO."""
    from real_cli.embed.openvino_encoder import check_convertible, compile_encoder

    path = resolve_model(name)
    check_settings(name, path)
    check_convertible(name, None if is_causal(name, path) else load_config(name, path).model_type)
    encoder = load_encoder(
        name, device="cpu", precision=Precision.float32, max_length=max_length, pooling=pooling, layer=layer
    )
    return compile_encoder(name, encoder, precision)


def _load_causal(
    name: str, path: str, place: Place, max_length: int | None, pooling: Pooling, layer: int
) -> TransformerEncoder:
    """Load a causal language model: the text alone, no chat template, one hidden layer, mean or last token.

    References:
        Zhang et al., 2024, REAL, arXiv:2409.17169; the recipe of `hh_pair_selection.py`: real-methods(7), section 1(b).
    """
    model, tokenizer = _load(name, path, place)
    tokenizer.truncation_side = "right"  # as in the reference code, whatever the tokenizer does to prompts
    num_layers = model.config.get_text_config().num_hidden_layers
    if not -num_layers - 1 <= layer <= num_layers:
        raise UsageError(f"--layer {layer}: the model has {num_layers}; give 0 to {num_layers}, or -1 for the last")
    return TransformerEncoder(
        model, tokenizer, place, max_length=max_length or MAX_LENGTH, pool=POOLINGS[pooling.value], layer=layer
    )


def _load_sentence(name: str, path: str, place: Place, max_length: int | None) -> TransformerEncoder | None:
    """Load a sentence-transformers model that is a transformer and a pooling; None if there is more to it."""
    recipe = read_recipe(path)
    if recipe is None:
        return None
    model, tokenizer = _load(name, path, place)
    if tokenizer.chat_template or model.config.is_encoder_decoder:
        return None  # the library may wrap texts in a chat template, and runs half of an encoder-decoder
    longest = recipe.max_length or min(
        tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None) or MAX_LENGTH
    )
    return TransformerEncoder(
        model,
        tokenizer,
        place,
        max_length=min(max_length or longest, longest),
        pool=POOLINGS[recipe.pooling],
        normalize=recipe.normalize,
    )


def _load(name: str, path: str, place: Place) -> tuple[Any, Any]:
    if is_adapter(path):
        whole, tokenizer = load_causal(name, path, dtype=stored_dtype(place))
        model = whole.base_model
    else:
        tokenizer = load_tokenizer(name, path)
        model = load_model(name, path, "AutoModel", needless=POOLERS, dtype=stored_dtype(place))
        check_vocabulary_fits(name, model, tokenizer)
    return model.to(place.device).eval(), tokenizer


def is_causal(name: str, path: str) -> bool:
    """Tell a plain causal language model, by its config's class, from a sentence-transformers model."""
    if is_adapter(path):
        return True
    if Path(settings_folder(name, path), "modules.json").is_file():
        return False
    architectures = load_config(name, path).architectures or []
    return any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in architectures)
