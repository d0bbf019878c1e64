"""How many tokens a question has: counted by its model's tokenizer where that is here, else estimated."""

import re
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from real_cli.errors import ModelError
from real_cli.records.messages import plain_text
from real_cli.records.questions import Question, Rendered

RULE = (
    "input tokens are estimated: one for 4.5 letters and the spaces between them (5.5 to 2.2), for 1.6 digits or signs "
    "(3 to 1), for 1.5 characters of other scripts (5, to one a byte)"
)
# Characters a token. Measured on prose, code, tables and eleven languages with the tokenizers of GPT-3.5, GPT-4o,
# Llama 3, Qwen 3 and SmolLM2: each sum lies within its range.
WORDS = re.compile(r"[ \n]?[A-Za-z]+")
ASCII = re.compile(r"[\x00-\x7f]+")
BLANKS = re.compile(r"[ \t]{2,}")  # an indentation is one token to most
LETTERS_A_TOKEN = (5.5, 4.5, 2.2)
SIGNS_A_TOKEN = (3.0, 1.6, 1.0)
OTHERS_A_TOKEN = (5.0, 1.5)
# Marks of the chat format around a message, and around a call: some templates bring a system message of their own.
MESSAGE_MARKS = (3, 4, 10)
CALL_MARKS = (0, 3, 64)


class TokenRange(NamedTuple):
    """A number of tokens: the fewest, the likeliest, the most."""

    low: float = 0
    value: float = 0
    high: float = 0

    def plus(self, other: "TokenRange", times: float = 1) -> "TokenRange":
        """Add another, several times.

        >>> TokenRange(1, 2, 3).plus(TokenRange(1, 1, 1), 2)
        TokenRange(low=3, value=4, high=5)
        """
        return TokenRange(*(mine + times * its for mine, its in zip(self, other, strict=True)))


class TokenCounter(Protocol):
    """Says how many tokens a question has."""

    rule: str

    def __call__(self, question: Question) -> TokenRange:
        """Count or estimate."""


def estimate_tokens(text: str) -> TokenRange:
    """Estimate the tokens of a text by its characters.

    >>> estimate_tokens("Which of the two responses is better?")
    TokenRange(low=7, value=9, high=17)
    """
    letters, num_ascii = (sum(map(len, pattern.findall(text))) for pattern in (WORDS, ASCII))
    num_more = len(text) - len(BLANKS.sub(" ", text))
    signs = (num_ascii - letters - num_more,) * 2 + (num_ascii - letters,)
    others = len(text) - num_ascii
    num_bytes = len(text.encode("utf-8", "surrogatepass")) - num_ascii
    low, value, high = (
        letters / of_letters + count / of_signs
        for of_letters, count, of_signs in zip(LETTERS_A_TOKEN, signs, SIGNS_A_TOKEN, strict=True)
    )
    return TokenRange(
        round(low + others / OTHERS_A_TOKEN[0]), round(value + others / OTHERS_A_TOKEN[1]), round(high + num_bytes)
    )


class EstimatedTokens:
    """Estimates tokens by characters, for models whose tokenizer is elsewhere."""

    rule = RULE

    def __call__(self, question: Question) -> TokenRange:
        """Estimate the tokens of the messages, their marks and, at most, the schema."""
        text = question.messages
        messages = [text] if isinstance(text, str) else [plain_text([message]) for message in text]
        total = TokenRange(*CALL_MARKS)
        for message in messages:
            total = total.plus(estimate_tokens(message)).plus(TokenRange(*MESSAGE_MARKS))
        if question.schema is not None:  # some servers show it to the model
            total = total._replace(high=total.high + estimate_tokens(orjson.dumps(question.schema).decode()).high)
        return total


class CountedTokens:
    """Counts tokens by a tokenizer and chat template on this machine."""

    rule = "input tokens are counted by the model's own tokenizer"

    def __init__(self, model: str, path: str, *, is_served: bool) -> None:
        from real_cli.models.load.loading import load_tokenizer
        from real_cli.models.score.render import Renderer

        tokenizer = load_tokenizer(model, path)
        if not tokenizer.chat_template and is_served:
            raise ModelError(f"model '{model}': it has no chat template")
        self._model, self._is_served = model, is_served
        self._has_template = bool(tokenizer.chat_template)
        self._renderer = Renderer(tokenizer)

    def __call__(self, question: Question) -> TokenRange:
        """Count the tokens of a question as the model is given it."""
        text = question.messages
        if isinstance(text, Rendered):
            ids = self._renderer.ids(text)
        elif isinstance(text, str) and not self._is_served:
            ids = self._renderer.plain_ids(text)
        elif not self._has_template:
            raise ModelError(
                f"model '{self._model}': it has no chat template; a model that answers questions is needed"
            )
        else:
            messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
            ids = self._renderer.prompt_ids(question.template or {}, messages)
        return TokenRange(len(ids), len(ids), len(ids))


def choose_counter(model: str, *, is_local: bool) -> TokenCounter:
    """Choose how to count: by the model's tokenizer if it is at hand; a server's model is looked for in no network."""
    from real_cli.models.load.resolve import SHORT_NAMES, resolve_model

    if is_local:
        return CountedTokens(model, resolve_model(model), is_served=False)
    path = Path(model)
    if model in SHORT_NAMES or path.is_dir() or path.is_file():
        source: str | None = model
    else:
        source = _settings_in_cache(model) if model.count("/") == 1 else None
    try:
        return EstimatedTokens() if source is None else CountedTokens(model, resolve_model(source), is_served=True)
    except ModelError:
        return EstimatedTokens()


def _settings_in_cache(model: str) -> str | None:
    from real_cli.models.load.hub import settings_at_hand

    return settings_at_hand(model)
