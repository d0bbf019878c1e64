"""What a user did with a reply, read off the fields of a message or of a trace: thumbs, edits, copies."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from real_cli.errors import RecordError, clip
from real_cli.records.record import Record

VOTE_FIELDS = ("feedback", "feedbacks", "rating", "vote", "annotation", "thumb", "thumbs", "liked", "scores")
EDIT_FIELDS = (
    *("edited", "edited_content", "edited_text", "edited_response", "edited_output", "editedContent", "edits"),
    *("correction", "corrected", "corrected_content", "corrected_response", "corrected_output"),
)
ORIGINAL_FIELDS = (
    *("original_content", "originalContent", "original_text", "original_response", "original_output", "original"),
)
COPY_FIELDS = ("copied", "copies", "copy_count", "copyCount")
ACT_FIELDS = (*VOTE_FIELDS, *EDIT_FIELDS, *ORIGINAL_FIELDS, *COPY_FIELDS)
# Names of scores that are a user's thumbs; of others an evaluator may have given them.
KEYS = (
    *("feedback", "user_feedback", "user_score", "user_rating", "user_thumbs", "thumbs", "thumb", "thumbs_up"),
    *("rating", "vote", "like"),
)
# Of an entry: its name, what it holds, and what kind of event it is.
NAME_FIELDS = ("key", "name")
HELD_FIELDS = ("rating", "vote", "score", "value", "thumb", "thumbs", "liked")
KIND_FIELDS = ("type", "event", "action", "kind")
TEXT_FIELDS = ("text", "content", "edited", "correction", "value", "new")
UP_WORDS = frozenset(
    {"up", "thumbsup", "thumbup", "like", "liked", "upvote", "upvoted", "positive", "good", "+1", "1", "true"}
)
DOWN_WORDS = frozenset(
    {"down", "thumbsdown", "thumbdown", "dislike", "disliked", "downvote", "downvoted", "negative", "bad", "1-"}
    | {"false"}
)
NO_WORDS = frozenset({"", "none", "null", "neutral"})
COPY_WORDS = frozenset({"copy", "copied"})
EDIT_WORDS = frozenset({"edit", "edited", "correction", "corrected"})
REGENERATE_WORDS = frozenset({"regenerate", "regenerated", "regeneration", "retry", "rerun"})


@dataclass
class Acts:
    """What was done with a message.

    Attributes:
        up: Whether it has a thumb up.
        down: Whether it has a thumb down.
        copied: Whether it was copied.
        regenerated: Whether another reply was asked for in its place.
        edited: What a user made of it, the last edit of several.
        original: What it was before an edit, where the message holds what the user made of it.
        lacks_text: Whether it is marked as edited and only one of the two texts is there.
        num_unread: Feedback that is no thumb, edit or copy: a comment, say.
        num_others: Scores whose names are not those of thumbs.
    """

    up: bool = False
    down: bool = False
    copied: bool = False
    regenerated: bool = False
    edited: str | None = None
    original: str | None = None
    lacks_text: bool = False
    num_unread: int = 0
    num_others: int = 0

    @property
    def is_edit(self) -> bool:
        """Whether a user rewrote the message, and both texts are there."""
        return self.edited is not None or self.original is not None

    @property
    def any(self) -> bool:
        """Whether anything was done."""
        return self.up or self.down or self.copied or self.regenerated or self.is_edit

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to count either."""
        return self == Acts()

    def join(self, other: "Acts") -> None:
        """Take what else was done with the message; of texts the later ones."""
        for name, value in vars(other).items():
            before = getattr(self, name)
            if isinstance(value, int):  # marks, and counts
                setattr(self, name, type(value)(before + value))
            elif value is not None:
                setattr(self, name, value)

    def vote(self, is_up: bool | None) -> None:
        """Count a thumb; None is none."""
        self.up |= is_up is True
        self.down |= is_up is False

    def edit(self, text: object, where: str) -> None:
        """Take a user's text; a mere mark is noted, and settled once all fields are read."""
        if isinstance(text, bool) or text is None or text == "":  # a cell of a table may be empty
            self.lacks_text |= bool(text)
        elif isinstance(text, str):
            self.edited = text
        else:
            raise RecordError(f"{where} is {clip(text)}; the edited text, a string, is needed")


class ActReader:
    """Read what was done with messages; scores count as thumbs by their names.

    >>> ActReader(KEYS)([{"rating": "thumbsUp"}], "message 2").up
    True
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = {_word(key) for key in keys}

    def __call__(self, holders: list[Record], where: str) -> Acts:
        """Read every field that may hold feedback, in each of several objects."""
        acts = Acts()
        for holder in holders:
            for field in VOTE_FIELDS:
                for entry in _entries(holder.get(field)):
                    self._read_entry(acts, entry, f"{where}: '{field}'", f"{where}: ")
            self._read_texts(acts, holder, where)
        if acts.is_edit:
            acts.lacks_text = False
        return acts

    def _read_texts(self, acts: Acts, holder: Record, where: str) -> None:
        for field in EDIT_FIELDS:
            for text in _entries(holder.get(field)):
                acts.edit(_inner_text(text), f"{where}: '{field}'")
        for field in ORIGINAL_FIELDS:
            original = holder.get(field)
            if original == "":
                continue
            if isinstance(original, str):
                acts.original = original if acts.original is None else acts.original
            elif original is not None:
                raise RecordError(f"{where}: '{field}' is {clip(original)}; the text before the edit is needed")
        acts.copied |= any(_is_copied(holder.get(field), f"{where}: '{field}'") for field in COPY_FIELDS)

    def _read_entry(self, acts: Acts, entry: Any, where: str, before: str) -> None:
        if not isinstance(entry, dict):
            acts.vote(thumb_of(entry, where))
            return
        name = next((entry[field] for field in NAME_FIELDS if isinstance(entry.get(field), str)), None)
        if name is not None:
            self._read_score(acts, name, entry, f"{before}the score {clip(name)}")
            return
        kind = next((_word(entry[field]) for field in KIND_FIELDS if isinstance(entry.get(field), str)), "")
        if kind in COPY_WORDS:
            acts.copied = True
        elif kind in REGENERATE_WORDS:
            acts.regenerated = True
        elif kind in EDIT_WORDS:
            acts.edit(next((entry[field] for field in TEXT_FIELDS if field in entry), True), where)
        elif kind in UP_WORDS or kind in DOWN_WORDS:
            acts.vote(kind in UP_WORDS)
        else:
            self._read_thumb(acts, entry, where)

    def _read_thumb(self, acts: Acts, entry: Record, where: str) -> None:
        held = [field for field in HELD_FIELDS if entry.get(field) is not None]
        for field in held:
            acts.vote(thumb_of(entry[field], f"{where}: '{field}'"))
        acts.num_unread += not held and any(entry.values())

    def _read_score(self, acts: Acts, name: str, entry: Record, where: str) -> None:
        """Read a named score; a correction is an edit whatever the name."""
        correction = entry.get("correction")
        if str(entry.get("dataType", entry.get("data_type"))).upper() == "CORRECTION":
            correction = entry.get("value") if isinstance(entry.get("value"), str) else entry.get("stringValue")
            acts.edit(correction, where)
            return
        if correction is not None:
            acts.edit(_inner_text(correction), f"{where}: 'correction'")
        held = next((entry[field] for field in ("score", "value") if entry.get(field) is not None), None)
        if _word(name) not in self._keys:
            acts.num_others += held is not None
        elif held is not None:
            acts.vote(thumb_of(held, where, zero_is_down=True))
        else:
            acts.num_unread += correction is None


def thumb_of(value: Any, where: str, *, zero_is_down: bool = False) -> bool | None:
    """Read a thumb: True is up, False down, None none; what may mean several things is refused.

    >>> thumb_of("thumbs_down", "rating"), thumb_of(1, "rating"), thumb_of(None, "rating")
    (False, True, None)
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and (value in (1, -1) or (zero_is_down and value == 0)):
        return value == 1
    if isinstance(value, str):
        word = _word(value)
        if word in UP_WORDS | DOWN_WORDS | NO_WORDS:
            return None if word in NO_WORDS else word in UP_WORDS
    if value == 0 and isinstance(value, int | float):
        raise RecordError(f"{where} is {clip(value)}, a thumb down or none; write -1, or null")
    raise RecordError(f"{where} is {clip(value)}; a thumb is 1, -1, true, false, 'up' or 'down': write others so first")


def _word(value: str) -> str:
    """Write a word as the tables have it: "Thumbs-Up" as thumbsup, "-1" as 1-."""
    word = value.strip().lower()
    minus = "-" if word.startswith("-") and word[1:].isdigit() else ""
    return word.replace("-", "").replace("_", "").replace(" ", "") + minus


def _entries(value: Any) -> Iterator[Any]:
    """Yield the entries of a list, or a value alone."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _inner_text(value: Any) -> Any:
    """Return the text of an object that holds nothing else but names and times."""
    if not isinstance(value, dict):
        return value
    texts = [value[field] for field in (*TEXT_FIELDS, "output", "answer", "response") if field in value]
    return texts[0] if len(texts) == 1 else value


def _is_copied(value: Any, where: str) -> bool:
    if value is None or isinstance(value, bool | int):
        return bool(value)
    if isinstance(value, str) and (value.isdecimal() or value.lower() in ("", "true", "false")):  # of a table
        return value.lower() not in ("", "false") and value.strip("0") != ""
    raise RecordError(f"{where} is {clip(value)}; true, false or a count is needed")
