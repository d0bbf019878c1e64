"""A pair as a question to a person: the order in which it is shown, its answer, and the record that results."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.cut_marks import CUT_FIELDS, is_marked_cut
from real_cli.records.judgments import without_panel
from real_cli.records.messages import Text, comparable, is_number
from real_cli.records.public.message_checks import check_tools
from real_cli.records.record import Record, content_key, is_preference, to_candidates, to_preference
from real_cli.records.response_fields import ROLES
from real_cli.relabel.human.choices import Shown, Verdict
from real_cli.stats.quota import parse_percent

# Incremented when a journal line changes its meaning.
JOURNAL_VERSION = 1
TIES = "tie"
SKIPPED = "skipped"
UNANSWERED = "unanswered"
OTHER_ORDER = {Shown.as_is: Shown.swapped, Shown.swapped: Shown.as_is}
# The verdict on the record's two responses, by the letter chosen and the order shown.
LETTERS = {
    ("a", Shown.as_is): Verdict.first,
    ("a", Shown.swapped): Verdict.second,
    ("b", Shown.as_is): Verdict.second,
    ("b", Shown.swapped): Verdict.first,
    ("tie", Shown.as_is): Verdict.tie,
    ("tie", Shown.swapped): Verdict.tie,
    ("skip", Shown.as_is): Verdict.skip,
    ("skip", Shown.swapped): Verdict.skip,
}


@dataclass(frozen=True)
class PairQuestion:
    """A pair that a person is asked to judge.

    Attributes:
        key: The record's content key, as hexadecimal digits, which identifies the pair in journals and exports.
        record: The record as it was read.
        shown: Whether A is the record's first response or its second.
        place: Where the record came from.
    """

    key: str
    record: Record
    shown: Shown
    place: str = ""

    @property
    def prompt(self) -> Text:
        """The prompt of the pair."""
        prompt: Text = self.record["prompt"]
        return prompt

    @property
    def compares_models(self) -> bool:
        """Whether the two responses name the models that wrote them, and these are two."""
        names = [response.get("model") for response in to_candidates(self.record)["responses"]]
        return all(isinstance(name, str) for name in names) and names[0] != names[1]

    def texts(self, shown: Shown) -> tuple[Text, Text]:
        """Return the two responses as A and B."""
        first, second = (response["text"] for response in to_candidates(self.record)["responses"])
        return (second, first) if shown is Shown.swapped else (first, second)

    def are_cut(self, shown: Shown) -> tuple[bool, bool]:
        """Tell of A and B whether a limit of tokens ended it, as far as the record says."""
        responses = self.record.get("responses")
        if is_preference(self.record):  # whose mark may stand on one side alone
            responses = [{name: self.record.get(f"{name}_{role}") for name in CUT_FIELDS} for role in ROLES]
        first, second = (bool(is_marked_cut(response)) for response in responses or [])
        return (second, first) if shown is Shown.swapped else (first, second)


@dataclass(frozen=True)
class PairAnswer:
    """The answer of one person, or of several, about a pair.

    Attributes:
        verdict: Which response is better, in the record's own order.
        shown: The order in which the two were shown.
        seconds: Time from showing to answering; None where it was not measured.
        note: What was added in words.
        num_annotators: Annotators who gave a verdict other than a skip; None on the terminal.
        agreement: The share of them that gave the most frequent verdict, in [0, 1]; 0.5 where two split.
    """

    verdict: Verdict
    shown: Shown | None = None
    seconds: float | None = None
    note: str = ""
    num_annotators: int | None = None
    agreement: float | None = None

    @property
    def fields(self) -> Record:
        """The content of a record's `annotation` field."""
        fields = {
            "verdict": self.verdict.value,
            "shown": self.shown.value if self.shown else None,
            "seconds": self.seconds,
            "note": self.note or None,
            "num_annotators": self.num_annotators,
            "agreement": self.agreement,
        }
        return {name: value for name, value in fields.items() if value is not None}


def make_question(record: Record, seed: int, place: str = "") -> PairQuestion:
    """Turn a pair, labeled or not, into a question; the order shown depends on the seed and the texts alone.

    >>> question = make_question({"prompt": "q", "chosen": "a", "rejected": "b"}, seed=1)
    >>> question.shown.value, question.texts(question.shown)
    ('as-is', ('a', 'b'))
    """
    check_tools(record)
    if not is_preference(record) and len(record["responses"]) != 2:
        raise RecordError(
            f"field 'responses' has {len(record['responses'])} responses; a question needs two: "
            "'real pair --orient none' makes pairs"
        )
    key = content_key(record).hex()
    return PairQuestion(key, record, Shown.swapped if _draw(seed, "shown", key) % 2 else Shown.as_is, place)


def have_equal_texts(question: PairQuestion) -> bool:
    """Tell whether the two responses are the same text, so that there is nothing to ask."""
    first, second = question.texts(Shown.as_is)
    return comparable(first) == comparable(second)


def is_asked_twice(key: str, share: Fraction, seed: int) -> bool:
    """Tell whether a pair is among those asked again; equal pairs and seeds decide equally."""
    return _draw(seed, "repeat", key) < share * (1 << 64)


def _draw(seed: int, purpose: str, key: str) -> int:
    """Return one of 2^64 numbers."""
    return int.from_bytes(hashlib.blake2b(f"{purpose} {seed} {key}".encode(), digest_size=8).digest(), "big")


def parse_share(text: str) -> Fraction:
    """Read --repeat, the share of pairs to ask again, from 0% to 100%."""
    share = parse_percent("0%" if text == "0" else text)
    if share is None:
        raise UsageError(f"--repeat {clip(text)}: give a share from 0% to 100%, as 5%")
    return share


def answered_record(question: PairQuestion, answer: PairAnswer) -> Record:
    """Label a pair by its answer, which outranks earlier scores and ranks.

    The responses of a tie share rank 1, so that scores do not decide later what the person would not.

    >>> question = make_question({"prompt": "q", "chosen": "a", "rejected": "b"}, seed=1)
    >>> answered_record(question, PairAnswer(Verdict.second, Shown.as_is, 3.2))
    {'prompt': 'q', 'chosen': 'b', 'rejected': 'a', \
'annotation': {'verdict': 'second', 'shown': 'as-is', 'seconds': 3.2}}
    """
    candidates = to_candidates(without_panel(question.record))  # their agreement is with another label
    extra = {"annotation": answer.fields}
    first, second = candidates["responses"]
    if answer.verdict is Verdict.tie:
        return candidates | {"responses": [first | {"rank": 1}, second | {"rank": 1}]} | extra
    chosen, rejected = (first, second) if answer.verdict is Verdict.first else (second, first)
    return to_preference(candidates, chosen, rejected, extra)


# The fields that a journal's line may have.
JOURNAL_FIELDS = frozenset(
    {"version", "key", "verdict", "shown", "seconds", "note", "num_annotators", "agreement", "seed", "when", "repeat"}
)


def journal_line(key: str, answer: PairAnswer, *, seed: int, when: str, is_repeat: bool) -> Record:
    """Build the journal's line of an answer, at a time in UTC, ISO 8601."""
    line = {"version": JOURNAL_VERSION, "key": key, **answer.fields, "seed": seed, "when": when}
    return line | ({"repeat": True} if is_repeat else {})


def read_journal_line(line: Record) -> tuple[str, PairAnswer, bool]:
    """Read a journal's line: key, answer, and whether the pair was asked again."""
    version = line.get("version")
    if version != JOURNAL_VERSION or isinstance(version, bool):
        raise RecordError(f"field 'version' is {clip(version)}; {JOURNAL_VERSION} is needed: name another --journal")
    for field, is_right, needed in _JOURNAL_RULES:
        if not is_right(line.get(field)):
            raise RecordError(f"field '{field}' is {clip(line.get(field))}; {needed} is needed")
    answer = PairAnswer(Verdict(line["verdict"]), Shown(line["shown"]), line.get("seconds"), line.get("note", ""))
    return line["key"], answer, bool(line.get("repeat"))


def _is_one_of(names: Any) -> Any:
    return lambda value: isinstance(value, str) and value in set(names)


_JOURNAL_RULES = (
    ("key", lambda value: isinstance(value, str), "the key of a pair"),
    ("verdict", _is_one_of(Verdict), "first, second, tie or skip"),
    ("shown", _is_one_of(Shown), "as-is or swapped"),
    ("seconds", lambda value: value is None or is_number(value), "a number of seconds"),
    ("note", lambda value: value is None or isinstance(value, str), "a text"),
)
