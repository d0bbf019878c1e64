"""How a reward model reads a prompt and its responses: by its chat template, as a text pair, or by a user's template.

A sequence that is too long loses its beginning: the prompt's first tokens, then those of the longest response. A causal
reward model reads its score off the last token, so the end has to stay.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from real_cli.errors import RecordError, UsageError, clip
from real_cli.models.score.render import Renderer
from real_cli.records.messages import Text, is_conversation, plain_text
from real_cli.records.prefills import begin_answers
from real_cli.records.record import Record

# Whose a token is. What is nobody's always stays; the responses of a sequence are 1, 2, ...
NOBODY, PROMPT = -1, 0
HOLES = ("{prompt}", "{response_a}", "{response_b}")
PLAIN_TEMPLATE = "{prompt}\n\nResponse A: {response_a}\n\nResponse B: {response_b}"


class RewardInput(NamedTuple):
    """A sequence that a reward model gives one number.

    Attributes:
        ids: Token ids.
        types: Token types; empty if the tokenizer makes none.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]


class Draft(NamedTuple):
    """A sequence before it is cut; its tokens' owners are worked out only if some have to go."""

    ids: list[int]
    types: list[int]
    owners: Callable[[], list[int]]


Writer: TypeAlias = Callable[[Record, Sequence[Text]], Draft]


def conversation_writer(tokenizer: Any) -> Writer:
    """Return a writer by the chat template; plain texts become a user's and an assistant's message."""
    renderer = Renderer(tokenizer)

    def write(record: Record, texts: Sequence[Text]) -> Draft:
        prompt = _messages(record["prompt"], "user")
        ids = renderer.whole_ids(record, [*prompt, *_messages(texts[0], "assistant")])

        def owners() -> list[int]:
            opened = renderer.prompt_ids(record, prompt)
            marks = [PROMPT if place < len(opened) else 1 for place in range(len(ids))]
            return [NOBODY, *marks[1:]] if ids[0] == tokenizer.bos_token_id else marks

        return Draft(ids, [], owners)

    return write


def pair_writer(tokenizer: Any) -> Writer:
    """Return a writer that gives the tokenizer prompt and response as a text pair."""

    def write(record: Record, texts: Sequence[Text]) -> Draft:
        encoded = tokenizer(plain_text(record["prompt"]), plain_text(texts[0]), verbose=False)
        parts = encoded.sequence_ids(0)
        return Draft(
            encoded["input_ids"],
            encoded.get("token_type_ids", []),
            lambda: [NOBODY if part is None else part for part in parts],
        )

    return write


def template_writer(tokenizer: Any, template: str | None) -> Writer:
    """Return a writer that puts a prompt and two responses into one text."""
    separator = tokenizer.sep_token
    chosen = template or (separator.join(HOLES) if separator else PLAIN_TEMPLATE)
    pieces = re.split("|".join(f"({re.escape(hole)})" for hole in HOLES), chosen)

    def write(record: Record, texts: Sequence[Text]) -> Draft:
        words = dict(zip(HOLES, map(plain_text, (record["prompt"], *texts)), strict=True))
        text, spans = "", []
        for piece in filter(None, pieces):
            if piece in words:  # one pass: a hole's name in a user's text stays
                spans.append((len(text), len(text) + len(words[piece]), HOLES.index(piece)))
            text += words.get(piece, piece)
        encoded = tokenizer(text, return_offsets_mapping=True, verbose=False)
        offsets = encoded["offset_mapping"]

        def owners() -> list[int]:
            return [_owner(start, end, spans) for start, end in offsets]

        return Draft(encoded["input_ids"], encoded.get("token_type_ids", []), owners)

    return write


def check_template(template: str | None) -> None:
    """Check that a template has its three holes."""
    if template is not None and any(template.count(hole) != 1 for hole in HOLES):
        raise UsageError(f"--template {clip(template)}: write {', '.join(HOLES)} once each")


def _messages(text: Text, role: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": text}] if isinstance(text, str) else text


def _owner(start: int, end: int, spans: list[tuple[int, int, int]]) -> int:
    for first, last, owner in spans:
        if first <= start < end <= last:
            return owner
    return NOBODY


def places_to_keep(owners: Sequence[int], limit: int) -> list[int]:
    """Choose which tokens of a sequence stay where it is too long: beginnings go, the prompt's first.

    >>> places_to_keep([-1, 0, 0, 1, 1, 1, -1], 5)
    [0, 3, 4, 5, 6]
    >>> places_to_keep([-1, 0, 0, 1, 1, 2, -1], 4)
    [0, 4, 5, 6]
    """
    by_owner: dict[int, deque[int]] = {PROMPT: deque()}
    for place, owner in enumerate(owners):
        by_owner.setdefault(owner, deque()).append(place)
    fixed = by_owner.pop(NOBODY, deque())
    if len(fixed) >= limit:
        raise UsageError(f"--max-length {limit}: {len(fixed)} tokens are not the prompt's or a response's; give more")
    for _ in range(len(owners) - limit):
        (by_owner[PROMPT] or max(by_owner.values(), key=len)).popleft()
    return sorted([*fixed, *(place for places in by_owner.values() for place in places)])


class RewardReader:
    """Turn records into what a reward model reads, and count what was changed on the way.

    Attributes:
        num_cut: Sequences that lost the beginning of their prompt.
        num_responses_cut: Of these, those that lost the beginning of a response too.
        num_flattened: Records whose conversation of several messages was read without their roles.
    """

    def __init__(self, write: Writer, limit: int, *, keeps_roles: bool) -> None:
        self.limit = limit
        self.num_cut = self.num_responses_cut = self.num_flattened = 0
        self._write = write
        self._keeps_roles = keeps_roles

    def __call__(self, record: Record, readings: Sequence[Sequence[Text]]) -> list[RewardInput]:
        """Read one record."""
        texts = [record["prompt"], *(text for reading in readings for text in reading)]
        if not self._keeps_roles:
            self.num_flattened += any(is_conversation(text) and len(text) > 1 for text in texts)
        begun = [begin_answers(record["prompt"], reading) for reading in readings]
        return [self._fitted(self._write(record | {"prompt": prompt}, answers)) for prompt, answers in begun]

    def _fitted(self, draft: Draft) -> RewardInput:
        if not draft.ids:
            raise RecordError("the reward model's tokenizer makes no token of prompt and response; they need a word")
        if len(draft.ids) <= self.limit:
            return RewardInput(tuple(draft.ids), tuple(draft.types))
        owners = draft.owners()
        kept = places_to_keep(owners, self.limit)
        self.num_cut += 1
        self.num_responses_cut += len(draft.ids) - self.limit > owners.count(PROMPT)
        return RewardInput(
            tuple(draft.ids[place] for place in kept), tuple(draft.types[place] for place in kept if draft.types)
        )

    def sentence(self) -> str:
        """Tell what was changed, in one line."""
        parts = []
        if self.num_cut:
            parts.append(f"{self.num_cut:,} cut to {self.limit:,} tokens, at the prompt's beginning")
        if self.num_responses_cut:
            parts.append(f"{self.num_responses_cut:,} of them at a response's too")
        if self.num_flattened:
            parts.append(f"{self.num_flattened:,} conversations read without their roles")
        return "; ".join(parts)


def pointwise_reader(tokenizer: Any, limit: int, *, chat_template: bool = True) -> RewardReader:
    """Choose how a model that scores one response reads it: by the chat template if there is one, or as a text pair."""
    if chat_template and tokenizer.chat_template:
        return RewardReader(conversation_writer(tokenizer), limit, keeps_roles=True)
    return RewardReader(pair_writer(tokenizer), limit, keeps_roles=False)
