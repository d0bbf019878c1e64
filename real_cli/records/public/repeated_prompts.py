"""A prompt that its responses repeat: taken off if all do, reported if some do."""

import re
from collections.abc import Callable
from os.path import commonprefix
from typing import Any, NamedTuple

from real_cli.errors import RecordError
from real_cli.records.messages import is_conversation, plain_text
from real_cli.records.record import STALE_FIELDS, Record

ASSISTANT_MARK = "\n\nAssistant:"
HUMAN_MARK = "\n\nHuman:"
TAKEN_OFF = "with the prompt in every response again, taken off"
IN_HALF = "with the prompt in a part of the responses, or nearly"
ASKING_ROLES = ("user", "system", "developer")
# Labels that people write in front of a prompt.
LABEL = re.compile(r"\s*(?:#+ *)?(?:human|user|question|q|instruction|prompt|input) ?: *\s*", re.IGNORECASE)
# Scripts without blanks between words, from the radicals on.
CJK = re.compile(r"[\u2e80-\ud7ff]")
CJK_WORDS = 6  # characters, as much as two words


class Repeat(NamedTuple):
    """A record without the repetition, and a note on it, empty if there is none."""

    record: Record
    note: str = ""


def take_off_prompt(record: Record) -> Repeat:
    """Take the prompt off responses that all begin with it; IN_HALF notes that only some do, or nearly.

    Two words at least, since a greeting is often answered by the same one. What `real pair` chose stays: there a
    model has said the prompt again.

    >>> take_off_prompt({"prompt": "Name a bird.", "chosen": "Name a bird. Jay.", "rejected": "Name a bird. Fox."})
    Repeat(record={'prompt': 'Name a bird.', 'chosen': ' Jay.', 'rejected': ' Fox.'}, \
note='with the prompt in every response again, taken off')
        >>> take_off_prompt({"prompt": "Name a bird.", "chosen": "Name a bird. Jay.", "rejected": "Fox."}).note
        'with the prompt in a part of the responses, or nearly'
    """
    prompt = record["prompt"]
    if "strategy" in record or not prompt:
        return Repeat(record)
    take = _from_text if isinstance(prompt, str) else _from_messages
    if "responses" in record:
        responses = record["responses"]
        first = responses[0]["text"] if len(responses) > 1 else ""
        if isinstance(first, str) and isinstance(prompt, str) and not first.startswith(prompt):
            return Repeat(record)
        texts = [response["text"] for response in responses]
        if len(texts) < 2 or not all(type(text) is type(prompt) for text in texts):
            return Repeat(record)
        taken = take(prompt, texts)
        if not isinstance(taken, tuple):
            return Repeat(record)  # a model may say the prompt again
        bare = [response | {"text": text} for response, text in zip(responses, taken[1], strict=True)]
        return Repeat(record | {"prompt": taken[0], "responses": bare}, TAKEN_OFF)
    return _from_pair(record, take)


def _from_pair(record: Record, take: Callable[[Any, list[Any]], Any]) -> Repeat:
    prompt, texts = record["prompt"], [record["chosen"], record["rejected"]]
    taken = (isinstance(prompt, str) and _from_transcripts(prompt, texts)) or take(prompt, texts)
    if taken is None:
        return Repeat(record)
    return Repeat(record, IN_HALF) if taken is False else _taken(record, *taken)


def _taken(record: Record, prompt: Any, texts: list[Any]) -> Repeat:
    bare = {field: value for field, value in record.items() if field not in STALE_FIELDS}
    return Repeat(bare | {"prompt": prompt, "chosen": texts[0], "rejected": texts[1]}, TAKEN_OFF)


def refuse_half(note: str) -> None:
    """Refuse a record whose prompt only some of its responses repeat."""
    if note == IN_HALF:
        raise RecordError(
            "one of 'chosen' and 'rejected' begins with the prompt again, or both do with other blanks or messages; "
            "take the prompt off both, or leave out the record"
        )


def _from_text(prompt: str, texts: list[str]) -> Any:
    """Return the prompt and the bare texts; False where only some repeat it, or nearly; None where none does."""
    if all(map(str.startswith, texts, [prompt] * len(texts))) and _is_repeat(prompt, texts):
        return prompt, [text[len(prompt) :] for text in texts]
    first = prompt.split(None, 1)[:1]
    rests = [text.lstrip() for text in texts]
    # Looking for the colon is faster than the pattern, and most texts have none.
    rests += [text[label.end() :] for text in texts if ":" in text and (label := LABEL.match(text))]
    if not first or not any(rest.startswith(first[0]) for rest in rests):
        return None
    squeezed = " ".join(prompt.split())
    near = [" ".join(rest.split()) for rest in rests]
    return False if any(text.startswith(squeezed) and _is_repeat(squeezed, [text]) for text in near) else None


def _is_repeat(prompt: str, texts: list[str]) -> bool:
    if len(prompt.split(None, 1)) < 2 and not prompt.rstrip().endswith("?") and len(CJK.findall(prompt)) < CJK_WORDS:
        return False
    closed = not prompt[-1].isalnum()
    return closed or all(len(text) == len(prompt) or text[len(prompt)].isspace() for text in texts)


def _from_transcripts(prompt: str, texts: list[str]) -> tuple[str, list[str]] | None:
    """Read a plain prompt inside HH transcripts: the transcript's stays, since it was answered."""
    if not prompt.strip() or ASSISTANT_MARK in prompt or not all(text.startswith(HUMAN_MARK) for text in texts):
        return None
    shared = commonprefix(texts)
    end = shared.rfind(ASSISTANT_MARK) + len(ASSISTANT_MARK)
    if ASSISTANT_MARK not in shared or " ".join(prompt.split()) not in " ".join(shared[:end].split()):
        return None
    return shared[:end], [text[end:] for text in texts]


def _from_contents(prompt: list[Record], texts: list[list[Record]]) -> Any:
    """Look for the prompt's words in one-message answers: the user's last ones, or all of them in a row."""
    contents = [turn.get("content") for turn in prompt]
    answers = [text[0].get("content") for text in texts]
    if not all(isinstance(content, str) for content in (*contents, *answers)):
        return None
    asked: list[Any] = contents[-1:] if prompt[-1]["role"] in ("user", "assistant") else []
    openings = asked + [joint.join(contents) for joint in (" ", "\n", "\n\n") if len(contents) > 1]  # type: ignore[arg-type]
    outcomes = [_from_text(opening, answers) for opening in openings]  # type: ignore[arg-type]
    taken = next((outcome for outcome in outcomes if outcome), None)
    if taken:
        return prompt, [[text[0] | {"content": rest}] for text, rest in zip(texts, taken[1], strict=True)]
    return False if False in outcomes else None


def _from_messages(prompt: list[Record], texts: list[list[Record]]) -> Any:
    if all(len(text) == 1 and text[0]["role"] == "assistant" for text in texts):
        return _from_contents(prompt, texts)
    if not any(text[0]["role"] in ASKING_ROLES or text[0] == prompt[0] for text in texts):
        return None
    asked = [turn for turn in prompt if turn["role"] not in ASKING_ROLES[1:]]
    for opening in (prompt, asked):
        if opening and all(text[: len(opening)] == opening for text in texts):
            return _rests(prompt, texts, len(opening))
    size = len(prompt) + 1
    openings = [text[:size] for text in texts]
    first = openings[0]
    if first[0]["role"] in ASKING_ROLES[1:] and first[1:] == prompt and all(text == first for text in openings):
        return _rests(first, texts, size)
    return False if prompt[-1]["role"] == "user" or any(_begins_like(prompt, text) for text in texts) else None


def _rests(prompt: list[Record], texts: list[list[Record]], size: int) -> Any:
    """Cut off the repetition; a response that is nothing else cannot be told from its prompt."""
    rests = [text[size:] for text in texts]
    if not all(rests):
        return False
    if len(prompt) > 1 and all(turn["role"] == "assistant" for turn in (prompt[-1], *(rest[0] for rest in rests))):
        # Two assistant messages, both in the responses: the first does not begin the second.
        return prompt[:-1], [[prompt[-1], *rest] for rest in rests]
    return prompt, rests


def _begins_like(prompt: list[Record], text: list[Record]) -> bool:
    return is_conversation(text) and plain_text([text[0]]).split() == plain_text([prompt[0]]).split()
