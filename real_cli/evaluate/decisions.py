"""What a corrected test of a difference of accuracies decides, and what would decide it."""

from typing import Any

from real_cli.stats.contrast import Contrast
from real_cli.stats.intervals import Estimate

LEVEL = 0.05
BETTER, WORSE, UNDECIDED = "better", "worse", "undecided"


def decide(p_corrected: float | None, difference: float) -> str:
    """Call a difference what its p-value allows."""
    if p_corrected is None or p_corrected >= LEVEL:
        return UNDECIDED
    return BETTER if difference > 0 else WORSE


def what_decides(contrast: Contrast | None, num_comparisons: int) -> dict[str, Any]:
    """Say which difference of shares such data show, and how many prompts, or seeds, would show the one at hand.

    All are null where there is no interval; and the first where no difference of shares is so large.
    """
    if contrast is None or not contrast.is_known:
        return dict.fromkeys(("smallest_shown", "prompts_needed", "seeds_needed"))
    smallest = contrast.smallest_shown(num_comparisons)
    return {
        "smallest_shown": smallest if smallest <= 1 else None,
        "prompts_needed": contrast.prompts_needed(num_comparisons),
        "seeds_needed": contrast.seeds_needed(num_comparisons),
    }


def difference_of_shares(contrast: Contrast) -> Estimate:
    """Estimate a difference of shares; its interval stays within what shares can differ by."""
    estimate = contrast.estimate()
    if estimate.low is None or estimate.high is None:
        return estimate
    return estimate._replace(low=max(-1.0, estimate.low), high=min(1.0, estimate.high))
