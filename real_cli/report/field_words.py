"""What a person reads in place of the names that a summary gives its numbers."""

import re

# A name that is not here loses its underscores, and the "num" in front of a count.
WORDS = {
    "ac1": "Gwet's AC1",
    "accuracy_equal_length": "accuracy at equal length",
    "accuracy_gap": "accuracy, least minus most similar",
    "accuracy_length_gap": "accuracy, longer minus shorter",
    "accuracy_p": "p",
    "accuracy_p_holm": "corrected p",
    "accuracy_per_token": "accuracy by log-ratios a token",
    "best_of_n_accuracy": "best of n: right",
    "best_of_n_by_chance": "best of n: right by chance",
    "area": "mean difference",
    "agreement_gap": "agreement, least minus most similar half",
    "by_category": "the table by category",
    "by_pair": "the table of models in pairs",
    "chosen_is": "the chosen response is",
    "difference_expected_flips": "expected flips, difference",
    "difference_share_wrong": "wrong labels, difference",
    "ece": "expected calibration error",
    "equal_budget": "labels needed",
    "expected_flips": "expected flips",
    "flip_rate": "verdicts that flipped",
    "gap_mean": "mean score gap",
    "gold_consistency": "agreement of the other labels among themselves",
    "gold_prefers_longer": "other label prefers the longer",
    "gold_prefers_own": "other label prefers the judge's own",
    "judge_prefers_longer": "judge prefers the longer",
    "judge_prefers_own": "judge prefers its own",
    "kappa": "Cohen's kappa",
    "labels_missing": "labels missing",
    "labels_needed": "labels needed",
    "labels_per_gold_label": "labels worth another label",
    "lc_win_rate": "win rate at equal length",
    "length_effect": "effect of length",
    "length_effect_paired": "effect of length, paired",
    "length_note": "reason",
    "likelihood_accuracy": "accuracy without the reference",
    "likelihood_margin": "margin without the reference, nats",
    "margin": "margin, nats",
    "margin_area": "margin, mean difference, nats",
    "margin_beta": "margin times beta",
    "margin_equal_length": "margin at equal length, nats",
    "margin_per_extra_token": "margin a token more, nats",
    "margin_per_token": "margin a token, nats",
    "mean_gap": "mean gap",
    "mean_similarity": "mean similarity",
    "num_compared": "pairs compared",
    "num_compared_prompts": "prompts compared",
    "num_comparisons": "comparisons",
    "num_gold_ties": "ties of the other label",
    "num_judge_ties": "ties of the judge",
    "num_judged": "labels judged",
    "num_pairs": "pairs",
    "num_prompts": "prompts",
    "num_best_of_n": "records",
    "preferred": "tied, wrong ones farther away than right ones",
    "preferred_hard": "the same of both questions",
    "ref_accuracy": "one right answer, above all wrong ones",
    "p_holm": "p",
    "prompts_needed": "prompts needed",
    "peak_device_megabytes": "peak memory of the device, MB",
    "peak_memory_megabytes": "peak memory, MB",
    "prefers_longer": "longer response preferred",
    "num_without_gold": "pairs without another label",
    "rewards_chosen": "reward of the chosen, times beta",
    "rewards_rejected": "reward of the rejected, times beta",
    "score_chosen": "score of the chosen",
    "score_gap_equal_length": "score gap at equal length",
    "score_gap_per_extra_character": "score gap a character more",
    "score_rejected": "score of the rejected",
    "several_best_accuracy": "several best: all above the others",
    "several_best_preferred": "several best: others farther away",
    "seeds_needed": "seeds needed",
    "self_consistency": "agreement with itself",
    "share_ambiguous": "ambiguous pairs",
    "share_chosen_longer": "longer response chosen",
    "share_first_place": "verdicts for the first place",
    "share_flips_to_first": "flips to the first place",
    "share_longer_won": "won by the longer",
    "share_losses": "share of losses",
    "share_ties": "share of ties",
    "share_wins": "share of wins",
    "share_wrong": "wrong labels",
    "similarity_high": "similarity to",
    "similarity_low": "similarity from",
    "similarity_range": "similarity",
    "similarity_score_gap_correlation": "rank correlation of similarity and score gap",
    "smallest_shown": "smallest shown",
    "smallest_difference": "smallest difference shown",
    "strength": "log-strength",
    "tied_accuracy": "several right answers, all above all wrong ones",
    "train_seconds": "seconds of training",
    "train_seconds_ratio": "times the baseline's seconds",
    "win_rate": "win rate",
}
# In a sentence.
CLAUSES = {
    "expected_flips": "the share of expected flips",
    "flip_rate": "the share of verdicts that flipped",
    "length_effect": "the effect of length",
    "length_note": "the table beneath it",
    "prefers_longer": "share of longer responses preferred",
    "share_wrong": "the share of wrong labels",
    "win_rate": "the win rate",
}
FIELD = re.compile(r"(?<![\w/.'`-])[a-z]+(?:_[a-z0-9]+)+(?![\w/'`])")


def in_words(name: str) -> str:
    """Put the name of a number into words.

    >>> in_words("lc_win_rate"), in_words("num_gold_ties"), in_words("strategy")
    ('win rate at equal length', 'ties of the other label', 'strategy')
    """
    return WORDS.get(name) or name.removeprefix("num_").replace("_", " ")


def note_in_words(note: str) -> str:
    """Put the names of numbers in a sentence into words; names in quotes, and of files, are the user's own.

    >>> note_in_words("share_wrong leaves them out; field 'score_a' of runs/my_run has none")
    "the share of wrong labels leaves them out; field 'score_a' of runs/my_run has none"
    """
    return FIELD.sub(lambda match: CLAUSES.get(match[0]) or WORDS.get(match[0], match[0]), note)
