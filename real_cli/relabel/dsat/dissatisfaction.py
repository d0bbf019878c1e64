"""A user's dissatisfied and satisfied turns in a conversation, and the records that DRIFT makes of them."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from real_cli.errors import RecordError, clip
from real_cli.llm.rubric import Rubric
from real_cli.records.layouts import PROMPT, Adapted
from real_cli.records.messages import Text, is_conversation, plain_text, transcript
from real_cli.records.public.chat_forms import read_forms
from real_cli.records.public.leading_turns import lead_with_history, lead_with_system
from real_cli.records.public.message_checks import check_media, check_tools
from real_cli.records.questions import Inquiry, Question, ask_nothing
from real_cli.records.record import Record
from real_cli.relabel.dsat.feelings import Feeling, read_feeling
from real_cli.text.phrases import say_count

CONVERSATION_FIELDS = ("prompt", "messages", "conversation", "conversations")
# Where a prompt beside the conversation is kept: UltraChat's holds the first question.
OWN_PROMPT = "original_prompt"


class UserTurn(NamedTuple):
    """A user's turn that follows a reply.

    Attributes:
        number: Its number among the user's turns, from 1.
        reply: Index of the first message of the reply before it.
        message: Index of its first message.
        last: Index of its last one: a user may write several messages before the next reply.
    """

    number: int
    reply: int
    message: int
    last: int


class Felt(NamedTuple):
    """A turn, what it says about the reply before it, and why."""

    turn: UserTurn
    feeling: Feeling
    reason: str


# The fallback without a model: it sees outright complaints in English, nothing else.
COMPLAINTS = re.compile(
    r"\b(?:(?:that|this|it|you)(?:'s| is| are|'re)? "
    r"(?:not(?! (?:bad|a problem|an issue))|isn't|wasn't|still)\b"
    r"|(?<!what went )(?<!go )(?<!gone )(?:wrong|incorrect)\b|not what i\b"
    r"|i (?:said|asked|meant|told you)\b|you (?:didn't|did not|forgot|ignored|missed|misunderstood|keep)\b"
    r"|(?:doesn't|does not|didn't|did not) (?:work|help|answer|make sense)\b|try again\b|do it again\b|redo\b"
    r"|not helpful\b|useless\b|too (?:long|short|vague|generic|formal|complicated)\b"
    r"|(?:make it|be) (?:shorter|longer|clearer|more)\b)|^no\b(?!,? (?:worries|problem|thanks|thank you|need))",
    re.IGNORECASE,
)
# Phones type the curly apostrophe.
CURLY, STRAIGHT = "\u2019", "'"
PRAISE = re.compile(
    r"\b(?:thanks?\b|thank you|thx\b|perfect\b|great\b|awesome\b|excellent\b|brilliant\b|exactly\b|well done\b"
    r"|good job\b|(?:that|this|it) (?:works|worked|helps|helped)\b|love it\b|very helpful\b)",
    re.IGNORECASE,
)


def adapt_dialogue(record: Record) -> Adapted:
    """Bring the conversation of a record into its prompt, after the turns of a history.

    >>> adapt_dialogue({"id": 1, "messages": [{"role": "user", "content": "Hi"}]}).record
    {'id': 1, 'prompt': [{'role': 'user', 'content': 'Hi'}]}
    """
    if "dsat" in record:
        raise RecordError(
            f"field 'dsat' is {clip(record['dsat'])}; give the conversation itself, this is a complaint found in one"
        )
    record = read_forms(record)
    if not any(is_conversation(record.get(field)) for field in CONVERSATION_FIELDS):
        record = lead_with_history(record)
    present = [field for field in CONVERSATION_FIELDS if is_conversation(record.get(field))]
    if "prompt" not in present and any(record[field] != record[present[0]] for field in present):
        raise RecordError(f"the fields {' and '.join(present)} hold conversations that differ; keep one of them")
    for field in CONVERSATION_FIELDS:
        if is_conversation(record.get(field)):
            if field != "prompt" and {"prompt", OWN_PROMPT} <= set(record):
                raise RecordError(f"'prompt' beside '{field}' is kept as '{OWN_PROMPT}', which is there; rename one")
            names = {field: "prompt"} if field == "prompt" else {field: "prompt", "prompt": OWN_PROMPT}
            renamed = {names.get(name, name): value for name, value in record.items()}
            adapted = lead_with_system(lead_with_history(renamed))
            check_media(adapted)
            check_tools(adapted)
            return Adapted(adapted, PROMPT)
    raise RecordError(f"no conversation in the fields {clip(sorted(record))}; a list of {{role, content}} is needed")


def judgeable_turns(messages: Text) -> list[UserTurn]:
    """List the user's turns that can be about a reply: those after one that follows an earlier turn.

    Messages of the user in a row are one turn.

    >>> roles = ["system", "user", "assistant", "user", "user", "assistant", "user"]
    >>> judgeable_turns([{"role": role, "content": ""} for role in roles])
    [UserTurn(number=2, reply=2, message=3, last=4), UserTurn(number=4, reply=5, message=6, last=6)]
    """
    users = [index for index, message in enumerate(messages) if _role(message) == "user"]
    return [
        UserTurn(number, before + 1, index, _last_in_a_row(users, number - 1))
        for number, (before, index) in enumerate(pairwise(users), 2)
        if index > before + 1
    ]


def _last_in_a_row(users: list[int], number: int) -> int:
    """Return the index of the last message of a turn that begins with the user's message of a number, from 0."""
    while number + 1 < len(users) and users[number + 1] == users[number] + 1:
        number += 1
    return users[number]


def _role(message: object) -> str:
    return str(message.get("role")) if isinstance(message, dict) else ""


def begin_detecting(record: Record, rubric: Rubric) -> Inquiry[list[Felt]]:
    """Ask a judge about each of the user's turns in a conversation."""
    messages, question = record["prompt"], rubric.questions[0]
    turns = judgeable_turns(messages)
    shown = [transcript(messages[: turn.last + 1]) for turn in turns]  # nothing of what came after
    answers = yield [
        Question(
            rubric.messages(question, conversation=conversation),
            partial(read_feeling, shown=[conversation]),
            rubric.sampling(question),
            FEELING_SCHEMA,
        )
        for conversation in shown
    ]
    return [Felt(turn, *answer.value) for turn, answer in zip(turns, answers, strict=True)]


def _words_of(messages: list[Record], turn: UserTurn) -> str:
    return plain_text(messages[turn.message : turn.last + 1])


def feel_lexically(record: Record) -> Inquiry[list[Felt]]:
    """Judge the user's turns in a conversation by a list of English phrases, without a model."""
    turns = judgeable_turns(record["prompt"])
    return ask_nothing([Felt(turn, *spoken_feeling(_words_of(record["prompt"], turn))) for turn in turns])


def spoken_feeling(words: str) -> tuple[Feeling, str]:
    """Find a complaint, else praise, and the phrase that says it.

    >>> [spoken_feeling(words)[0].value for words in ("That's not right.", "Thanks!", "And 3 + 3?")]
    ['dissatisfied', 'satisfied', 'neither']
    """
    for feeling, phrases in ((Feeling.dissatisfied, COMPLAINTS), (Feeling.satisfied, PRAISE)):
        match = phrases.search(words.replace(CURLY, STRAIGHT))
        if match:
            return feeling, f"says {words[slice(*match.span())]!r}"
    return Feeling.neither, ""


def complaint_records(record: Record, felt: list[Felt], mark: Record) -> Iterator[Record]:
    """Make DRIFT's records: a reply that left the user dissatisfied, what led to it, and the complaint.

    References:
        DRIFT, 2025, arXiv:2510.02341.
    """
    messages = record["prompt"]
    for turn, feeling, reason in felt:
        if feeling is Feeling.dissatisfied:
            yield record | {
                "prompt": messages[: turn.reply],
                "rejected": messages[turn.reply : turn.message],
                "user_preference": {"content": _words_of(messages, turn)},
                "dsat": mark | {"turn": turn.number, "reason": reason},
            }


def seed_records(record: Record, felt: list[Felt], mark: Record) -> Iterator[Record]:
    """Make DRIFT's seeds: those of the records that a later reply satisfied, with that reply as `chosen`."""
    satisfied = [turn for turn, feeling, _ in felt if feeling is Feeling.satisfied]
    for complaint in complaint_records(record, felt, mark):
        later = next((turn for turn in satisfied if turn.number > complaint["dsat"]["turn"]), None)
        if later is not None:
            yield complaint | {"chosen": record["prompt"][later.reply : later.message]}


class Dissatisfaction:
    """Make DRIFT's records of conversations, complaints or seeds, and count turns."""

    def __init__(self, mark: Record, *, seeds: bool) -> None:
        self._mark = mark
        self._make = seed_records if seeds else complaint_records
        self.num_conversations = self.num_written = 0
        self.num_turns: Counter[Feeling] = Counter()

    def __call__(self, record: Record, felt: list[Felt]) -> list[Record]:
        """Make the records of a conversation."""
        self.num_conversations += 1
        self.num_turns.update(feeling for _, feeling, _ in felt)
        records = list(self._make(record, felt, self._mark))
        self.num_written += len(records)
        return records

    def sentence(self) -> str:
        """Report the counts in one line."""
        counts = ", ".join(f"{self.num_turns[feeling]:,} {feeling}" for feeling in Feeling)
        return (
            f"{say_count(self.num_written, 'record')} from {say_count(self.num_conversations, 'conversation')} with "
            f"{say_count(self.num_turns.total(), 'turn')} after a reply: {counts}"
        )


FEELING_SCHEMA: Record = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "label": {"type": "string", "enum": list(Feeling)}},
    "required": ["reason", "label"],
    "additionalProperties": False,
}
