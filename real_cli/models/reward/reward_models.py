"""Load a sequence classifier, and read its logits."""

import statistics
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch

from real_cli.errors import ModelError, UsageError
from real_cli.models.load.device import Place, choose_place
from real_cli.models.load.folder_check import check_settings, read_config
from real_cli.models.load.loaded_checks import check_vocabulary_fits
from real_cli.models.load.loading import load_model, load_tokenizer, loading
from real_cli.models.load.resolve import resolve_model
from real_cli.models.reward.reward_texts import RewardInput
from real_cli.records.choices import Precision

# In the configuration of what `real train-reward` wrote: how many of its labels are heads that score the same.
HEADS_FIELD = "reward_heads"
UNTRAINED = "is no trained sequence classifier, its weights lack"


class HeadsScore(float):
    """The mean of what several heads say of a sequence; `std` is their sample standard deviation."""

    std: float

    def __new__(cls, mean: float, std: float) -> Self:
        """Make a score of both."""
        score = super().__new__(cls, mean)
        score.std = std
        return score

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]  # a float has one
        """Return what a copy is made of."""
        return float(self), self.std

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Sum the heads up.

        >>> score = HeadsScore.of([1.0, 2.0, 3.0])
        >>> float(score), score.std
        (2.0, 1.0)
        """
        mean = statistics.fmean(values)
        return cls(mean, (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5)


class RewardModel(NamedTuple):
    """A sequence classifier.

    Attributes:
        model: The classifier.
        tokenizer: Its tokenizer.
        place: Where it runs.
        label: Which of its labels is the score; None for the mean of all, which are heads of an ensemble.
        max_length: Most tokens it reads.
        pad_token_id: The padding token of its configuration; None if it has none that could be embedded.
    """

    model: Any
    tokenizer: Any
    place: Place
    label: int | None
    max_length: int
    pad_token_id: int | None

    def logits(self, batch: Sequence[RewardInput]) -> list[float]:
        """Score one batch; each sequence gets the score that it gets alone."""
        device, pad = self.place.device, self._pad(batch)
        if pad is None:
            middle = len(batch) // 2
            return self.logits(batch[:middle]) + self.logits(batch[middle:])
        width = max(len(tokens.ids) for tokens in batch)
        ids = torch.tensor([[*tokens.ids, *[pad] * (width - len(tokens.ids))] for tokens in batch], device=device)
        lengths = torch.tensor([len(tokens.ids) for tokens in batch], device=device)
        read = {"input_ids": ids, "attention_mask": (torch.arange(width, device=device) < lengths[:, None]).long()}
        parameters = signature(self.model.forward).parameters
        if batch[0].types and "token_type_ids" in parameters:
            rows = [[*tokens.types, *[0] * (width - len(tokens.types))] for tokens in batch]
            read["token_type_ids"] = torch.tensor(rows, device=device)
        settings = {"use_cache": False} if "use_cache" in parameters else {}
        with torch.inference_mode():
            logits = self.model(**read, **settings).logits
        if self.label is None:
            return [HeadsScore.of(values) for values in logits.float().cpu().tolist()]
        scores: list[float] = logits[:, self.label].float().cpu().tolist()
        return scores

    def _pad(self, batch: Sequence[RewardInput]) -> int | None:
        """Choose the token that pads rows; None if the batch has to be split for lack of one.

        A causal classifier reads its score off the last token that is not the configured padding token. Without
        such a token it takes one sequence at a time, read at its end; so is each of a batch if none ends in the
        token chosen here.
        """
        if self.pad_token_id is not None:
            return self.pad_token_id
        ends = {tokens.ids[-1] for tokens in batch}
        size = self.model.get_input_embeddings().num_embeddings
        chosen = next((token for token in range(size) if token not in ends), None)
        self.model.config.get_text_config().pad_token_id = chosen
        return chosen


def load_reward_model(
    name: str,
    *,
    device: str = "auto",
    precision: Precision = Precision.auto,
    max_length: int | None = None,
    label: int | None = None,
) -> RewardModel:
    """Load a reward model by name."""
    path = resolve_model(name)
    place = choose_place(device, precision)
    model, tokenizer = _load(name, path, place)
    limit = own_limit(path, model, tokenizer)
    pad = model.config.get_text_config().pad_token_id
    if pad is not None and not 0 <= pad < model.get_input_embeddings().num_embeddings:
        pad = None
    return RewardModel(
        model, tokenizer, place, _choose_label(name, model.config, label), min(max_length or limit, limit), pad
    )


def _load(name: str, path: str, place: Place) -> tuple[Any, Any]:
    if (Path(path) / "adapter_config.json").is_file():
        raise ModelError(f"model '{name}': is a LoRA adapter; merge it into its base model first")
    check_settings(name, path)
    with loading(name):
        _check_modules(name, path)
    tokenizer = load_tokenizer(name, path)
    model = load_model(name, path, "AutoModelForSequenceClassification", problem=UNTRAINED, dtype=place.dtype)
    check_vocabulary_fits(name, model, tokenizer)
    check_is_fast(name, tokenizer)
    return model.to(place.device).eval(), tokenizer


def check_is_fast(name: str, tokenizer: Any) -> None:
    """Refuse a tokenizer by which nobody knows where a prompt ends."""
    if not tokenizer.is_fast:
        raise ModelError(f"model '{name}': its slow tokenizer cannot tell which text a token is from; give another")


def _check_modules(name: str, path: str) -> None:
    """Refuse a CrossEncoder whose score more than the classifier makes, and what is no CrossEncoder."""
    modules = read_config(path, "modules.json")
    if modules is None:
        return
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    whole = read_config(path, "config_sentence_transformers.json") or {}
    if kinds != ["Transformer"] or whole.get("default_prompt_name") is not None:
        raise ModelError(
            f"model '{name}': sentence-transformers adds to it ({', '.join(kinds)}"
            f"{', a default prompt' if whole.get('default_prompt_name') else ''}); give a plain sequence classifier"
        )


def own_limit(path: str, model: Any, tokenizer: Any) -> int:
    """Return the most tokens that a model reads, by its tokenizer, its positions and its CrossEncoder folder."""
    config = model.config.get_text_config()
    set_limit = (read_config(path, "sentence_bert_config.json") or {}).get("max_seq_length")
    limits = [
        tokenizer.model_max_length,
        getattr(config, "max_position_embeddings", None),
        _positions(model),
        set_limit,
    ]
    return int(min(limit for limit in limits if isinstance(limit, int | float) and limit > 0))


def _positions(model: Any) -> int | None:
    """Count the positions of a RoBERTa-like model, which begin behind the padding token's id."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(module.num_embeddings - module.padding_idx - 1)
    return None


def _choose_label(name: str, config: Any, label: int | None) -> int | None:
    if label is None and config.num_labels == 1:
        return 0
    if label is None and getattr(config, HEADS_FIELD, None) == config.num_labels:
        return None
    if label is None or not 0 <= label < config.num_labels:
        names = ", ".join(f"{number} {config.id2label.get(number, '')}".strip() for number in range(config.num_labels))
        asked = f"model '{name}' has several labels" if label is None else f"--label {label}: is no label of the model"
        raise UsageError(f"{asked}; say with --label which is the score: {names}")
    return label
