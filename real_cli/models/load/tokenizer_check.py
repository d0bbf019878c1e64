"""A tokenizer.json, inspected before it is read: endless patterns, texts that grow, tokens without number."""

import base64
import binascii
from typing import Any

from real_cli.errors import clip
from real_cli.models.load.code_check import objects
from real_cli.models.load.patterns import pattern_problem

# How much longer all replacements together may make a text; those of real tokenizers keep its length.
MAX_GROWTH = 16
MAX_TEMPLATE = 1000  # tokens that are put around a text
MAX_WORD = 1000  # characters: a word costs the square of its length
MAX_AFFIX = 100
MAX_MAPPED = 256  # bytes that one character becomes, at most
MAX_PADDING = 1 << 20
STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")


def tokenizer_problem(tokenizer: dict[str, Any]) -> str:
    """Say what speaks against a tokenizer."""
    for fields in objects({part: value for part, value in tokenizer.items() if part not in ("model", "added_tokens")}):
        pattern = fields.get("Regex")
        if isinstance(pattern, str) and (problem := pattern_problem(pattern)):
            return f"the pattern {clip(pattern)} {problem}"
    for step in STEPS:
        growth = _growth(tokenizer.get(step))
        if growth > MAX_GROWTH:
            return f"its {step} can make a text {growth:,.0f} times as long; at most {MAX_GROWTH} times is taken"
    return (
        _template_problem(tokenizer.get("post_processor"))
        or _model_problem(tokenizer.get("model"))
        or _padding_problem(tokenizer.get("padding"))
    )


def _growth(step: Any) -> float:
    """Return how many times longer a step can make a text, at most."""
    growth = 1.0
    for fields in objects(step):
        kind = fields.get("type")
        if kind == "Replace":
            pattern, content = fields.get("pattern"), fields.get("content")
            text = pattern.get("String") if isinstance(pattern, dict) else None
            # A regular expression may match a single character, and the empty place beside each.
            least, added = (len(text), 0) if isinstance(text, str) and text else (1, 1)
            growth *= max(1.0, (len(content) if isinstance(content, str) else 0) / least + added * bool(content))
        if kind in ("Prepend", "Metaspace", "Prefix"):
            growth *= max(1.0, max(len(str(fields.get(field) or "")) for field in ("prepend", "replacement")) / 8)
        if kind == "Precompiled":
            growth *= 1.0 if _longest_mapped(fields.get("precompiled_charsmap")) <= MAX_MAPPED else float("inf")
        growth = min(growth, 1e300)
    return growth


def _longest_mapped(charsmap: Any) -> int:
    """Return the longest text that a sentencepiece map has for a character, in bytes."""
    try:
        data = base64.b64decode(charsmap or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        return 0  # the library reports it
    start = 4 + int.from_bytes(data[:4], "little")
    return max(map(len, data[start:].split(b"\0")))


def _template_problem(processor: Any) -> str:
    num_tokens = 0
    for fields in objects(processor):
        if fields.get("type") != "TemplateProcessing":
            continue
        special = fields.get("special_tokens")
        lengths = [len(token.get("ids") or ()) for token in objects(special) if isinstance(token.get("ids"), list)]
        pieces = [len(fields[side]) for side in ("single", "pair") if isinstance(fields.get(side), list)]
        num_tokens += sum(pieces) * max([1, *lengths])
    if num_tokens > MAX_TEMPLATE:
        return f"its template puts up to {num_tokens:,} tokens around a text; at most {MAX_TEMPLATE:,} are taken"
    return ""


def _model_problem(model: Any) -> str:
    if not isinstance(model, dict):
        return ""
    longest = model.get("max_input_chars_per_word")
    if isinstance(longest, int | float) and longest > MAX_WORD:
        return f"max_input_chars_per_word is {longest:,}; at most {MAX_WORD:,} are taken"
    for field in ("continuing_subword_prefix", "end_of_word_suffix", "unk_token"):
        affix = model.get(field)
        if isinstance(affix, str) and len(affix) > MAX_AFFIX:
            return f"{field} has {len(affix):,} characters; at most {MAX_AFFIX} are taken"
    pieces = model.get("vocab")
    if model.get("type") == "Unigram" and isinstance(pieces, list):
        longest = max((len(piece[0]) for piece in pieces if isinstance(piece, list) and _starts(piece)), default=0)
        if longest > MAX_WORD:
            return f"a piece of its vocabulary has {longest:,} characters; at most {MAX_WORD:,} are taken"
    return ""


def _starts(piece: list[Any]) -> bool:
    return bool(piece) and isinstance(piece[0], str)


def _padding_problem(padding: Any) -> str:
    for fields in objects(padding):
        for field in ("Fixed", "pad_to_multiple_of"):
            length = fields.get(field)
            if isinstance(length, int) and length > MAX_PADDING:
                return f"it pads texts to {length:,} tokens; at most {MAX_PADDING:,} are taken"
    return ""
