"""Which side of a split a prompt is on."""

import hashlib
import unicodedata
from collections.abc import Collection
from fractions import Fraction

from real_cli.errors import RecordError, UsageError, clip
from real_cli.records.layouts import adapt_prompt
from real_cli.records.messages import Text, is_conversation, plain_text, without_system
from real_cli.records.public.chat_forms import read_forms
from real_cli.records.record import Record, to_candidates
from real_cli.records.response_fields import ROLES
from real_cli.stats.quota import parse_percent

CONVERSATION_FIELDS = ("messages", "conversation", "conversations")


def parse_share(text: str) -> Fraction | None:
    """Read a share of the prompts; None for anything else, which is the name of a file.

    >>> parse_share("12.5%"), parse_share("heldout.jsonl")
    (Fraction(1, 8), None)
    """
    if not text.endswith("%"):
        return None
    if share := parse_percent(text):
        return share
    raise UsageError(f"--heldout {clip(text)}: give a share above 0% and up to 100%, as 10%, or the name of a file")


def question_of(record: Record) -> str:
    """Return what a record asks, in the form in which questions are compared.

    Conversations that begin with the same words of the user's stay together: of a dialogue each turn may become a
    prompt. Case, width, spaces and system messages make no difference; punctuation does, as in 3 + 4 and 3 - 4.

    >>> question_of({"prompt": "Why  so?", "chosen": "a", "rejected": "b"})
    'why so?'
    >>> question_of({"messages": [{"role": "user", "content": "WHY so?"}, {"role": "assistant", "content": "So."}]})
    'why so?'
    """
    words = unicodedata.normalize("NFKC", _first_words(_prompt_of(record))).casefold()
    return " ".join(words.split())


def _prompt_of(record: Record) -> Text:
    try:
        prompt: Text = adapt_prompt(record).record["prompt"]
    except RecordError:
        read = read_forms(record)
        dialogues = [read[field] for field in CONVERSATION_FIELDS if is_conversation(read.get(field))]
        if not dialogues:
            raise
        prompt = dialogues[0]
    return prompt


def _first_words(prompt: Text) -> str:
    if isinstance(prompt, str):
        return prompt
    asked = [turn for turn in prompt if turn["role"] == "user"][:1]
    return plain_text(asked or without_system(prompt))


def draw(question: str, seed: int) -> int:
    """Draw the number that decides a question's side; it depends on the question and the seed alone.

    >>> draw("why", 0) == draw("why", 0) != draw("why", 1)
    True
    """
    digest = hashlib.blake2b(question.encode("utf-8", "surrogatepass"), digest_size=8, salt=seed.to_bytes(8, "big"))
    return int.from_bytes(digest.digest(), "big")


def lowest_share(draws: Collection[int], share: Fraction) -> set[int]:
    """Choose the held-out draws: the share's lowest, rounded down; where there are two, each side has some.

    >>> sorted(lowest_share([9, 3, 7, 1], Fraction(1, 2))), lowest_share([5, 4], Fraction(1, 100)), lowest_share([], 1)
    ([1, 3], {4}, set())
    """
    distinct = sorted(set(draws))
    if share == 1:
        return set(distinct)
    number = min(max(int(share * len(distinct)), 1), len(distinct) - 1)
    return set(distinct[: max(number, 0)])


def prompt_alone(record: Record) -> Record:
    """Take the responses off a record, with what is said of them.

    >>> prompt_alone({"id": 1, "prompt": "Why?", "chosen": "a", "rejected": "b", "score_chosen": 2, "note": "n"})
    {'id': 1, 'prompt': 'Why?', 'note': 'n'}
    """
    adapted = adapt_prompt(record).record
    if "chosen" in adapted:
        adapted = to_candidates(adapted)
    suffixes = tuple(f"_{role}" for role in ROLES)
    return {name: value for name, value in adapted.items() if name != "responses" and not name.endswith(suffixes)}
