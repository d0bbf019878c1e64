"""How judges name two responses, rewritten in the rubric's letters; full-width marks in ASCII."""

import ast
import contextlib
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

import orjson

# Quotation marks become single ones, which end no JSON string.
WIDE_MARKS = (
    "\uff1a\uff0c\u3002\uff1b\uff01\uff1f\uff08\uff09\uff1d\uff1c\uff1e\uff5c\uff0f\uff0e\uff0d\u3010\u3011\u3000"
)
WIDE = {
    **dict(zip(map(ord, WIDE_MARKS), ":,.;!?()=<>|/.-[] ", strict=True)),
    **{ord(mark): "'" for mark in "\u201c\u201d\u2018\u2019\u300c\u300d\u300e\u300f"},
    # Signs of praise: trophy, medal, thumb, tick, star, arrow. A cross is none.
    **{ord(sign): " " for sign in "\u2705\u2714\u27a1\u2b50\u2728\U0001f3c6\U0001f947\U0001f44d\U0001f389\ufe0f"},
    **{code: chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))},
}
NOUN = r"(?:response|assistant|output|completion|candidate|model)"
# Kept apart from NOUN: tasks have numbered answers and options, too.
NUMBERED_NOUN = rf"(?:{NOUN}|answer|option|text)"
NUMBERS = {"1": "A", "2": "B", "first": "A", "second": "B", "1st": "A", "2nd": "B"}
LABEL = re.compile(rf"\b{NUMBERED_NOUN}[ \t]*[#(\[*]?[ \t]*(\w+)", re.IGNORECASE)
JOINED = re.compile(rf"\b({NUMBERED_NOUN})(?:[_-]|[ \t]*[*_]*[(\[])([ab])\b[)\]]?", re.IGNORECASE)
# Not "first answer" or "first output": a response may hold several.
ORDINAL = re.compile(r"\b(first|second)\s+(?:response|assistant)\b(?!['\u2019])", re.IGNORECASE)
NUMBER_LINE = re.compile(r"^([ \t*_\"'(\[]*+)([12])(?=[*_\"')\].]*[ \t]*$)", re.MULTILINE)
END = r"(?![.,:/-]?\d|[.)]\s+\w|['\u2019\w]|\s*(?:-|\u2013|\bto\b|\bor\b|/|,)\s*\d)"
STATED = (
    r"(\b(?:verdict|winner|preferred|preference|decision|judge?ment|choice|better|best|result)\b"
    r"[\"'*_`\s]*(?:\bis\b\s*:?|[:=])[\"'*_`\s(\[]*(?:the\s+)?|\[\[\s*|\\boxed\{\s*|\[result\][\s:(]*)"
)
ORDINAL_STATED = re.compile(
    rf"{STATED}(first|second|1st|2nd)\b(?:\s+one\b)?(?=[\"'*_`)\].}}]*\s*(?:\Z|\n|\.|(?<=\"),))", re.IGNORECASE
)
NUMBER_STATED = re.compile(rf"{STATED}([12])\b{END}", re.IGNORECASE)
SCORE = r"(\d{1,3}(?:\.\d{1,4})?)"
SCORES = re.compile(rf"[\s*_\[(]*+{SCORE}(?:[ \t]*,[ \t]*|[ \t]+){SCORE}[ \t*_\])]*+(?:\n|\Z)")

NAMED = re.compile(rf"\b{NUMBERED_NOUN}\s+[AB]\b|\btie\b|\bdraw\b", re.IGNORECASE)
# A task with choices: "A) so", "the answer is B".
CHOICES = re.compile(r"\bA[).:\]]|\bB\b")
# A longer text is no Python literal that a model wrote.
LITERAL_LENGTH = 20_000
FENCE = re.compile(r"\A```\w*\n|\n```\Z")


class Naming(NamedTuple):
    """How a rubric names the two responses that it shows.

    Attributes:
        is_ordered: Whether A comes first, so that "the first response" is A.
        is_numbered: Whether it names them 1 and 2.
        wants_scores: Whether it asks for two scores, of which the higher one wins.
    """

    is_ordered: bool = True
    is_numbered: bool = False
    wants_scores: bool = False


def plain_marks(text: str) -> str:
    """Write full-width letters, digits and punctuation, and curly quotation marks, in ASCII; the length stays.

    >>> plain_marks("Verdict\uff1a\uff21\u3002")
    'Verdict:A.'
    """
    return text if text.isascii() else text.translate(WIDE)


def naming_of(template: str) -> Naming:
    """Infer from a rubric's question how it names its responses.

    >>> naming_of("# Response 1 {response_a} # Response 2 {response_b}")
    Naming(is_ordered=True, is_numbered=True, wants_scores=False)
    """
    first, second = template.find("{response_a}"), template.find("{response_b}")
    if first > second:
        return Naming(is_ordered=False)
    first, second = max(first, 0), max(second, 0)
    labels = [LABEL.findall(part)[-1:] for part in (template[:first], template[first:second])]
    wants_scores = re.search(r"(?i)\bscores\b", template) and not re.search(r"(?i)\brank", template)
    return Naming(is_numbered=labels == [["1"], ["2"]], wants_scores=bool(wants_scores))


def lettered(text: str, naming: Naming) -> str:
    """Rewrite the names of two responses with their letters.

    Numbers alone are names only where the rubric numbers its responses and a verdict stands.

    >>> lettered("Response 2 is better than model_a.", Naming())
    'Response B is better than model A.'
    """
    text = JOINED.sub(lambda match: f"{match[1]} {match[2].upper()}", plain_marks(text))
    if not naming.is_ordered:
        return text
    noun = NUMBERED_NOUN if naming.is_numbered else NOUN
    numbered = rf"\b({noun})(?:[_-]|\s*#|\s*[*_]*[(\[]|\s+[*_]*)([12])\b(?!\.\d)[)\]]?"
    text = re.sub(numbered, lambda match: f"{match[1]} {NUMBERS[match[2]]}", text, flags=re.IGNORECASE)
    text = ORDINAL.sub(lambda match: f"response {NUMBERS[match[1].lower()]}", text)
    for pattern in (ORDINAL_STATED, NUMBER_STATED, NUMBER_LINE)[: 3 if naming.is_numbered else 1]:
        text = pattern.sub(lambda match: match[1] + NUMBERS[match[2].lower()], text)
    return text


def named_in(texts: Iterable[str]) -> frozenset[str]:
    """Collect the names such as "model a" and "draw" that texts use for things of their own, in lower case.

    >>> named_in(["Is Model A faster?"])
    frozenset({'model a'})
    """
    return frozenset(" ".join(name.lower().split()) for text in texts for name in NAMED.findall(text))


def number_verdict(text: str, naming: Naming) -> str | None:
    """Read an answer that is a number, or begins with two scores, where the rubric asks for it.

    >>> number_verdict("8 6\\n\\nThe first is right.", Naming(wants_scores=True))
    'A'
    >>> number_verdict("2", Naming(is_numbered=True)), number_verdict("2", Naming())
    ('B', None)
    """
    bare = text.strip(" \t\n\"'*_`()[].")
    if naming.is_ordered and bare.casefold() in NUMBERS and (naming.is_numbered or not bare.isdigit()):
        return NUMBERS[bare.casefold()]
    match = SCORES.match(text) if naming.wants_scores else None
    if not match:
        return None
    first, second = float(match[1]), float(match[2])
    return "tie" if first == second else "A" if first > second else "B"


def plain_answer(text: str) -> str:
    """Rewrite an answer that is a Python literal as JSON, and unwrap one that is a JSON string.

    >>> plain_answer("{'score': 4}"), plain_answer('"Score: 4"')
    ('{"score":4}', 'Score: 4')
    """
    inner = FENCE.sub("", text.strip()).strip()
    if len(inner) > LITERAL_LENGTH or inner[:1] + inner[-1:] not in ("{}", "[]", '""'):
        return text
    with contextlib.suppress(ValueError):
        value = json.loads(inner)
        return value if isinstance(value, str) else text
    try:
        tree = ast.parse(inner, mode="eval")
        if any(isinstance(node, ast.Dict) and _is_doubled(node) for node in ast.walk(tree)):
            return text
        return orjson.dumps(ast.literal_eval(tree)).decode()
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _is_doubled(node: ast.Dict) -> bool:
    """Tell whether a literal gives one name several values."""
    names = [key.value for key in node.keys if isinstance(key, ast.Constant)]
    return len(set(names)) < len(names)
