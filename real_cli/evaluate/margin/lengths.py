"""Why the responses of measured pairs may be equally long."""

from collections.abc import Mapping

from real_cli.stats.by_length import EQUALLY_LONG
from real_cli.text.phrases import say_count


def with_cuts(note: str | None, counts: Mapping[str, int]) -> str | None:
    """Say with the note that responses are equally long how many pairs have some that a limit made so."""
    limits = {"cut when it was sampled": "num_is_cut", "cut to --max-length": "num_truncated"}
    cuts = [f"{say_count(counts[name], 'pair')} with a response {how}" for how, name in limits.items() if counts[name]]
    if note != EQUALLY_LONG.format("token") or not cuts:
        return note
    return f"{note}; a limit may have made them so: {', '.join(cuts)}"
