"""Words that turn a verdict round: its response is worse, or the other one shares or takes it."""

import re
from collections.abc import Iterator

from real_cli.llm.statements import SENTENCE_WIDTH, is_doubted, sentence_before, sentence_behind
from real_cli.llm.verdict_patterns import ADVERBS, BETTER, PARTY

GOOD = (
    r"(?:better|best|good|preferred|preferable|superior|stronger|right|correct|accurate|helpful|useful|true|safe|clear"
    r"|relevant|complete|truthful|honest|convincing|acceptable|reliable|winner)"
)
BAD = (
    r"(?:worse|worst(?!\s+case)|wrong|incorrect|inferior|weak(?:er|est)?|poor(?:er|est)?|bad|reject(?:ed|s)?|losers?"
    r"|loses|lost|losing|fail(?:s|ed|ing)?|unsafe|harmful|dangerous|false|untrue|inaccurate|unhelpful|misleading|flawed"
    r"|unacceptable|dispreferred|disfavou?red|disqualified|runner-?up|second[- ]best|avoid(?:ed)?"
    r"|discard(?:ed)?|dismiss(?:ed)?"
    rf"|(?:less|least|not)\s+{ADVERBS}{GOOD})\b"
)
SUBJECT = r"(?:which|that|this|it|as|because|since|for|and|being|(?-i:an?)|the|with|so)"
VERB = r"(?:is|was|seems|looks|remains|being|has\s+been|should\s+be)"
HAS_ERRORS = r"(?:has|contains|makes|with)\s+(?:(?!no\b|few)\w+\s+){0,2}(?:errors?|mistakes?|flaws?)\b"
# The words between are few and say nothing: "A, which is clearly the worse one", not "A corrects the wrong premise".
DIRECT = re.compile(
    rf"[\"'*_`)\]\s]*+[,:;(\[{{\u2013\u2014-]*+\s*+(?:(?:{SUBJECT}|{VERB})\s+){{0,6}}{ADVERBS}"
    rf"(?:(?:{PARTY}|one)\s+(?:that\s+)?{VERB}\s+{ADVERBS})?(?:{BAD}|{HAS_ERRORS})",
    re.IGNORECASE,
)
BELOW = (
    r"[\s\"'*_(]*+(?:(?:this|that|it|which|(?:this|that)\s+{party}|(?:the\s+)?(?:{party}\s+)?(?-i:{named}))"
    r"(?:['\u2019]s|\s+{verb})?\s+)?(?:(?:(?-i:an?)|the|{party})\s+)*{adverbs}{bad}"
)
# What gives the other response its place behind a verdict: "over B", "because B is wrong".
PLACED = re.compile(
    r"\b(?:than|over|to|not|no|vs|versus|against|beats?|unlike|of|and|from|between|in|for|by|with|about|as|at|both|nor)\s+(?:the\s+)?"
    rf"(?:{PARTY}\s+)?[\[\"'*_]*\Z",
    re.IGNORECASE,
)
CHANGED = re.compile(
    r"\b(?:chang|revis|correct|switch|adjust|updat|amend|flip|revers)\w*(?:\s+\w+){0,3}\s+to\W*\Z", re.IGNORECASE
)
# "I would reject [[A]]", "Worse: [[A]]".
LOSING = re.compile(
    r"\b(?:reject(?:ed|ing|s)?|worse|worst|losers?|losing|weaker|weakest|inferior|dispreferred|discard(?:ed)?|eliminated?)\b"
    r"[^,.]{0,40}\Z",
    re.IGNORECASE,
)
SCORES = re.compile(
    rf"\bA\b[\"'*_)\]]*\s*[:=]?\s*(?P<a>\d{{1,3}}(?:\.\d{{1,3}})?)(?P<of>\s*/\s*\d{{1,3}})?+[\s,;|]+(?:and\s+)?(?:[Ss]core\s+)?"
    rf"(?:(?i:{PARTY})\s+)?B\b[\"'*_)\]]*\s*[:=]?\s*(?P<b>\d{{1,3}}(?:\.\d{{1,3}})?)"
)
SCORED = re.compile(r"\b(?:scores?|ratings?|points)\b", re.IGNORECASE)
LACKS = (
    r"[*_\"']*\s+(?:(?:is|was|looks|seems)\s+{adverbs}(?:even\s+)?{bad}|(?:is|was|does|did|can|has|could)(?:\s+not\b|n['\u2019]t\b|not\b)"
    r"|fails|lacks|misses|ignores|omits|contradicts|invents|hallucinates)"
)
BARE_END = r"(?=[\"'*_`)\]}]*\s*(?:[)\]}.,:;!?]|\Z))"
SEGMENT_END = re.compile(r"\n|<[^<>\n]{1,40}>")
SEGMENT_LABEL = re.compile(r"[\s>#*_\u2022-]*+(?:[^\W_][\w \t'*-]{0,40}+[:=]\s*+)?+")
SEGMENT_WIDTH = 100
# "I meant B." is short; a longer sentence gives reasons.
LEAD_WIDTH = 30
# As far as an answer is searched for words against its verdict.
READ_WIDTH = 20_000


def is_turned_round(text: str, end: int, named: str) -> bool:
    """Tell whether the words behind a verdict for A or B, up to the end of the next sentence, turn it round.

    >>> is_turned_round("A (worse)", 1, "A"), is_turned_round("A because B is worse", 1, "A")
    (True, False)
    """
    if named not in ("A", "B"):
        return False
    other = "B" if named == "A" else "A"
    behind = sentence_behind(text, end)
    rest = text[end + len(behind) : end + len(behind) + SENTENCE_WIDTH].lstrip()
    following = sentence_behind(rest, 0)
    below = BELOW.format(party=PARTY, named=named, verb=VERB, adverbs=ADVERBS, bad=BAD)
    return bool(
        DIRECT.match(behind)
        or re.match(below, following, re.IGNORECASE)
        or _names_other(behind, other)
        or _shares(behind, following, other)
    )


def speaks_against(text: str, start: int, named: str) -> bool:
    """Tell whether a text says anywhere that A, the verdict, is worse, or behind its start that B takes its place.

    >>> speaks_against("A. I meant B.", 2, "A"), speaks_against("A. It says more than B.", 2, "A")
    (True, False)
    """
    if named not in ("A", "B"):
        return False
    other = "B" if named == "A" else "A"
    worse = rf"\b{named}[*_]*\s+(?i:(?:is|was)\s+{ADVERBS}(?:worse|worst|inferior|weaker)(?:\s+(?:one|{PARTY}))?)"
    better = rf"\b{other}[*_]*\s+(?i:(?:is|was|should\s+be)\s+{ADVERBS}(?:{BETTER}|chosen|the\s+verdict)|deserves\s+it)"
    instead = rf"(?<!\[\[)\b{other}\b(?=[\"'*_`)\]}}]*\s*(?:[)\]}}.;!]|\Z|\n))"
    ends = r"(?=[*_]*\s*(?:[.,;!)\n]|\Z|overall\b|because\b|since\b))"
    for pattern, begin in ((worse + ends, 0), (better + ends, start)):
        if any(not is_doubted(text, match.start()) for match in re.finditer(pattern, text[begin : begin + READ_WIDTH])):
            return True
    behind = text[start : start + READ_WIDTH]
    for match in re.finditer(instead, behind):
        lead = sentence_before(behind, match.start())
        if len(lead) <= LEAD_WIDTH and not _is_placed(lead + " ") and not is_doubted(behind, match.start()):
            return True
    return False


def _is_placed(lead: str) -> bool:
    return PLACED.search(lead) is not None and not CHANGED.search(lead)


def loses_before(lead: str, named: str) -> bool:
    """Tell whether the words before a mark name its response as the one that loses.

    >>> loses_before("The worse response is ", "A"), loses_before("B is worse: ", "A")
    (True, False)
    """
    other = {"A": "B", "B": "A"}.get(named, "tie")
    return LOSING.search(lead) is not None and not re.search(rf"\b{other}\b", lead)


def is_outscored(text: str, named: str) -> bool:
    """Tell whether scores of both responses stand in a text, and the other one has the higher.

    >>> is_outscored("Scores: A 2, B 9", "A"), is_outscored("A: 9/10, B: 2/10", "A")
    (True, False)
    """
    for match in SCORES.finditer(text):
        if match["of"] or SCORED.search(text, max(match.start() - LEAD_WIDTH, 0), match.end()):
            margin = float(match["a"]) - float(match["b"])
            if margin and named == ("B" if margin > 0 else "A"):
                return True
    return False


def _names_other(behind: str, other: str) -> bool:
    """Tell whether the other letter stands alone, as in "A (reversed: B)", or is held against the verdict."""
    for match in re.finditer(rf"(?<!\[\[)\b{other}\b{BARE_END}", behind):
        if not _is_placed(behind[: match.start()]):
            return True
    lacks = LACKS.format(adverbs=ADVERBS, bad=BAD)
    contrast = re.search(r"\b(?:but|however|yet|except)\b", behind, re.IGNORECASE)
    rest = behind[contrast.end() :] if contrast else ""
    return any(not re.match(lacks, rest[match.end() :], re.IGNORECASE) for match in re.finditer(rf"\b{other}\b", rest))


def _shares(behind: str, following: str, other: str) -> bool:
    """Tell whether the other response has a part of the verdict: "A for style. B for substance"."""
    part = rf"(?:{PARTY}\s+)?(?-i:{other})[*_]*\s+(?:for|by|in|on|with|without|over)\b"
    within = rf"(?:[,;:(\u2013\u2014-]|\band|\bbut)\s*{part}"
    return bool(re.search(within, behind, re.IGNORECASE) or re.match(rf"[\W_]*{part}", following, re.IGNORECASE))


def is_spoken_of(behind: str) -> bool:
    """Tell whether a mark such as [[A]] is the subject of a sentence that gives no verdict.

    >>> is_spoken_of(" is what many would say."), is_spoken_of(" is better.")
    (True, False)
    """
    return SPOKEN_OF.match(behind[:100]) is not None


SPOKEN_OF = re.compile(
    r"[\"'*_\s]*(?:would|could|might|may|should|cannot|seems?|looks?|appears?|was|has|had|loses|fails"
    rf"|is(?!\s+(?:my|our|right|correct|it|{ADVERBS}{BETTER})\b))\b",
    re.IGNORECASE,
)


def segments(text: str, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield the short lines below a position, cut at tags too: start, start behind a label such as "Final:", end.

    >>> text = "Verdict: A</x>Final: B"
    >>> [(text[start:end], text[inner:end]) for start, inner, end in segments(text, 10)]
    [('Final: B', 'B')]
    """
    cuts = [match.span() for match in SEGMENT_END.finditer(text, start)]
    ends = [*(cut[0] for cut in cuts[1:]), len(text)]
    for (_, begin), end in zip(cuts, ends[: len(cuts)], strict=True):
        if end - begin <= SEGMENT_WIDTH and text[begin:end].strip():
            label = SEGMENT_LABEL.match(text, begin, end)
            yield begin, label.end() if label else begin, end
