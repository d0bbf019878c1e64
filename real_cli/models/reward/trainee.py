"""Load a reward model to train: a sequence classifier, or a language model with a new head."""

from typing import Any

import torch

from real_cli.errors import ModelError, UsageError
from real_cli.models.load.loaded_checks import check_vocabulary_fits, num_embeddings
from real_cli.models.load.loading import load_config, load_model, load_tokenizer, loading
from real_cli.models.load.policies import Policy, attention_settings, training_place
from real_cli.models.load.resolve import resolve_model
from real_cli.models.reward.reward_models import HEADS_FIELD, check_is_fast
from real_cli.records.choices import Attention, Precision
from real_cli.text.phrases import say_count

# What transformers' classifiers have on top of the model that they share with others.
HEAD_TENSORS = ("score.", "classifier.", "pre_classifier.", "head.", "pooler.", "bert.pooler.")


def load_reward_trainee(
    name: str,
    *,
    num_heads: int = 1,
    seed: int = 42,
    device: str = "auto",
    precision: Precision = Precision.auto,
    attention: Attention = Attention.auto,
) -> tuple[Policy, str]:
    """Load a classifier of so many labels to train, and say whose its head is; a new one depends on the seed alone."""
    path = resolve_model(name)
    place = training_place(device, precision)
    settings: dict[str, Any] = {
        "dtype": torch.float32 if precision is Precision.auto else place.dtype,
        "num_labels": num_heads,
        **attention_settings(attention, place),
    }
    has_head = _has_head(name, path, num_heads)
    tokenizer = load_tokenizer(name, path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = load_model(
            name, path, "AutoModelForSequenceClassification", needless=() if has_head else HEAD_TENSORS, **settings
        )
    check_vocabulary_fits(name, model, tokenizer)
    check_is_fast(name, tokenizer)
    _settle_padding(name, model, tokenizer)
    setattr(model.config, HEADS_FIELD, num_heads)
    with loading(name):
        model = model.to(place.device)
    head = "its head" if has_head else "a new head" if num_heads == 1 else say_count(num_heads, "new head")
    return Policy(model, tokenizer, place, path), head


def _has_head(name: str, path: str, num_heads: int) -> bool:
    """Tell whether a model is a classifier already; UsageError if it has another number of labels."""
    config = load_config(name, path)
    if not any(str(kind).endswith("ForSequenceClassification") for kind in config.architectures or ()):
        return False
    if config.num_labels != num_heads:
        have = say_count(config.num_labels, "label")
        same = f"--ensemble {config.num_labels}" if config.num_labels > 1 else "leave --ensemble out"
        raise UsageError(
            f"--model {name}: is a classifier of {have}, and {say_count(num_heads, 'head')} would be trained; {same}, "
            "or name the model it was made from"
        )
    return True


def _settle_padding(name: str, model: Any, tokenizer: Any) -> None:
    """Have model and tokenizer agree on a padding token: a classifier reads the last token that is none."""
    size = num_embeddings(model)
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id >= size:
        if tokenizer.eos_token_id is None or tokenizer.eos_token_id >= size:
            raise ModelError(f"model '{name}': its tokenizer has neither a padding nor an end token; give another")
        tokenizer.pad_token = tokenizer.eos_token
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
