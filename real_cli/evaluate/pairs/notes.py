"""What `eval pairs` says of its own numbers."""

from collections.abc import Mapping
from typing import Any

from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.text.phrases import say_count


def lacking_intervals(found: Mapping[str, Any], *, is_sound: bool) -> list[str]:
    """Say what has no interval, and what an interval is of where prompts repeat.

    Args:
        found: Names and numbers of the summary.
        is_sound: Whether there are prompts enough to draw from.

    Returns:
        Sentences.

    Example:
        >>> rows = [{"gap_mean_low": None}]
        >>> lacking_intervals(
        ...     {"length_effect": None, "gap_by_similarity": rows, "num_prompts": 12, "num_pairs": 12}, is_sound=True
        ... )
        ['no interval of gap_mean in 1 of 1 row by similarity: fewer than 10 prompts, or all gaps are the same']
    """
    rows, said = found["gap_by_similarity"], []
    if not is_sound and (found["length_effect"] is not None or rows):
        said.append(f"no interval of length_effect and gap_mean: fewer than {FEWEST_CELLS} prompts")
    bare = sum(row["gap_mean_low"] is None for row in rows)
    if is_sound and bare:
        said.append(
            f"no interval of gap_mean in {bare:,} of {say_count(len(rows), 'row')} by similarity: fewer than "
            f"{FEWEST_CELLS} prompts, or all gaps are the same"
        )
    if found["num_prompts"] < found["num_pairs"]:
        said.append(
            f"{say_count(found['num_pairs'], 'pair')} of {say_count(found['num_prompts'], 'prompt')} are not "
            "independent: an interval of a share counts them for what they are worth together"
            + ("" if is_sound else f", and needs {FEWEST_CELLS} prompts")
        )
    return said
