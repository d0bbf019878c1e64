"""Where a tokenizer's chat template puts a user's words."""

from typing import Any

from real_cli.errors import ModelError, RecordError, clip
from real_cli.models.load.loading import load_tokenizer
from real_cli.models.load.rendering import within_limits
from real_cli.models.load.resolve import resolve_model
from real_cli.sample.magpie import SENTINEL, read_template
from real_cli.sample.responses import PreQuery


def find_pre_query(name: str, system: str | None) -> PreQuery:
    """Find what a chat template puts before a user's words, and what ends them.

    `system` is a system message to stand before; None leaves none, or the template's.
    """
    tokenizer = load_tokenizer(name, resolve_model(name))
    if not tokenizer.chat_template:
        raise ModelError(f"model '{name}': it has no chat template; --pre-query needs one")
    try:
        turn, with_header = (_rendered(tokenizer, system, header=header) for header in (False, True))
        pre_query = read_template(turn, with_header, tokenizer.all_special_tokens)
    except Exception as error:  # templates raise anything
        raise ModelError(f"model '{name}': --pre-query cannot be used with it: {clip(str(error), 200)}") from None
    return pre_query._replace(system=system)


def _rendered(tokenizer: Any, system: str | None, *, header: bool) -> str:
    before = [] if system is None else [{"role": "system", "content": system}]
    messages = [*before, {"role": "user", "content": SENTINEL}]
    with within_limits():
        rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=header)
    if not isinstance(rendered, str):
        raise RecordError("its chat template makes no text")
    return rendered
