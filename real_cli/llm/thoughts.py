"""Reasoning before an answer: where it begins and ends, by the marks of many models.

The marks are those of chat templates and of the reasoning parsers of vLLM and SGLang. A server that splits reasoning
off puts it into a separate field (`reasoning_content`), which is not read here.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Sequence

from real_cli.llm.embedded_json import located_objects
from real_cli.text.thought_marks import MARK

ENDED_BY_A_TURN = "start of a message"
OPENS, CLOSES = ("start", "words"), {"turn": ENDED_BY_A_TURN, "end_words": "words"}
# A mark in quotation marks is only mentioned.
OPENING, CLOSING = "`\"'\u201c\u2018", "`\"'\u201d\u2019"
# So is, in a sentence, one after an article or before such a noun: "its <think>", "the <think> tag".
ARTICLE = re.compile(r"\b(?:an?|its|their|stray|unclosed|literal|opening|closing|leaked)[ \t]\Z", re.IGNORECASE)
WITHIN_A_SENTENCE = re.compile(r"[\w,][ \t]\Z")
NOUN = re.compile(r"[ \t]+(?:tags?|tokens?|marks?|markers?|blocks?|elements?|sections?)\b")
# A quotation repeats this many characters after the mark; fewer would not do, since models begin thoughts alike.
QUOTED_CHARACTERS = 16
BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
# Wraps an answer and says nothing.
WRAPPING = (
    r"(?:<\|[\w ]{1,40}\|>(?:assistant(?=<\|))?|</?s>|<(?:eos|end_of_turn)>"
    r"|</?(?:final[_ -]?)?(?:answer|output|response|solution|conclusion|verdict|rating|score|label)>)"
)
WRAPPED = re.compile(rf"\A(?:\s*+{WRAPPING})+|(?:{WRAPPING}\s*+)+\Z", re.IGNORECASE)


def spoken(text: str, shown: Sequence[str] = ()) -> str:
    """Strip the reasoning before an answer; nothing is left where it has no end.

    Marks within a JSON object or quotation marks, or quoted from `shown`, are part of the answer.

    >>> spoken("<think>Is it A?</think> B").strip(), spoken("[THINK]Is it A? Or is")
    ('B', '')
    """
    if not MARK.search(text):
        return text
    objects = [(start, end) for start, end, _ in located_objects(text)]
    squeezed = [_squeeze(other) for other in shown]
    start, under_way = 0, ""
    for match in MARK.finditer(text):
        if _is_within(match.start(), objects) or _is_mention(text, match):
            continue
        kind = match.lastgroup or ""
        if kind in OPENS:
            if not _is_quoted(text, start, match, squeezed):
                under_way = ENDED_BY_A_TURN if match[0].startswith("<|") else kind
        elif kind == "end" or (under_way and under_way == CLOSES.get(kind)):
            start, under_way = match.end(), ""
    return "" if under_way else text[start:]


def has_thoughts(text: str) -> bool:
    """Tell whether a text has marks of reasoning.

    >>> has_thoughts("<think>Is it A?</think> B"), has_thoughts("I think so.")
    (True, False)
    """
    return any(match.lastgroup in ("start", "end") for match in MARK.finditer(text))


def unwrapped(text: str) -> str:
    """Strip white space, special tokens and tags such as <answer> around an answer.

    >>> unwrapped(" <answer> A </answer><|eot_id|>")
    'A'
    """
    text = WRAPPED.sub("", text).strip()
    boxed = BOXED.fullmatch(text)
    return boxed[1].strip() if boxed else text


def _is_within(position: int, objects: list[tuple[int, int]]) -> bool:
    index = bisect_right(objects, (position, sys.maxsize)) - 1
    return index >= 0 and position < objects[index][1]


def _is_mention(text: str, match: re.Match[str]) -> bool:
    before, after = text[max(match.start() - 1, 0) : match.start()], text[match.end() : match.end() + 1]
    if before and after and before in OPENING and after in CLOSING:
        return True
    lead = text[max(match.start() - QUOTED_CHARACTERS, 0) : match.start()]
    named = WITHIN_A_SENTENCE.search(lead) and NOUN.match(text, match.end())
    return bool(named or (ARTICLE.search(lead) and not text[match.end() :].startswith("\n")))


def _is_quoted(text: str, start: int, match: re.Match[str], shown: list[str]) -> bool:
    """Tell whether a mark in running text, with the words after it, was quoted from what the model was shown."""
    before = text[max(start, match.start() - QUOTED_CHARACTERS) : match.start()]
    quoted = _squeeze(text[match.start() : match.end() + QUOTED_CHARACTERS])
    return bool(before.strip()) and any(quoted in other for other in shown)


def _squeeze(text: str) -> str:
    return "".join(text.split()).casefold()
