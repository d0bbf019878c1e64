"""The report of `real eval pairs`: limits, repeats, similarity, length, leaks, scripts, labels saved."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from real_cli.evaluate.pairs.verdicts import verdicts_block
from real_cli.report.contents import SHARE, Excerpt, ExcerptRow, Plot, PlotKind, Report, Section, Table
from real_cli.report.examples import Examples
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import show_estimate, show_interval, show_percent
from real_cli.report.series import histogram_series, series_of
from real_cli.stats.intervals import field_names
from real_cli.text.phrases import say_count

Summary = Mapping[str, Any]


def pairs_report(summary: Summary, examples: Examples) -> Report:
    """Lay out the health of a set of pairs; a section stands only where there is a number to show."""
    pairs, prompts = say_count(summary["num_pairs"], "pair"), say_count(summary["num_prompts"], "prompt")
    lead = f"{_verdict_in_words(summary)} {pairs} of {prompts}, {_n(summary['num_labeled'])} labeled."
    limits = summary.get("limits", [])
    broken = sum(not row["is_met"] for row in limits)
    if limits:
        lead += f" Of {say_count(len(limits), 'limit')} {broken} {'is' if broken == 1 else 'are'} passed."
    sections = [
        make(summary, examples)
        for make in (_verdicts, _limits, _repeats, _similarity, _gap, _length, _leaks, _scripts, _savings)
    ]
    parts = tuple(section for section in sections if section)
    return Report("Health of a set of pairs", lead, parts, notes=tuple(map(note_in_words, summary["notes"])))


def _verdict_in_words(summary: Summary) -> str:
    """Say the worst level, and which checks left it."""
    level = summary["verdict"]
    names = [row["check"].replace("-", " ") for row in summary["verdicts"] if row["level"] == level]
    return "Sound in every check." if level == "sound" else f"{level.capitalize()}: {', '.join(names)}."


def _verdicts(summary: Summary, examples: Examples) -> Section:
    block = verdicts_block(summary)
    counts = [f"{say_count(len(rows), 'check')} {level}" for level, rows in block.by_level()]
    return Section("Verdicts", f"{', '.join(counts)}.", (block,))


def _limits(summary: Summary, examples: Examples) -> Section | None:
    limits = summary.get("limits")
    if not limits:
        return None
    rows = tuple(
        (in_words(row["name"]), row["limit"], row["value"], "kept" if row["is_met"] else "passed") for row in limits
    )
    sizes = f"{say_count(len(rows), 'limit')} over {say_count(summary['num_pairs'], 'pair')}"
    note = f"{sizes}. A number that could not be given keeps no limit."
    table = Table("Limits", ("number", "limit", "value", "outcome"), rows, note)
    return Section("Limits", "Numbers of the summary and the limits that were set for them.", (table,))


def _repeats(summary: Summary, examples: Examples) -> Section:
    num_pairs = summary["num_pairs"]
    names = {
        "num_equal_texts": "chosen and rejected text are equal",
        "num_near_equal_texts": "they differ, and share 0.8 or more of their word 3-grams",
        "num_repeats": "prompt and texts stand before, in this order",
        "num_near_repeats": "prompt and texts, normalized, stand before, in either order",
        "num_repeated_prompts": "the normalized prompt stands before",
        "num_prompts_in_responses": "the prompt stands in a response again",
        "num_empty_prompts": "an empty prompt",
        "num_empty_responses": "empty responses, one by one",
        "num_equal_scores": "equal scores",
        "num_equal_ranks": "not labeled, equal ranks",
        "num_against_scores": "the chosen text has the lower score",
        "num_contradictions": "two texts of a prompt labeled both ways (text pairs)",
    }
    rows = tuple((meaning, summary[name]) for name, meaning in names.items())
    table = Table("Counts", ("what", "how many"), rows, f"Of {say_count(num_pairs, 'pair')}.")
    text = (
        f"Of {say_count(num_pairs, 'pair')} {_n(summary['num_equal_texts'])} have equal texts, "
        f"{_n(summary['num_repeats'])} repeat another, and {_n(summary['num_contradictions'])} text pairs are labeled "
        "both ways."
    )
    shown = (
        _excerpt("Labeled both ways (among the first 100,000 labeled text pairs)", examples.get("contradictions", ())),
        _excerpt("Labeled against their scores, widest gap first", examples.get("against scores", ())),
    )
    return Section("Repeats, ties and contradictions", text, (table, *(item for item in shown if item)))


def _similarity(summary: Summary, examples: Examples) -> Section | None:
    described = summary["similarity"]
    if not described:
        return None
    items: list[Plot | Table | Excerpt] = [
        _histogram("How similar the two responses are", "cosine similarity", summary["similarity_histogram"])
    ]
    text = f"The median similarity of {say_count(described['count'], 'pair')} is {described['median']:z.3g}."
    rows = summary["gap_by_similarity"]
    if rows:
        total = sum(row["num_pairs"] for row in rows)
        middles = [(row["similarity_low"] + row["similarity_high"]) / 2 for row in rows]
        correlation = summary["similarity_score_gap_correlation"]
        if correlation is not None:
            estimate = show_estimate(summary, "similarity_score_gap_correlation")
            text += f" Its rank correlation with the score gap is {estimate}, n = {say_count(total, 'pair')}."
        items.append(
            Plot(
                PlotKind.curve,
                "Score gap by similarity",
                "cosine similarity, middle of each tenth of the pairs",
                "mean score gap, without sign",
                (series_of("", middles, rows, "gap_mean", itemgetter("num_pairs")),),
                f"n = {say_count(total, 'pair')}.",
                interval="95% intervals of a bootstrap over prompts",
                y_span=(0.0, None),
            )
        )
    for title, name in (("Least similar", "least similar"), ("Most similar", "most similar")):
        shown = _excerpt(title, examples.get(name, ()))
        items += [shown] if shown else []
    return Section("Similarity", text, tuple(items))


def _gap(summary: Summary, examples: Examples) -> Section | None:
    described = summary["score_gap"]
    if not described:
        return None
    text = (
        f"The median score gap of {say_count(described['count'], 'pair')} is {described['median']:z.3g}; of labeled "
        f"pairs it is chosen minus rejected, and {_n(summary['num_against_scores'])} are below 0."
    )
    plot = _histogram("Score gaps", "score gap; without sign where not labeled", summary["score_gap_histogram"])
    return Section("Score gap", text, (plot,))


def _length(summary: Summary, examples: Examples) -> Section | None:
    share, effect = summary["share_chosen_longer"], summary["length_effect"]
    if share is None:
        return None
    count = summary["num_unequal_lengths"]
    pairs = say_count(count, "labeled pair")
    interval = show_interval(summary, "share_chosen_longer", show_percent)
    text = f"The longer response is chosen in {show_percent(share)} of {pairs} of unequal lengths ({interval})."
    if effect is not None:
        text += (
            f" Cohen's d of chosen against rejected length is {show_estimate(summary, 'length_effect')}, "
            f"n = {_n(summary['num_labeled'])}."
        )
    bars = Plot(
        PlotKind.bars,
        "How often the longer response is chosen",
        "labeled pairs",
        "share",
        (series_of("", ["longer is chosen"], [summary], "share_chosen_longer", itemgetter("num_unequal_lengths")),),
        f"n = {say_count(count, 'pair')} of unequal lengths.",
        baseline=0.5,
        baseline_label="no bias",
        interval="Wilson's 95% intervals",
        y_span=SHARE,
    )
    gaps = _histogram("Length gaps", "characters, chosen minus rejected", summary["length_gap_histogram"])
    return Section("Length", text, (bars, gaps))


def _leaks(summary: Summary, examples: Examples) -> Section | None:
    if "num_leaked_prompts" not in summary:
        return None
    levels = {
        "leaked_prompts": "equal",
        "leaked_normalized_prompts": "equal once normalized",
        "overlapping_prompts": "equal, or 13 words in a row in common",
    }
    rows = tuple(
        (meaning, summary[f"num_{name}"], *(summary[field] for field in field_names(f"share_{name}")))
        for name, meaning in levels.items()
    )
    note = (
        f"Of {say_count(summary['num_prompts'], 'distinct prompt')}; the other file has "
        f"{_n(summary['num_other_prompts'])}. Each row counts those of the rows above it; intervals are "
        "Wilson's, of 95%."
    )
    table = Table("Prompts that stand in the other file", ("how", "prompts", "share", "low", "high"), rows, note)
    text = (
        f"{_n(summary['num_leaked_prompts'])} of {say_count(summary['num_prompts'], 'distinct prompt')} stand in the "
        f"other file as they are; {_n(summary['num_overlapping_prompts'])} stand there or share 13 words in a row "
        "with a prompt that does."
    )
    text += _near_in_words(summary)
    shown = (
        _excerpt("Prompts found in the other file", examples.get("leaked", ())),
        _excerpt("Nearest to a prompt of the other file", examples.get("near leaked", ())),
    )
    return Section("Prompts of another file", text, (table, *(item for item in shown if item)))


def _near_in_words(summary: Summary) -> str:
    """Say how many prompts are near to one of the other file, where their embeddings were compared."""
    if "near_distance" not in summary:
        return ""
    text = f" By their embeddings {_n(summary['num_near_leaked_prompts'])} are nearer than {summary['near_distance']:g}"
    share = show_interval(summary, "share_near_leaked_prompts", show_percent)
    described = summary["nearest_distance"]
    if not described:
        return f"{text} to one of it ({share})."
    return f"{text} to one of it ({share}); the median squared distance to the nearest is {described['median']:.3g}."


def _scripts(summary: Summary, examples: Examples) -> Section | None:
    if not summary["scripts"]:
        return None
    columns = ("script", "num_prompts", "num_responses", "share_of_texts")
    rows = tuple(tuple(row[name] for name in columns) for row in summary["scripts"])
    total = sum(row["num_prompts"] + row["num_responses"] for row in summary["scripts"])
    table = Table(
        "Writing systems",
        ("script", "prompts", "responses", "share of texts"),
        rows,
        f"n = {say_count(total, 'text')} of 10 letters or more, each by most of its first 2,000 characters.",
    )
    text = (
        f"In {_n(summary['num_mixed_script'])} of {say_count(summary['num_script_pairs'], 'pair')} a response is "
        f"mainly written in another script than its prompt; the chosen one alone in "
        f"{_n(summary['num_chosen_other_script'])}, the rejected one alone in "
        f"{_n(summary['num_rejected_other_script'])}."
    )
    return Section("Writing systems", text, (table,))


def _savings(summary: Summary, examples: Examples) -> Section | None:
    rows = summary["savings"]
    if not rows:
        return None
    possible = rows[0]["num_possible_pairs"]
    table = Table(
        "Labels each strategy needs",
        ("strategy", "labels", "share saved", "scores first"),
        tuple(
            (row["strategy"], row["num_labels"], row["share_saved"], "yes" if row["needs_scores"] else "no")
            for row in rows
        ),
        f"Of {say_count(possible, 'possible pair')}. Where scores come first, every response is scored before a "
        "pair is chosen; equal scores make fewer pairs.",
    )
    text = f"The responses form {say_count(possible, 'pair')}."
    if summary["saved_of_possible_pairs"] is not None:
        saved, whole = summary["saved_of_possible_pairs"], summary["num_possible_pairs"]
        text += f" These {_n(summary['num_pairs'])} save {show_percent(saved)} of {say_count(whole, 'label')}."
    return Section("Labels saved", text, (table,))


def _histogram(title: str, label: str, histogram: Mapping[str, Sequence[float]]) -> Plot:
    count = int(sum(histogram["counts"]))
    note = f"n = {say_count(count, 'pair')}."
    return Plot(PlotKind.histogram, title, label, "pairs", (histogram_series("", histogram),), note)


def _excerpt(title: str, rows: Sequence[ExcerptRow]) -> Excerpt | None:
    return Excerpt(title, tuple(rows)) if rows else None


def _n(number: int) -> str:
    return f"{number:,}"
