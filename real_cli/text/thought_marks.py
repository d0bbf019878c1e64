"""The marks around what models write to themselves, as chat templates and reasoning parsers have them."""

import re

# <think>, <Thought>, <seed:think>, <longcat_think>, <inner_thoughts>, <think lang="en">, <|START_THINKING|>.
NAME = (
    r"(?:[a-z0-9]{1,20}[:_-]){0,3}(?:[a-z]{1,12}(?=think))?"
    r"(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|analysis|cot|monologue)(?:[ _-](?:process|content))?"
)
REST = r"(?:_(?:start|begin)|:[\w.-]{1,40}|\s[^<>/]{0,80})?"
OPEN, CLOSE, BAR = "(?:<|&lt;)", "(?:>|&gt;)", r"[|\uff5c]?"
# Tried in order: an end may look like a beginning.
MARKS = {
    "end": rf"{OPEN}(?:/{BAR}|{BAR}/){NAME}(?::[\w.-]{{1,40}}|\s*){BAR}{CLOSE}|\[/think(?:ing)?\]"
    rf"|<\|end_(?:of_)?{NAME}\|>|<\|{NAME}_end\|>"
    r"|\u25c1/think\u25b7|<\|inner_suffix\|>|<unused95>|<channel\|>"
    r"|<\|channel\|>\s*final[^<]{0,80}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>",
    "start": rf"{OPEN}{BAR}{NAME}{REST}{BAR}{CLOSE}|\[think(?:ing)?\]|\u25c1think\u25b7|<\|inner_prefix\|>|<unused94>"
    r"|<\|channel>\s*(?:thought|analysis)|<\|channel\|>\s*(?:analysis|commentary|final)",
    # Ends a message: the thought, if one with such marks is open, else the answer.
    "turn": r"<\|(?:end|call|return)\|>",
    # The same without special tokens, and in Granite's words.
    "words": r"\A\s*(?-i:analysis(?=[A-Z\"'(\d]))|\A\s*here(?:'s|\u2019s|\sis)\smy\sthought\sprocess\b:?",
    "end words": r"(?-i:assistantfinal)|\bhere(?:'s|\u2019s|\sis)\smy\sresponse\b:?",
}
MARK = re.compile(
    "|".join(f"(?P<{name.replace(' ', '_')}>{pattern})" for name, pattern in MARKS.items()), re.IGNORECASE
)
# Parts of such a mark, which some tokenizers have as separate tokens.
PARTS = re.compile(r"<\|(?:start|channel|constrain|message|end|call|return)\|>")


def is_thought_mark(token: str) -> bool:
    """Tell whether a special token marks a thought, or is part of such a mark.

    >>> is_thought_mark("[THINK]"), is_thought_mark("<|channel|>"), is_thought_mark("</s>")
    (True, True, False)
    """
    return bool(MARK.fullmatch(token) or PARTS.fullmatch(token))
