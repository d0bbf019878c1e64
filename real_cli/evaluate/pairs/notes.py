"""What a reader must know of the numbers of `real eval pairs`."""

from collections.abc import Mapping
from typing import Any

from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.text.phrases import say_count


def lacking_intervals(summary: Mapping[str, Any], *, is_sound: bool) -> list[str]:
    """Say what has no interval, and what an interval is of where prompts repeat."""
    rows, sentences = summary["gap_by_similarity"], []
    if not is_sound and (summary["length_effect"] is not None or rows):
        sentences.append(f"no interval of length_effect and gap_mean: fewer than {FEWEST_CELLS} prompts")
    bare = sum(row["gap_mean_low"] is None for row in rows)
    if is_sound and bare:
        sentences.append(
            f"no interval of gap_mean in {bare:,} of {say_count(len(rows), 'row')} by similarity: fewer than "
            f"{FEWEST_CELLS} prompts, or all gaps are the same"
        )
    if summary["num_prompts"] < summary["num_pairs"]:
        sentences.append(
            f"{say_count(summary['num_pairs'], 'pair')} of {say_count(summary['num_prompts'], 'prompt')} are not "
            "independent: an interval of a share counts them for what they are worth together"
            + ("" if is_sound else f", and needs {FEWEST_CELLS} prompts")
        )
    return sentences
