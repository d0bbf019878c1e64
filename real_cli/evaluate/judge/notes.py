"""What a reader of the numbers of `eval judge` must know beside them."""

from typing import Any

from real_cli.errors import clip
from real_cli.evaluate.judge.gold_labels import GoldField, GoldFile, GoldLabels, NoGold
from real_cli.stats.bootstrap import FEWEST_CELLS
from real_cli.text.phrases import say_count

Summary = dict[str, Any]


def explain(summary: Summary, gold: GoldLabels) -> list[str]:
    """Say what the numbers do not."""
    if not summary["num_pairs"]:
        return ["no label of a judge, so there is nothing to say"]
    return [
        *_sources(summary, gold),
        *_agreement(summary),
        *_both_orders(summary),
        *_reach(summary),
    ]


def _sources(summary: Summary, gold: GoldLabels) -> list[str]:
    """Say which labels were compared, and which found no counterpart."""
    notes = []
    if len(summary["judges"]) > 1:
        names = clip(", ".join(summary["judges"]))
        notes.append(f"labels of {len(summary['judges'])} judges are measured as if they were of one: {names}")
    if isinstance(gold, NoGold):
        notes.append(
            "nothing to compare with, so there is no agreement: give other labels by --against FILE, or in the same "
            "records by --gold or --label"
        )
    elif not summary["num_compared"]:
        notes.append(f"no pair has a label to compare with{_where(gold)}")
    elif summary["num_without_gold"]:
        lacking = summary["num_without_gold"]
        notes.append(
            f"{lacking:,} of {say_count(summary['num_pairs'], 'pair')} {'has' if lacking == 1 else 'have'} no label to "
            "compare with, and count for positions, lengths and repeats alone"
        )
    if isinstance(gold, GoldFile) and gold.num_unmatched:
        notes.append(f"{gold.num_unmatched:,} of {say_count(gold.num_pairs, 'pair')} of --against are not judged here")
    if isinstance(gold, GoldFile) and gold.num_unlabeled:
        notes.append(f"{say_count(gold.num_unlabeled, 'pair')} of --against without a label")
    if summary["num_unlabeled"]:
        notes.append(f"{say_count(summary['num_unlabeled'], 'pair')} without a label of the judge, left out")
    return notes


def _where(gold: GoldLabels) -> str:
    """Say where the labels were looked for in vain."""
    if isinstance(gold, GoldFile):
        return ": FILE of --against has other prompts or responses"
    if isinstance(gold, GoldField) and gold.field is not None:
        return f": no two responses have a number in field {clip(gold.field)}, which --gold names"
    return ""


def _agreement(summary: Summary) -> list[str]:
    notes = []
    count, num_prompts = summary["num_compared"], summary["num_compared_prompts"]
    if count and summary["kappa"] is None:
        notes.append("no kappa: both labels are a tie everywhere, which chance explains as well")
    if num_prompts < count and num_prompts < FEWEST_CELLS:
        notes.append(
            f"{say_count(num_prompts, 'prompt')}: a share over several pairs of a prompt needs {FEWEST_CELLS} for an "
            "interval"
        )
    elif num_prompts < count:
        notes.append(
            f"{count:,} compared pairs are about {say_count(num_prompts, 'prompt')}: an interval counts those of one "
            "prompt for what they are worth together"
        )
    if count and summary["length_note"]:
        notes.append(f"no accuracy at equal length, or none with an interval: {summary['length_note']}")
    if summary["agreement_gap"] is not None:
        notes.append(claim(summary))
    return notes


def claim(summary: Summary) -> str:
    """Say whether the judge agrees more often on the least similar pairs, as far as the interval does.

    >>> claim({"agreement_gap": 0.1, "agreement_gap_low": 0.02, "agreement_gap_high": 0.18})
    'the judge agrees more often on the least similar half of the pairs, by 10.0 points (95% interval 2.0 to 18.0)'
    """
    gap, low, high = (summary[f"agreement_gap{end}"] for end in ("", "_low", "_high"))
    if low is None or high is None:
        return f"on the least similar half agreement differs by {_points(gap)} points; no interval can be given"
    ends = f"95% interval {_points(low)} to {_points(high)}"
    if low <= 0 <= high:
        return (
            "these labels do not tell whether the judge agrees more often on the least similar pairs: agreement on "
            f"that half differs by {_points(gap)} points ({ends})"
        )
    which = "more" if low > 0 else "less"
    return (
        f"the judge agrees {which} often on the least similar half of the pairs, by {_points(abs(gap))} points "
        f"({ends if low > 0 else f'95% interval {_points(-high)} to {_points(-low)}'})"
    )


def _points(share: float) -> str:
    return f"{100 * share:z.1f}"


def _both_orders(summary: Summary) -> list[str]:
    if summary["num_both_orders"] and not summary["num_judge_ties"] and not summary["num_flips"]:
        return [
            "no flips and no ties: flipped verdicts are ties, and if 'relabel judge' left them out for want of --ties "
            "keep, these numbers do not know of them"
        ]
    return []


def _reach(summary: Summary) -> list[str]:
    """Say why there is no smallest difference, or no upper end of one."""
    if summary["accuracy"] is None:
        return []
    if summary["accuracy"] <= 0.5:
        return ["the judge is right no more often than a coin, so that no number of its labels shows a difference"]
    notes = []
    if summary["smallest_difference"] is None:
        notes.append(f"{say_count(summary['num_labels'], 'prompt')}: too few to show any difference between two models")
    elif summary["accuracy_low"] is not None and summary["accuracy_low"] <= 0.5:
        notes.append("the interval of the accuracy holds one half: that the labels show nothing is not excluded")
    return notes
