"""The report of `real eval winrate`: wins, length, ranking, categories, order of the responses."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from real_cli.report.contents import SHARE, Plot, PlotKind, Report, Section, Series, Table
from real_cli.report.examples import Examples, examples_section
from real_cli.report.field_words import in_words, note_in_words
from real_cli.report.numbers import show_share
from real_cli.report.series import series_of, table_of
from real_cli.text.phrases import say_count

Row = dict[str, Any]

COUNTS = {
    "num_records": "records",
    "num_all_comparisons": "comparisons",
    "num_all_prompts": "prompts",
    "num_models": "models",
    "num_same_model": "comparisons of a model with itself, left out",
}
# More bars than this are no picture; the table has all.
MOST_BARS = 40


def winrate_report(summary: Row, examples: Examples) -> Report:
    """Lay out wins, lengths, ranking, categories and orders, each with its n."""
    sections = [_wins(summary), _lengths(summary), *_ranking(summary), *_categories(summary), *_orders(summary)]
    shown = examples_section("Comparisons to look at", "A few records as they stand in the data.", examples)
    facts = tuple((COUNTS[name], f"{summary[name]:,}") for name in COUNTS)
    notes = tuple(map(note_in_words, summary["notes"]))
    return Report("Win rates", _lead(summary), (*sections, *([shown] if shown else [])), facts, notes)


def _lead(summary: Row) -> str:
    prompts = say_count(summary["num_all_prompts"], "prompt")
    count = f"{say_count(summary['num_all_comparisons'], 'comparison')} over {prompts}"
    if summary["model"] is None:
        return f"{count} of {say_count(summary['num_models'], 'model')}.{_leader(summary['ranking'])}"
    return f"{_wins_text(summary)} {_controlled(summary)}"


def _leader(ranking: Sequence[Row]) -> str:
    """Name the strongest model, where its interval and the next one's leave no doubt."""
    if len(ranking) < 2:
        return ""
    first, second = ranking[:2]
    low, high = first["strength_low"], second["strength_high"]
    if low is not None and high is not None and low > high:
        return f" {first['model']} is the strongest by the ranking."
    return f" No model is surely the strongest; {first['model']} leads the ranking."


def _wins_text(row: Row) -> str:
    if row["win_rate"] is None:
        return "No comparison."
    wins, ties = say_count(row["num_wins"], "win"), say_count(row["num_ties"], "tie")
    return (
        f"{row['model']} wins {show_share(row, 'win_rate')} of {say_count(row['num_comparisons'], 'comparison')} with "
        f"{row['against']} ({wins}, {ties}, {say_count(row['num_losses'], 'loss', 'losses')}; "
        f"a tie is half a win){_outcome(row)}."
    )


def _outcome(row: Row) -> str:
    """Say what the interval means."""
    low, high = row["win_rate_low"], row["win_rate_high"]
    if low is None or high is None:
        return ""
    if low <= 0.5 <= high:
        return ": these comparisons do not tell them apart"
    return f": {row['model']} is the {'stronger' if low > 0.5 else 'weaker'}"


def _controlled(row: Row) -> str:
    if row["lc_win_rate"] is None:
        return f"There is no rate at equal length: {row['length_note']}."
    return f"At equal length the model of these comparisons expects {show_share(row, 'lc_win_rate')}."


def _wins(summary: Row) -> Section:
    rows = summary["by_pair"]
    plot = Plot(
        PlotKind.bars, "How often does the first model win?", "models", "win rate",
        (_series("", rows, "win_rate"),), _note(rows), 0.5, "a draw", y_span=SHARE,
    )  # fmt: skip
    fields = (
        "model", "against", "win_rate", "num_comparisons", "num_prompts", "num_wins", "num_ties", "num_losses"
    )  # fmt: skip
    shares = ("model", "against", "share_wins", "share_ties", "share_losses")
    text = "Each row is one model against another; a tie is half a win."
    tables = (_table("Models in pairs", fields, rows), _table("Shares of wins, ties and losses", shares, rows))
    return Section("Wins, ties and losses", text, (plot, *tables))


def _lengths(summary: Row) -> Section:
    rows = [row for row in summary["by_pair"] if row["lc_win_rate"] is not None]
    items: list[Plot | Table] = []
    if rows:
        both = (_series("raw", rows, "win_rate"), _series("at equal length", rows, "lc_win_rate"))
        note = (
            f"{_note(rows)} At equal length: a logistic curve through the outcomes over tanh of the length difference "
            "in characters in standard deviations, read at 0."
        )
        items.append(
            Plot(PlotKind.bars, "Does the win rate hold at equal length?", "models", "win rate", both, note, 0.5,
                 "a draw", y_span=SHARE)
        )  # fmt: skip
    histogram = summary["winner_length_difference"]
    if histogram:
        counts = tuple(histogram["counts"])
        series = Series("", tuple(histogram["edges"]), counts, counts=counts)
        note = f"n = {sum(counts):,} decided; the outer bins hold what lies beyond the 1st and 99th percentile."
        items.append(
            Plot(PlotKind.histogram, "How much longer are winners?", "characters, winner minus loser", "comparisons",
                 (series,), note)
        )  # fmt: skip
    fields = ("model", "against", "win_rate", "lc_win_rate", "length_effect", "num_comparisons")
    if rows:
        items.append(_table("Rates at equal length", fields, rows))
    items += _reasons(("model", "against"), summary["by_pair"])
    return Section("Length", _length_text(summary), tuple(items))


def _length_text(summary: Row) -> str:
    if summary["share_longer_won"] is None:
        return "No decided comparison is of two lengths."
    return (
        f"The longer response won {show_share(summary, 'share_longer_won')} of {summary['num_unequal_lengths']:,} "
        "decided comparisons of unequal length. Length is counted in characters."
    )


def _ranking(summary: Row) -> list[Section]:
    rows = summary["ranking"]
    if not rows:
        return []
    series = series_of("", [row["model"] for row in rows], rows, "strength", itemgetter("num_comparisons"))
    note = f"n = {say_count(summary['num_all_comparisons'], 'comparison')}, of two models each."
    plot = Plot(
        PlotKind.bars, "Who is how strong?", "model", "log-strength, mean 0", (series,), note, 0.0,
        "the mean of all models", interval="95% intervals, clustered by prompt",
    )  # fmt: skip
    table = table_of("Bradley and Terry's ranking", ("rank", "model", "strength", "num_comparisons"), rows, note)
    text = "A model beats another with probability sigmoid(difference of their strengths); ties count half."
    return [Section("Ranking", text, (plot, table))]


def _categories(summary: Row) -> list[Section]:
    rows = summary["by_category"]
    if not rows:
        return []
    named = [row | {"category": "(none)" if row["category"] is None else str(row["category"])} for row in rows]
    title = f"How often does the first model win, by {summary['by']}?"
    whole = summary["model"] is not None
    names = [row["category"] if whole else f"{row['category']}: {_pair_name(row)}" for row in named]
    plot = Plot(PlotKind.bars, title, str(summary["by"]), "win rate", (_series("", named, "win_rate", names),),
                _note(named), 0.5, "a draw", y_span=SHARE)  # fmt: skip
    # Where all rows are of the same two, the text says so once.
    heads = ("category",) if whole else ("category", "model", "against")
    columns = (*heads, "win_rate", "lc_win_rate", "num_comparisons", "num_wins", "num_ties", "num_losses")
    text = "Each category by itself; with many of them some intervals miss by chance."
    if whole:
        text = f"{rows[0]['model']} against {rows[0]['against']}. {text}"
    tables = (_table(f"By {summary['by']}", columns, named), *_reasons(heads, named))
    return [Section("Categories", text, (plot, *tables))]


def _reasons(heads: tuple[str, ...], rows: list[Row]) -> list[Table]:
    """Say of each row without a rate at equal length, or without its interval, why; beside numbers it had no room."""
    lacking = [row for row in rows if row["length_note"] is not None]
    title = "No rate at equal length, or none with an interval"
    return [_table(title, (*heads, "length_note"), lacking)] if lacking else []


def _orders(summary: Row) -> list[Section]:
    count = summary["num_both_orders"]
    if not count:
        return []
    text = (
        f"Of {say_count(count, 'judgment')} in both orders {show_share(summary, 'flip_rate')} flipped: the judge named "
        "the same place both times."
    )
    if summary["share_first_place"] is not None:
        verdicts = say_count(summary["num_place_verdicts"], "verdict")
        share = show_share(summary, "share_first_place")
        text += f" Of {verdicts} for a place {share} were for the first; without favor it would be half."
    rows = [
        {"share": in_words(name), "times": _times(summary[name], summary[whole]), "n": summary[whole]}
        | {f"value{end}": summary[f"{name}{end}"] for end in ("", "_low", "_high")}
        for name, whole in (("flip_rate", "num_both_orders"), ("share_first_place", "num_place_verdicts"))
    ]
    to_first = say_count(summary["num_flips_to_first"], "flip")
    to = f"{to_first} to the first place, {summary['num_flips_to_second']:,} to the second"
    note = f"n = {say_count(count, 'judgment')} in both orders; {to}."
    table = table_of("Both orders", ("share", "value", "times", "n"), rows, note)
    return [Section("The order in which responses were shown", text, (table,))]


def _times(share: float | None, count: int) -> int | None:
    return None if share is None else round(share * count)


def _series(name: str, rows: list[Row], field: str, names: list[str] | None = None) -> Series:
    shown = rows[:MOST_BARS]
    heads = (names or [_pair_name(row) for row in rows])[:MOST_BARS]
    return series_of(name, heads, shown, field, itemgetter("num_comparisons"))


def _pair_name(row: Row) -> str:
    return f"{row['model']} : {row['against']}"


def _note(rows: list[Row]) -> str:
    """Say n; each comparison is of two models and stands in one row."""
    count = sum(row["num_comparisons"] for row in rows)
    cut = f" The first {MOST_BARS} of {len(rows):,} rows; the table has all." if len(rows) > MOST_BARS else ""
    return f"n = {say_count(count, 'comparison')}.{cut}"


def _table(title: str, fields: tuple[str, ...], rows: list[Row]) -> Table:
    count = sum(row["num_comparisons"] for row in rows)
    return table_of(title, fields, rows, f"n = {say_count(count, 'comparison')}.")
