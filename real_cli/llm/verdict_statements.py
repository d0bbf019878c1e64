"""Statements of a verdict in an answer, formal ones and those in a sentence."""

import re
from collections.abc import Iterator, Sequence, Set
from typing import Any

from real_cli.llm.embedded_json import located_objects
from real_cli.llm.reversals import is_outscored, is_spoken_of, is_turned_round, loses_before, segments, speaks_against
from real_cli.llm.statements import (
    Statement,
    blanked,
    is_doubted,
    outer_lines,
    sentence_before,
    sentence_behind,
    spelling,
)
from real_cli.llm.verdict_fields import UNCLEAR, field_verdicts
from real_cli.llm.verdict_patterns import (
    BARE,
    BARE_LEAD,
    BEFORE_WORD,
    BETWEEN,
    CHOICE,
    CHOOSES,
    CONTRAST,
    ECHO,
    ECHOED,
    EVEN,
    FORMAL,
    JUDGES_OWN,
    LEAD,
    LETTER,
    LINE_END,
    LOOSE,
    LOOSE_TAIL,
    MARKED,
    OPENING,
    PICK,
    SHARED,
    SIGNS,
    TAIL,
    TURN,
)
from real_cli.llm.verdict_strengths import is_unsigned


def formal_verdicts(text: str, *, has_choices: bool = False) -> Iterator[Statement[str]]:
    """Yield the formal verdicts of a text: JSON, [[A]], or a name and a letter; clear sentences after them count too.

    >>> [statement.value for statement in formal_verdicts('{"verdict": "A"} or [[B]]. Winner: tie')]
    ['A', 'B', 'tie']
    """
    objects = []
    for start, end, record in located_objects(text):
        stated = field_verdicts(record, _of_field, whole_verdict)
        objects += [(start, end)] * bool(stated)
        for value, words in stated:
            yield Statement(value, words if len(record) == 1 else spelling(text[start:end]), start, end)
    end = max((end for _, end in objects), default=0)
    prose = ECHO.sub(lambda match: " " * len(match[0]), blanked(text, objects))
    marks = [
        statement for match in MARKED.finditer(prose) for statement in _statements(match, _marked_value(prose, match))
    ]
    yield from marks
    clear = [statement.start for statement in marks if statement.value != UNCLEAR]
    worded = list(_worded_verdicts(prose, clear, has_choices=has_choices or CHOOSES.search(prose) is not None))
    yield from worded
    end = max([end, *(statement.end for statement in (*marks, *worded))])
    if end:
        yield from (
            statement for statement in loose_verdicts(prose) if statement.start >= end and statement.value != UNCLEAR
        )
        yield from _below(prose, end)


def _worded_verdicts(prose: str, marks: list[int], *, has_choices: bool) -> Iterator[Statement[str]]:
    """Yield verdicts of a name and a letter, except unclear ones that a clear mark settles: "A, I think: [[A]]"."""
    for match in FORMAL.finditer(prose):
        if not _is_of_task(prose, match, has_choices=has_choices) and not _is_sentence(match):
            value = _formal_value(prose, match)
            ends = match.end() + len(sentence_behind(prose, match.end()))
            if value != UNCLEAR or not any(match.start() <= mark < ends for mark in marks):
                yield from _statements(match, value)


def _below(text: str, end: int) -> Iterator[Statement[str]]:
    """Yield the lines behind a verdict that are one: another letter takes the verdict back."""
    for start, inner, stop in segments(text, end):
        if verdict := whole_verdict(text[start:stop]) or whole_verdict(text[inner:stop]):
            yield Statement(verdict, spelling(text[start:stop]), start, stop)


def _of_field(key: str, value: Any) -> list[tuple[str, str]]:
    """Read a field that holds a verdict: a letter, or a sentence."""
    if not isinstance(value, str):
        return []
    whole = whole_verdict(value)
    if whole:
        return [(whole, _field_words(key, value))]
    words = f"verdict: {value}"
    stated = [_formal_value(words, match) for match in FORMAL.finditer(words)]
    stated += [_marked_value(value, match) for match in MARKED.finditer(value)]
    if not any(stated):
        stated = [statement.value for statement in loose_verdicts(value)]
    return [(verdict, _field_words(key, value)) for verdict in stated if verdict]


def _field_words(key: str, value: str) -> str:
    """Write a field as it would be quoted without its braces."""
    return spelling(f'{key}": "{value}')


def loose_verdicts(
    text: str, *, has_choices: bool = False, of_task: Set[str] = frozenset()
) -> Iterator[Statement[str]]:
    """Yield the verdicts that sentences of a text state; they count where there is no formal one.

    >>> [statement.value for statement in loose_verdicts("Response A is better.")]
    ['A']
    """
    has_choices = has_choices or CHOOSES.search(text) is not None
    for match in FORMAL.finditer(text):
        is_of_task = _is_of_task(text, match, has_choices=has_choices)
        if is_of_task and not match["tie"] and not CHOICE.search(sentence_before(text, match.start())[-20:]):
            yield from _statements(match, UNCLEAR)
        elif not is_of_task and _is_sentence(match):
            yield from _statements(match, _formal_value(text, match))
    for pattern in (LOOSE, PICK, EVEN):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            names = {f"{groups.get('party')} {groups.get('left')}".lower(), (groups.get("tie") or "").lower()}
            yield from _statements(match, UNCLEAR if names & of_task else _loose_value(text, match))


def unmarked_verdicts(
    text: str, *, has_choices: bool = False, of_task: Set[str] = frozenset()
) -> Iterator[Statement[str]]:
    """Yield the verdicts of an answer without a formal one, and the letters below them.

    >>> sorted({statement.value for statement in unmarked_verdicts("Response A is better.\\nB")})
    ['A', 'B']
    """
    stated = [*bare_verdicts(text), *loose_verdicts(text, has_choices=has_choices, of_task=of_task)]
    yield from stated
    if stated:
        yield from _below(text, min(statement.end for statement in stated))


def is_contradicted(text: str, shown: Sequence[str], named: str) -> bool:
    """Tell whether words around the verdict of an answer contradict it, unless they are quoted."""
    stated = [*formal_verdicts(text), *bare_verdicts(text), *loose_verdicts(text)]
    objects = list(located_objects(text))
    prose = blanked(text, [(start, end) for start, end, _ in objects])
    stating = [record for start, end, record in objects if not any(text[start:end] in other for other in shown)]
    if is_unsigned("", stating, named):
        return True
    if is_unsigned(prose, [], named):
        return not any(is_unsigned(other, [], named) for other in shown)
    last = max((statement.end for statement in stated if statement.value == named), default=len(text))
    last += len(sentence_behind(prose, last))
    if is_outscored(prose, named):
        return not any(is_outscored(other, named) for other in shown)
    return speaks_against(prose, last, named) and not any(speaks_against(other, 0, named) for other in shown)


def bare_verdicts(text: str) -> Iterator[Statement[str]]:
    """Yield a letter that opens an answer above its reasons, or ends it below them.

    >>> [statement.value for statement in bare_verdicts("A because it is true.")]
    ['A']
    """
    for start, end in outer_lines(text):
        if verdict := whole_verdict(text[start:end]):
            value = UNCLEAR if TURN.match(text, end) else verdict
            yield Statement(value, spelling(text[start:end]), start, end)
    if match := OPENING.match(text):
        contrasted = CONTRAST.search(sentence_behind(text, match.end()))
        clear = not contrasted and not is_turned_round(text, match.end("left"), match["left"])
        yield from _statements(match, match["left"] if clear else UNCLEAR)


def whole_verdict(text: str) -> str | None:
    """Read a text that is a verdict and nothing else; None for any other.

    >>> whole_verdict("Response A"), whole_verdict("A<B"), whole_verdict("A, B")
    ('A', 'B', None)
    """
    text = text.replace("_", " ")
    match = BARE.fullmatch(text)
    if not match and (lead := BARE_LEAD.match(text)):
        match = BARE.fullmatch(text, lead.end())
    return _named(match) if match else None


def _named(match: re.Match[str]) -> str:
    """Return the verdict of a letter, a tie, or two letters and a sign."""
    groups = match.groupdict()
    if any(groups.get(name) for name in ("tie", "equal", "neither")):
        return "tie"
    left, right = groups["left"].upper(), (groups.get("right") or "").upper()
    if not right:
        return left
    if left == right:
        return UNCLEAR
    return {1: left, -1: right}.get(SIGNS.get(groups["sign"][0], 0), "tie")


def _marked_value(text: str, match: re.Match[str]) -> str | None:
    """Read [[A]] and its kind; None for other words in such marks."""
    inner = next(group for group in match.groups() if group).strip()
    verdict = "tie" if inner.upper() == "C" and match[0].startswith("[[") else whole_verdict(inner)
    end = match.end()
    doubtful = is_spoken_of(text[end : end + 100]) or is_doubted(text, match.start())
    doubtful = doubtful or loses_before(sentence_before(text, match.start()), verdict or "")
    return UNCLEAR if verdict and (doubtful or is_turned_round(text, end, verdict)) else verdict


def _formal_value(text: str, match: re.Match[str]) -> str | None:
    """Read a name and a letter; None where they only look like a verdict."""
    behind, plain = text[match.end() : match.end() + 200], not match["tie"] and not match["sign"]
    if ECHOED.match(behind) or (plain and match["left"].islower() and not LINE_END.match(behind)):
        return None
    lead = sentence_before(text, match.start())
    if not match["link"].strip() and not (LEAD.fullmatch(lead) and LINE_END.match(behind)):
        return None
    if not TAIL.match(behind):
        is_article = plain and match["word"].casefold() not in ("verdict", "winner")
        return None if is_article and re.match(r"[ \t]+[a-z\"]", behind) else UNCLEAR
    if '"' in match["quote"] and behind[:1] in ('"', ""):
        return _named(match)
    is_sentence = match["link"].strip().lower().startswith("is")
    doubtful = _is_turned(text, match) if is_sentence else _is_partial(lead) or is_doubted(text, match.start())
    return UNCLEAR if doubtful or _is_opposed(text, match) else _named(match)


def _is_opposed(text: str, match: re.Match[str]) -> bool:
    """Tell whether the words after a verdict favor the other response: "A (B is better)", "A. However, B is ..."."""
    behind, named = sentence_behind(text, match.end()), _named(match)
    if is_turned_round(text, match.end(), named):
        return True
    following = sentence_behind(text, match.end() + len(behind))
    others = {letter for letter in "AB" if letter != named}
    if TURN.match(following) and others & set(LETTER.findall(following)):
        return True
    unequal = match["tie"] and (CONTRAST.search(behind) or LETTER.search(BETWEEN.sub("", behind)))
    return bool(unequal or SHARED.search(behind) or any(loose["left"] in others for loose in LOOSE.finditer(behind)))


def _is_partial(lead: str) -> bool:
    """Tell "style winner" and "verdict on style" from "my final verdict"."""
    word = re.search(r"([^\W\d_]+)[\s*_`\"'-]*\Z", lead)
    return word is not None and not BEFORE_WORD.fullmatch(word[1])


def _is_turned(text: str, match: re.Match[str]) -> bool:
    """Tell whether the words before or after a verdict in a sentence may reverse it."""
    behind = sentence_behind(text, match.end())
    after = text[match.end() + len(behind) :][:40]
    qualified = re.match(r"[\W_]*?,", behind) and not LOOSE_TAIL.match(behind)
    led = LEAD.fullmatch(sentence_before(text, match.start()))
    return bool(not led or qualified or CONTRAST.search(behind) or TURN.match(after))


def _is_of_task(text: str, match: re.Match[str], *, has_choices: bool) -> bool:
    """Tell whether "the answer is A" or "correct choice: A" may mean a choice of the task, not a response."""
    if match["word"].casefold() not in ("answer", "choice", "result", "outcome"):
        names_choice = (match["noun"] or "").strip().casefold() in ("answer", "choice", "option")
        return has_choices and names_choice
    lead = sentence_before(text, match.start())
    said_of_it = match["link"].strip().lower().startswith("is") or CHOICE.search(lead[-20:])
    # "My final answer is A", at the end, is the judge's verdict.
    if said_of_it and JUDGES_OWN.search(lead) and not LETTER.search(text, match.end()):
        said_of_it = None
    return bool(said_of_it or has_choices)


def _is_sentence(match: re.Match[str]) -> bool:
    """Tell "the better response is A", which other words may qualify, from "better response: A"."""
    names_response = match["noun"] is not None and match["word"].casefold() not in ("verdict", "winner")
    return names_response and match["link"].strip().lower().startswith("is")


def _loose_value(text: str, match: re.Match[str]) -> str:
    """Read a verdict in a sentence; one that words before or after it may reverse is unclear."""
    tail = LOOSE_TAIL.match(text, match.end())
    clear = tail and (tail["other"] or "").upper() != match.groupdict().get("left")
    if clear and match.re is EVEN:
        # A response named after a tie may be preferred.
        clear = not LETTER.search(text, match.end())
    end = tail.end("other") if tail and tail["other"] else match.end()
    turned = _is_turned(text, match) or is_turned_round(text, end, _named(match))
    return UNCLEAR if not clear or turned else _named(match)


def _statements(match: re.Match[str], value: str | None) -> Iterator[Statement[str]]:
    if value:
        yield Statement(value, spelling(match[0]), *match.span())
