"""A tokenizer's regular expressions that could run forever, found without running them."""

import re
from dataclasses import dataclass

MAX_LENGTH = 20_000
# More nested repetitions than this are as good as endless.
MANY = 1000
QUANTIFIER = re.compile(r"(?P<sign>[*+?])|\{(?P<low>\d*)(?P<comma>,?)(?P<high>\d*)\}")
ENDLESS = "repeats what repeats, which can take for ever; give a tokenizer without such a pattern"
OPENING = re.compile(r"\((\?(<?[=!]|[:>]|P?<\w+>|[a-zA-Z-]*:|[a-zA-Z-]+(?=\)))?)?")


@dataclass
class PatternGroup:
    """An open group: how often something in it is repeated, and whether it has alternatives."""

    repeats: int = 1
    has_alternatives: bool = False


def pattern_problem(pattern: str) -> str:
    """Say what speaks against a pattern.

    >>> pattern_problem("(a+)+$")
    'repeats what repeats, which can take for ever; give a tokenizer without such a pattern'
    >>> pattern_problem(r"(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+")
    ''
    """
    if len(pattern) > MAX_LENGTH:
        return f"has {len(pattern):,} characters; at most {MAX_LENGTH:,} are read"
    groups = [PatternGroup()]
    place = 0
    while place < len(pattern):
        character = pattern[place]
        closed = None
        if character == "(":
            opening = OPENING.match(pattern, place)
            groups.append(PatternGroup())
            place = opening.end() if opening else place + 1
            continue
        if character == ")":
            closed = groups.pop() if len(groups) > 1 else None
            place += 1
        elif character == "|":
            groups[-1].has_alternatives = True
            place += 1
            continue
        else:
            place = _end_of_atom(pattern, place)
        times, place = _times(pattern, place)
        if closed and times > 1 and (times * closed.repeats > MANY and (closed.repeats > 1 or closed.has_alternatives)):
            return ENDLESS
        groups[-1].repeats = max(groups[-1].repeats, times * (closed.repeats if closed else 1))
        if closed:
            groups[-1].has_alternatives |= closed.has_alternatives
    return ""


def _end_of_atom(pattern: str, place: int) -> int:
    """Return where a character, an escape or a class ends."""
    if pattern[place] == "\\":
        named = re.compile(r"\\[pPkgx]\{[^}]*\}").match(pattern, place)
        return named.end() if named else place + 2
    if pattern[place] != "[":
        return place + 1
    depth = 0
    while place < len(pattern):
        if pattern[place] == "\\":
            place += 1
        elif pattern[place] == "[":
            depth += 1
            place += pattern[place + 1 : place + 2] == "^"
            place += pattern[place + 1 : place + 2] == "]"  # the first stands for itself
        elif pattern[place] == "]":
            depth -= 1
            if not depth:
                return place + 1
        place += 1
    return place


def _times(pattern: str, place: int) -> tuple[int, int]:
    """Return how often what ends here is repeated at most, and where its quantifiers end."""
    times = 1
    while quantifier := QUANTIFIER.match(pattern, place):
        place = quantifier.end()
        if quantifier["sign"] == "?":
            continue  # optional; or it makes the quantifier before it lazy
        if quantifier["sign"] or (quantifier["comma"] and not quantifier["high"]):
            times *= MANY * MANY
        else:
            times *= max(1, int((quantifier["high"] or quantifier["low"] or "1")[:9]))
    return times, place
