"""Copies of a response with more and more of its key words removed, for self-supervised preference optimization.

SPO's keyword extractor is not published. Ours reads the response alone and needs no network: as in RAKE, adjacent
content words make a phrase, and a word's importance is the summed length of the phrases it occurs in.
"""

import math
import random
import re
from collections import defaultdict
from fractions import Fraction
from typing import Any, NamedTuple

from real_cli.errors import UsageError
from real_cli.records.messages import Text, plain_text, text_key
from real_cli.records.record import Record, check_labeled
from real_cli.text.stopwords import FUNCTION_WORDS

# A number with its separators, or letters and digits with what joins them: don't, well-known, 3rd.
WORD = re.compile(r"\d+(?:[.,]\d+)+(?![^\W_])|[^\W_]+(?:['\u2019-][^\W_]+)*")
# Where removing a word's blanks would join two others: "3 cats,5" must not become 3,5.
JOINS_NEXT = re.compile(r"['\u2019.,-]\w")
JOINS_LAST = re.compile(r"\w['\u2019.,-]$")
BLANKS = " \t"
# What is left of can't, won't, shan't and needn't without n't; the others leave a function word.
NEGATED = FUNCTION_WORDS | {"ca", "wo", "sha", "need"}


class Levels(NamedTuple):
    """The number of degrees, 0 for the whole response among them, and the share of key words that each removes."""

    number: int = 4
    drop: Fraction = Fraction(1, 5)


def check_levels(number: int, drop: float) -> Levels:
    """Check --levels and --drop; the share is kept exactly as written.

    >>> check_levels(4, 0.2)
    Levels(number=4, drop=Fraction(1, 5))
    """
    if not 0 < drop <= 1:
        raise UsageError(f"--drop {drop:g}: must be a share above 0, at most 1")
    share = Fraction(repr(drop))
    if share * (number - 1) > 1:
        raise UsageError(
            f"--levels {number} and --drop {drop:g}: degree {number - 1} would remove "
            f"{float(share * (number - 1)):.0%} of the key words; at most 100% can go"
        )
    return Levels(number, share)


def key_words(text: str, draw: random.Random) -> list[str]:
    """List the distinct content words of a text, case folded, the most important first; `draw` breaks ties.

    Function words are English; in another language every word counts as a content word.

    >>> key_words("The red cat sat on the mat. The cat ran.", random.Random(0))[:1]
    ['cat']

    References:
        Rose et al., 2010, Automatic keyword extraction from individual documents (RAKE): a word's degree.
    """
    degrees: dict[str, int] = defaultdict(int)
    for phrase in _phrases(text):
        for word in phrase:
            degrees[word] += len(phrase)
    words = list(degrees)
    draw.shuffle(words)
    return sorted(words, key=lambda word: -degrees[word])


def _phrases(text: str) -> list[list[str]]:
    """Split a text into runs of content words separated by blanks alone."""
    phrases: list[list[str]] = [[]]
    end = 0
    for match in WORD.finditer(text):
        if text[end : match.start()].strip(BLANKS):
            phrases.append([])
        end = match.end()
        word = match.group().casefold()
        if _is_grammar(word):
            phrases.append([])
        else:
            phrases[-1].append(word)
    return phrases


def _is_grammar(word: str) -> bool:
    plain = word.replace("\u2019", "'")
    if plain.endswith("n't"):
        return plain[:-3] in NEGATED
    return plain.split("'")[0] in FUNCTION_WORDS


def remove_words(text: str, removed: frozenset[str]) -> str:
    """Remove words, given case folded, wherever they occur; everything else stays as it is.

    A word takes the blanks before it along; where it opens a line or follows a bracket or quote, those after it.

    >>> remove_words("Paris, the capital, is in France.", frozenset({"paris", "capital", "france"}))
    ', the, is in.'
    """
    pieces: list[str] = []
    end = 0
    opens = False  # whether the last word removed takes the blanks after it
    for match in WORD.finditer(text):
        between = text[end : match.start()]
        pieces.append(between.lstrip(BLANKS) if opens else between)
        end = match.end()
        if match.group().casefold() in removed:
            joins = JOINS_NEXT.match(text, end) is not None
            opens = not joins and not _trim(pieces) and not _joins_before(pieces)
        else:
            pieces.append(match.group())
            opens = False
    pieces.append(text[end:].lstrip(BLANKS) if opens else text[end:])
    return "".join(pieces)


def _trim(pieces: list[str]) -> bool:
    """Strip the blanks at the end of a text, unless they open a line; tell whether there were any."""
    blanks = []
    while pieces and not pieces[-1].strip(BLANKS):
        blanks.append(pieces.pop())
    shorter = pieces[-1].rstrip(BLANKS) if pieces else ""
    if shorter and not shorter.endswith("\n") and (any(blanks) or shorter != pieces[-1]):
        pieces[-1] = shorter
        return True
    pieces.extend(reversed(blanks))
    return False


def _joins_before(pieces: list[str]) -> bool:
    return JOINS_LAST.search("".join(pieces[-2:])) is not None


def degraded_copies(chosen: Text, levels: Levels, seed: int = 0) -> list[Record]:
    """Make copies of a response, each with `text` and `degree`, that lack more and more of its key words.

    Degree d lacks the d * share most important words, rounded up, so each copy's words are a subset of the copy's
    below. A degree that would remove no more than the one below, or leave no word, has no copy. Of a conversation only
    the assistant's turns are degraded.

    >>> degraded_copies("The big red cat sat on a mat.", Levels(3, Fraction(1, 2)), seed=1)
    [{'text': 'The cat on a mat.', 'degree': 1}, {'text': 'The on a.', 'degree': 2}]

    References:
        Li et al., 2024, SPO, arXiv:2409.17791; how many levels and words is ours, unverified.
    """
    spoken = _spoken(chosen)
    ranked = key_words(spoken, random.Random(text_key(chosen) + seed.to_bytes(8, "big")))
    copies: list[Record] = []
    fewer = 0
    for degree in range(1, levels.number):
        number = math.ceil(degree * levels.drop * len(ranked))
        removed = frozenset(ranked[:number])
        if number > fewer and WORD.search(remove_words(spoken, removed)):
            copies.append({"text": _without(chosen, removed), "degree": degree})
            fewer = number
    return copies


def _spoken(text: Text) -> str:
    """Return the part of a text that is degraded."""
    return text if isinstance(text, str) else plain_text([turn for turn in text if turn["role"] == "assistant"])


def _without(text: Text, removed: frozenset[str]) -> Text:
    if isinstance(text, str):
        return remove_words(text, removed)
    return [
        turn | {"content": _content_without(turn.get("content"), removed)} if turn["role"] == "assistant" else turn
        for turn in text
    ]


def _content_without(content: Any, removed: frozenset[str]) -> Any:
    if isinstance(content, str):
        return remove_words(content, removed)
    if isinstance(content, list):
        return [_part_without(part, removed) for part in content]
    return content


def _part_without(part: Any, removed: frozenset[str]) -> Any:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return part | {"text": remove_words(part["text"], removed)}
    return part


def with_copies(record: Record, levels: Levels, seed: int = 0) -> Record:
    """Add degraded copies of the chosen response to a pair; copies that are there are replaced.

    >>> with_copies({"prompt": "q", "chosen": "It is in Paris.", "rejected": "No."}, check_levels(2, 0.5))
    {'prompt': 'q', 'chosen': 'It is in Paris.', 'rejected': 'No.', \
'degraded': [{'text': 'It is in.', 'degree': 1}]}
    """
    check_labeled(record)
    return record | {"degraded": degraded_copies(record["chosen"], levels, seed)}
