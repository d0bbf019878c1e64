"""Checks of the texts themselves: what a policy must not learn to write."""

import numpy as np

from real_cli.evaluate.pairs.checks.check import (
    Check,
    Finding,
    PairView,
    Prompts,
    Values,
    as_byte,
    count_rows,
    look_at_nothing,
)
from real_cli.records.cut_marks import is_marked_cut
from real_cli.report.contents import VerdictLevel
from real_cli.text.damage import is_leaking_roles, is_misread, is_rendered, is_unfinished


def _is_repeat(values: Values, prompts: Prompts) -> Finding:
    """Find the pairs that stand before."""
    rows = np.ones(values.size, dtype=np.int8)
    rows[np.unique(values, return_index=True)[1]] = 0
    return count_rows(rows, prompts)


def _is_near_prompt(values: Values, prompts: Prompts) -> Finding:
    """Find the prompts that stand before in another spelling: equal once normalized, and not as they are."""
    first = np.unique(values, return_index=True, return_inverse=True)
    rows = (prompts != prompts[first[1]][first[2]]).astype(np.int8) if values.size else np.zeros(0, dtype=np.int8)
    return count_rows(rows, prompts)


def _has_cut(view: PairView) -> float:
    """Read what a sampler, or a server, says of how a response ended."""
    marks = [mark for response in view.responses if (mark := is_marked_cut(response)) is not None]
    return as_byte(any(marks), if_known=bool(marks))


ROWS = (
    Check(
        "equal-texts",
        VerdictLevel.broken,
        "both responses are the same text",
        "Such a pair has no gradient under DPO, and a label that means nothing.",
        lambda view: as_byte(view.is_equal),
        count_rows,
        holds="no two responses are the same text",
    ),
    Check(
        "empty-responses",
        VerdictLevel.broken,
        "a response is empty",
        "The policy learns to end at once, or to write anything at all rather than that.",
        lambda view: as_byte(any(view.is_empty[1:])),
        count_rows,
        holds="no response is empty",
    ),
    Check(
        "cut-responses",
        VerdictLevel.broken,
        "a response was cut by its token limit",
        "The end token behind a cut text teaches to stop in the middle; sample with a larger --max-tokens.",
        _has_cut,
        count_rows,
        holds="no response was cut by its token limit",
    ),
    Check(
        "rendered-chats",
        VerdictLevel.broken,
        "tokens of a chat template stand in the texts",
        "Training renders the template again: the policy sees it twice, and learns to write its tokens as text.",
        lambda view: as_byte(any(map(is_rendered, (view.prompt, *view.texts)))),
        count_rows,
        holds="no tokens of a chat template stand in the texts",
    ),
    Check(
        "leaking-roles",
        VerdictLevel.broken,
        "a response goes on as another speaker (Human:, User:, ### Instruction:)",
        "The policy learns to speak for the user; the response should have ended before the mark.",
        lambda view: as_byte(any(is_leaking_roles(text, view.prompt) for text in view.texts)),
        count_rows,
        holds="no response goes on as another speaker",
    ),
    Check(
        "misread-characters",
        VerdictLevel.broken,
        "texts were decoded wrongly (Ã© for é) or have lost characters (\N{REPLACEMENT CHARACTER})",
        "The policy learns to write them; ftfy, or reading the source as UTF-8, restores most.",
        lambda view: as_byte(any(map(is_misread, (view.prompt, *view.texts)))),
        count_rows,
        holds="no text was decoded wrongly or has lost characters",
    ),
    Check(
        "unfinished-responses",
        VerdictLevel.doubtful,
        "a long response ends within a sentence or a block of code",
        "It was probably cut: the end token behind it teaches to stop in the middle.",
        lambda view: as_byte(any(map(is_unfinished, view.texts))),
        count_rows,
        holds="no long response ends within a sentence or a block of code",
    ),
    Check(
        "empty-prompts",
        VerdictLevel.doubtful,
        "the prompt is empty",
        "Nothing says what the responses answer.",
        lambda view: as_byte(view.is_empty[0]),
        count_rows,
        holds="no prompt is empty",
    ),
    Check(
        "prompts-in-responses",
        VerdictLevel.doubtful,
        "the prompt stands in a part of the responses again",
        "The label may go by who repeats the question.",
        lambda view: as_byte(view.repeats_prompt),
        count_rows,
        holds="no prompt stands in a part of the responses again",
    ),
    Check(
        "near-equal-texts",
        VerdictLevel.doubtful,
        "the responses share 0.8 or more of their runs of three words",
        "Little tells them apart: labels are hard to give, and chosen texts lose probability with the rejected ones.",
        lambda view: as_byte(view.is_near),
        count_rows,
        holds="no two responses share 0.8 or more of their runs of three words",
    ),
    Check(
        "repeats",
        VerdictLevel.doubtful,
        "prompt and texts stand before",
        "A pair that stands twice weighs twice, and a split may put it on both sides.",
        look_at_nothing,
        _is_repeat,
        column="contents",
        holds="no pair stands twice",
    ),
    Check(
        "near-prompts",
        VerdictLevel.doubtful,
        "the prompt stands before in another spelling",
        "Prompts that differ in case, spaces or punctuation alone count as several, and a split may part them.",
        look_at_nothing,
        _is_near_prompt,
        column="near-prompts",
        holds="no prompt stands twice in two spellings",
    ),
)
