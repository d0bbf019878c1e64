"""How judges write verdicts, and what turns one: patterns that `verdict_statements` reads with."""

import re

# Each of these patterns takes time that grows with a text's length alone: next to each other stand no two repeats that
# could share what they match, but for possessive ones.
PARTY = r"(?:response|answer|assistant)"
TOKEN = (
    r"(?:(?P<tie>(?:it(?:['\u2019]s|\s+is)\s+)?(?:an?\s+)?(?:clear\s+)?\b(?:tie|draw)\b)|(?P<left>\b[AB]\b)"
    r"(?:[\"'*_`)\]]*+\s*+(?P<sign>>{1,3}|<{1,3}|={1,3}|[\u2248\u223c~\u227b\u227a\u226b\u226a])\s*+[\"'*_`(\[]*+"
    rf"(?:{PARTY}\s+)?(?P<right>[AB])\b)?)"
)
SIGNS = {">": 1, "\u227b": 1, "\u226b": 1, "<": -1, "\u227a": -1, "\u226a": -1}
ADVERBS = (
    r"(?:(?:the|clearly|slightly|much|overall|significantly|far|definitely|marginally|notably|considerably|somewhat"
    r"|substantially|ultimately|obviously|strongly|therefore|thus|clear|a\s+(?:bit|little|lot))\s+)*+"
)
BETTER = r"(?:better|best|preferred|preferable|superior|stronger|winner)\b(?:\s+(?:one|response|answer|choice)\b)?+"
# A word that names a verdict only with what it is said of: "better response", not "better".
PARTIAL = r"better|best|stronger|superior|winning|chosen"
FORMAL = re.compile(
    rf"\b(?P<word>verdict|winner|preferred|preference|decision|judge?ment|answer|choice|(?:{PARTIAL})(?=\s+[a-z]))\b"
    r"(?P<noun>\s++(?:response|answer|one|choice|option)\b)?(?P<quote>[\"'*_` \t]*+)"
    r"(?P<link>\s*+(?:is\b\s*+:?|:|=)|\s*+(?<=\n))[\"'*_`#\s]*+"
    rf"{ADVERBS}(?:{PARTY}[\"'*_`\s]*+)?[\"'*_`(\[]*+{TOKEN}",
    re.IGNORECASE,
)
LOOSE = re.compile(
    rf"(?:\b{PARTY}\s+[\"'*_(\[]*+)?\b(?P<left>(?-i:[AB]))\b[\"'*_)\]]*+\s+"
    rf"(?:wins\b|(?:is|was)\s+(?:a\s+)?{ADVERBS}{BETTER}|should\s+be\s+(?:preferred|chosen)\b)",
    re.IGNORECASE,
)
PICK = re.compile(
    r"\bI(?:\s+would|['\u2019]d)?\s+(?:pick|choose|prefer|select|favou?r|go\s+with|vote\s+for|say(?:\s+it\s+is)?)\s+"
    rf"(?:{PARTY}\s+)?[\"'*_(\[]*+\b(?P<left>(?-i:[AB]))\b",
    re.IGNORECASE,
)
EVEN = re.compile(
    r"\b(?:it(?:['\u2019]s|\s+is)|this\s+is|they\s+are)\s+a\s+(?:clear\s+)?(?P<tie>tie|draw)\b", re.IGNORECASE
)
MARKED = re.compile(
    r"\[\[([^\[\]\n]{1,40})\]\]|\\boxed\{\s*(?:\\text\{)?([^{}\n]{1,40})\}"
    r"|<(?:verdict|winner|choice|preference|(?:final_?)?answer)>\s*([^\n]{1,40}?)\s*</",
    re.IGNORECASE,
)
# "[[A]], [[B]] or [[C]]" is the echo of a format asked for, and so is "A, B or tie".
ECHO = re.compile(r"\[\[\w+\]\](?:(?:\s|,|/|\||\bor\b)++\[\[\w+\]\])+", re.IGNORECASE)
ECHOED = re.compile(r"[\"'*_\s]*(?:,|/|\||\bor\b)[\"'*_\s]*(?-i:\b[AB]\b|tie\b)|[\"'*_)\s]*\?", re.IGNORECASE)
BARE = re.compile(rf"[\"'*_`(\[\s]*+(?:(?:{PARTY}|model)\s+)?{TOKEN}[\"'*_`)\].:!\s]*+", re.IGNORECASE)
OPENING = re.compile(
    rf"\s*+[*_]*+(?:{PARTY}\s+)?(?P<left>(?-i:[AB]))[*_]*+,?\s+(?:because|since|as\s+it)\b", re.IGNORECASE
)
LINE_END = re.compile(r"[\"'*_`)\].!}]*+[ \t]*+(?:\n|\Z)")
# How a formal verdict goes on where it is one.
TAKES_BACK = r"(?:no|not|or|but not|if|unless|wait|maybe|perhaps|actually|rather|only)\b"
TAIL = re.compile(
    r"[\"'*_`)\]}]*+(?:\s*\Z|[ \t]*\n|[.!](?![\w=])|\s*<[/|]|\s*[{\[#]"
    rf"|[;,](?!\s*(?:\d|{TAKES_BACK}|(?-i:[AB])\b))"
    r"|\s+(?:because|since|as|by|for|with|over|due|wins|overall|between)\b"
    rf"|\s+\((?!\s*(?:[\d?]|{TAKES_BACK}))|\s*[-:\u2013\u2014]\s+(?![\d+]|{TAKES_BACK})"
    rf"|\s+is\s+{ADVERBS}{BETTER}(?=[\s*_)]*(?:[.,!\"]|\Z|\n|because\b|than\b)))",
    re.IGNORECASE,
)
# One for each: "A for style, B for substance".
SHARED = re.compile(r"(?:,|\band|\bbut)\s+(?-i:[AB])\s+(?:for|by|in|on|with|over)\b|\bonly\b", re.IGNORECASE)
CHOICE = re.compile(
    r"\b(?:correct|right|true|actual|reference|gold|expected|student|user|proposed|their|its|whose)(?:\W+final)?\W*\Z"
    rf"|['\u2019]s(?:\W+final)?\W*\Z|\b{PARTY}s?\b",
    re.IGNORECASE,
)
# What speaks of responses to a question that has choices.
CHOOSES = re.compile(
    rf"\b{PARTY}\s+[AB]\s+(?:\w+ly\s+)?(?:also\s+)?(?:says?|gives?|gave|picks?|picked|chooses?|chose|states?|selects?|selected"
    r"|answers?|answered|concludes?|arrives?|gets?|reaches|reached|has|identifies|claims?|wrote|said)\b",
    re.IGNORECASE,
)
# All that may lead to a verdict in a sentence.
LEAD = re.compile(
    r"[\W_]*(?:(?:overall|therefore|thus|so|hence|finally|clearly|ultimately|conclusion|summary|result|and|well"
    r"|sure|okay"
    r"|in (?:conclusion|summary|short|sum|the end|total|my (?:opinion|view|judge?ment))"
    r"|to (?:conclude|summari[sz]e|sum up)"
    r"|all in all|as a result|consequently|(?:after|based on|given|considering)(?: (?:evaluating|comparing|reviewing"
    r"|the|this|these|my|both|all|two|above|of|and|careful|responses|answers|evaluation|comparison|analysis|assessment|criteria))+"
    r"|(?:it is|it['\u2019]s) (?:clear|evident|obvious) that|"
    r"I (?:would )?(?:think|believe|find|conclude|judge|say|feel)(?: that)?"
    r"|(?:my |the |our )?(?:final |overall )?(?:verdict|decision|conclusion|judge?ment)(?: is(?: that)?)?"
    r"|my|the|our|final|overall)\b[\s,:*_\"'`]*)*",
    re.IGNORECASE,
)
LOOSE_TAIL = re.compile(
    rf"[\"'*_`)\]]*+(?:\s+overall\b)?(?:\s+(?:than|over|to)\s+(?:{PARTY}\s+)?[*_]*(?P<other>[AB])\b[*_]*)?"
    r"(?:\s+in\s+(?:every|all)\s+(?:way|respect|aspect|regard)s?)?"
    r"(?:\s*\Z|[ \t]*\n|[.!](?!\w)|\s*[:\"}<{\[]|,?\s*(?:because|since|as\s+(?:it|response)|due\s+to|by\s+both)\b"
    r"|,\s*(?:and|with|which|providing|offering|being)\b|\s+and\b)",
    re.IGNORECASE,
)
CONTRAST = re.compile(
    r"\b(?:but|however|though|although|yet|except|only|if|unless|until|while|whereas|in terms of)\b|\?", re.IGNORECASE
)
TURN = re.compile(
    r"[\s\"'*_]*(?:but|however|yet|still|nevertheless|nonetheless|that said|unfortunately|hardly|not|no)\b",
    re.IGNORECASE,
)
