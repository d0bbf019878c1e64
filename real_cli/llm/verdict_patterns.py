"""Patterns of how judges write verdicts, and of what reverses one, for `verdict_statements`."""

import re

# Each of these patterns takes linear time: no two adjacent repeats can match the same characters, unless possessive.
PARTY = r"(?:response|answer|(?:ai\s+)?assistant|output|completion|candidate|model)"
ADVERBS = (
    r"(?:(?:the|clearly|slightly|much|overall|significantly|far|definitely|marginally|notably|considerably|somewhat"
    r"|substantially|ultimately|obviously|strongly|therefore|thus|clear|roughly|about|essentially|virtually"
    r"|a\s+(?:bit|little|lot))\s+)*+"
)
# The clause must end behind it: "equal in style" is no tie.
EQUAL = r"(?:equal(?:ly\s+(?:good|bad|strong|weak|poor|preferable))?|tied|even|(?:the\s+)?same)"
CLAUSE_ENDS = r"(?=[\"'*_`)\]}]*+\s*(?:\Z|\n|[.!](?!\w)|[,;({\"\[|<]|[-\u2013\u2014]\s))"
PEERS = rf"(?:both|they|the\s+two|the)(?:\s+{PARTY}s)?"
NEITHER = rf"neither(?:\s+(?:of\s+(?:them|the\s+two)|{PARTY}|one))?"
TOKEN = (
    r"(?:(?P<tie>(?:(?:it(?:['\u2019]s|\s+is)\s+)?(?:an?\s+)?(?:clear\s+)?\b(?:tie|draw)\b"
    rf"|\b(?:(?:{PEERS}\s+)?(?:are\s+)?{ADVERBS}{EQUAL}|{NEITHER}(?:\s+is\s+{ADVERBS}better)?"
    rf"|no\s+(?:clear\s+)?(?:preference|difference|winner)){CLAUSE_ENDS}))|(?P<left>\b[AB]\b)"
    r"(?:[\"'*_`)\]]*+\s*+(?P<sign>>{1,3}|<{1,3}|={1,3}|[\u2248\u223c~\u227b\u227a\u226b\u226a])\s*+[\"'*_`(\[]*+"
    rf"(?:{PARTY}\s+)?(?P<right>[AB])\b)?)"
)
SIGNS = {">": 1, "\u227b": 1, "\u226b": 1, "<": -1, "\u227a": -1, "\u226a": -1}
BETTER = r"(?:better|best|preferred|preferable|superior|stronger|winner)\b(?:\s+(?:one|response|answer|choice)\b)?+"
# Words that name a verdict only with a noun: "better response", not "better".
PARTIAL = r"better|best|stronger|superior|winning|chosen"
FORMAL = re.compile(
    rf"\b(?P<word>verdict|winner|preferred|preference|decision|judge?ment|answer|choice|result|outcome|selection"
    rf"|(?:overall|final|conclusion|corrected|correction|revised)(?=[\"'*_` \t]*+[:|])"
    rf"|(?:{PARTIAL})(?=\s+[a-z]|[\"'*_`]*+\s*+[:=]))\b"
    r"(?P<noun>\s++(?:response|answer|one|choice|option)\b)?(?P<quote>[\"'*_` \t]*+)"
    r"(?P<link>\s*+(?:is\b\s*+:?|:|[-=]>|[\u2192\u21d2]|=|\|)|(?<=[\s*_])[-\u2013\u2014]\s|\s*+(?<=\n))[\"'*_`#\s]*+(?:[-\u2022]\s++)?+[\"'*_`]*+"
    rf"{ADVERBS}(?:(?:{PARTY}|option)[\"'*_`\s]*+)?[\"'*_`(\[]*+{TOKEN}",
    re.IGNORECASE,
)
ASKER = (
    r"(?:the|this)\s+(?:person|user|reader|asker|writer|prompt|question)"
    r"(?:\s+who\s+(?:wrote|asked)\s+(?:the|this)\s+(?:prompt|question))?+"
)
HELPS = r"(?:serves|answers|helps|addresses)"
SERVES = (
    rf"{ADVERBS}(?:better\s+{HELPS}\s+{ASKER}|{HELPS}\s+{ASKER}\s+{ADVERBS}better\b"
    rf"|(?:does|provides|gives|offers|is)\s+an?\s+{ADVERBS}better\s+(?:job|answer|response)\b"
    r"|is\s+the\s+(?:one|response)\s+(?:that\s+)?I\s+(?:would\s+)?(?:prefer|choose|pick)\b"
    rf"|(?:beats|outperforms|surpasses)(?=\s+(?:{PARTY}\s+)?[*_]*+[AB]\b))"
)
LOOSE = re.compile(
    rf"(?:\b(?P<party>{PARTY})\s+[\"'*_(\[]*+)?\b(?P<left>(?-i:[AB]))\b[\"'*_)\]]*+\s+"
    rf"(?:wins\b|(?:is|was)\s+(?:a\s+)?{ADVERBS}{BETTER}|should\s+be\s+(?:preferred|chosen)\b|{SERVES})",
    re.IGNORECASE,
)
PICK = re.compile(
    r"\b(?:I(?:\s+would|['\u2019]d)?\s+(?:pick|choose|prefer|select|favou?r|go\s+with|vote\s+for|say(?:\s+it\s+is)?)"
    r"|I(?:\s+am|['\u2019]m)\s+(?:going\s+with|choosing|picking)|my\s+(?:pick|vote|pick)\s+(?:is|goes\s+to|is\s+for))\s+"
    rf"(?:{PARTY}\s+)?[\"'*_(\[]*+\b(?P<left>(?-i:[AB]))\b(?![\"'*_)\]]*+\s+(?:is|was|wins|should)\b)",
    re.IGNORECASE,
)
EVEN = re.compile(
    rf"\b(?:(?:it(?:['\u2019]s|\s+is)|this\s+is|they\s+are|(?:result|outcome|comparison)\s+is|I(?:\s+would|['\u2019]d)?"
    r"\s+(?:call|consider|declare|judge|rate)\s+(?:it|this|them))\s+(?:a\s+)?(?:clear\s+|virtual\s+)?(?P<tie>tie|draw)\b"
    rf"|(?:{PEERS}|(?:{PARTY}s?\s+)?A\s+and\s+(?:{PARTY}\s+)?B)\s+are\s+{ADVERBS}(?P<equal>{EQUAL})\b"
    rf"|{NEITHER}\s+is\s+{ADVERBS}(?P<neither>better|superior|preferable)\b)",
    re.IGNORECASE,
)
MARKED = re.compile(
    r"\[\[([^\[\]\n]{1,40})\]\]|\\boxed\{\s*(?:\\text\{)?([^{}\n]{1,40})\}"
    r"|<(?:(?:final_?)?(?:verdict|answer)|winner|choice|preference|preferred|result|decision|judge?ment)>\s*+"
    r"([^\n<]{1,40}?)\s*</|\[result\][\s:]*+([^\n]{1,40}?)\s*(?:\n|\Z)",
    re.IGNORECASE,
)
# "[[A]], [[B]] or [[C]]" is the echo of a format asked for, and so is "A, B or tie".
ECHO = re.compile(r"\[\[\w+\]\](?:(?:\s|,|/|\||\bor\b)++\[\[\w+\]\])+", re.IGNORECASE)
ECHOED = re.compile(r"[\"'*_\s]*(?:,|/|\||\bor\b)[\"'*_\s]*(?-i:\b[AB]\b|tie\b)|[\"'*_)\s]*\?", re.IGNORECASE)
BARE = re.compile(rf"[\"'*_`(\[\s]*+(?:(?:{PARTY}|option)\s+)?{TOKEN}[\"'*_`)\].:!\s]*+", re.IGNORECASE)
OPENING = re.compile(
    rf"\s*+[*_]*+(?:{PARTY}\s+)?(?P<left>(?-i:[AB]))[*_]*+,?\s+(?:because|since|as\s+it)\b", re.IGNORECASE
)
LINE_END = re.compile(r"[\"'*_`)\].!}]*+[ \t]*+(?:\n|\Z)")
# What may follow a formal verdict.
TAKES_BACK = r"(?:no|not|or|but not|if|unless|wait|maybe|perhaps|actually|rather|only)\b"
TAIL = re.compile(
    r"[\"'*_`)\]}]*+(?:\s*\Z|[ \t]*\n|[.!](?![a-z\d_=.])|\s*<[/|]|\s*(?:[{#]|\[(?!\s*[AB]\]))|[ \t]*\|[ \t]*(?:\n|\Z)"
    r"|\s*\((?:0?\.\d{1,4}|\d{1,3}\s*%)\)\s*(?:\n|\Z|[.}\"])"
    rf"|[;,](?!\s*(?:\d|{TAKES_BACK}|(?-i:[AB])\b))"
    r"|\s+(?:because|since|as|by|for|with|over|due|wins|overall|between)\b"
    rf"|\s*\((?!\s*(?:[\d?]|{TAKES_BACK}))|\s*[-:\u2013\u2014]\s+(?![\d+]|{TAKES_BACK}|[AB]\W*(?:\n|\Z))"
    rf"|\s+is\s+{ADVERBS}{BETTER}(?=[\s*_)]*(?:[.,!\":]|\Z|\n|because\b|than\b)))",
    re.IGNORECASE,
)
# A split verdict: "A for style, B for substance".
SHARED = re.compile(r"(?:,|\band|\bbut)\s+(?-i:[AB])\s+(?:for|by|in|on|with|over)\b|\bonly\b", re.IGNORECASE)
CHOICE = re.compile(
    r"\b(?:correct|right|true|actual|reference|gold|expected|student|user|proposed|their|its|whose)(?:\W+final)?\W*\Z"
    rf"|['\u2019]s(?:\W+final)?\W*\Z|\b{PARTY}s?\b",
    re.IGNORECASE,
)
# Says which choice a response picks, so the task has choices.
CHOOSES = re.compile(
    rf"\b{PARTY}\s+[AB]\s+(?:\w+ly\s+)?(?:also\s+)?(?:says?|gives?|gave|picks?|picked|chooses?|chose|states?|selects?|selected"
    r"|answers?|answered|concludes?|arrives?|gets?|reaches|reached|has|identifies|claims?|wrote|said)\b",
    re.IGNORECASE,
)
# What may lead to a verdict in a sentence.
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
    rf"[\"'*_`)\]]*+(?:\s+overall\b)?(?:(?:,?\s+(?:than|over|to|not|rather\s+than|instead\s+of))?"
    rf"\s+(?:the\s+)?(?:{PARTY}\s+)?[*_]*(?P<other>[AB])\b[*_]*|\s+(?:than|over|to)\s+the\s+other(?:\s+(?:one|{PARTY}))?)?"
    r"(?:\s+in\s+(?:every|all)\s+(?:way|respect|aspect|regard)s?)?"
    r"(?:\s*\Z|[ \t]*\n|[.!](?!\w)|\s*(?:[\"}<{\[]|:(?!\s*(?:false|no|not|wrong|untrue)\b))"
    r"|,?\s*(?:because|since|as\s+(?:it|response)|due\s+to|by\s+both)\b"
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
# What may precede "verdict: A" on its line; any other word, as in "style verdict: A", limits it to a part.
BEFORE_WORD = re.compile(
    r"(?:my|the|our|your|this|its|a|an|final|overall|ultimate|clear|definitive|official|and|so|thus|hence|therefore"
    r"|then|is|was|to|of|with|for|as|by|in|say|here|end|first|conclusion|summary|reason(?:s|ing)?|answer|response"
    r"|assistant|preferred|preference|judge?ment|result|winner|single|better|best|write|right|correct|s)",
    re.IGNORECASE,
)
JUDGES_OWN = re.compile(r"\b(?:my|my\s+final|the\s+final|final)\W*\Z", re.IGNORECASE)
LETTER = re.compile(r"\b[AB]\b(?!\s+[a-z]{3,}\s+(?:of|to|is|for)\b)")
BARE_LEAD = re.compile(
    r"[\s*_]*(?:overall|thus|therefore|so|hence|in\s+(?:conclusion|summary|short))\b[\s,:*_]+", re.IGNORECASE
)
BETWEEN = re.compile(rf"\A\s+between\s+(?:{PARTY}s?\s+)?A\s+and\s+(?:{PARTY}\s+)?B\b")
