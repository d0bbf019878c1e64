"""The tables of real-evidence(7), from the outcomes that are kept here.

python -m tests.evidence                      renews the page
python -m tests.evidence pack NAME FILE...    keeps the rows of these files as run NAME; its head stays
"""

import json
import sys
from pathlib import Path

from typer.testing import CliRunner

from real_cli.app import app
from real_cli.docs.markdown import man_page
from real_cli.text.phrases import say_count
from tests.bench import ROOT
from tests.evidence import FOLDER, pack, read_run

MANUAL = ROOT / "man" / "real-evidence.7.md"
RENEW = "python -m tests.evidence"


def evaluate(words, rows):
    """Run an evaluation of rows; its summary."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    done = CliRunner().invoke(app, ["eval", *words, "--quiet"], input=lines, prog_name="real")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def share(row, name="accuracy"):
    """Write a share in percent with its interval."""
    if row[f"{name}_low"] is None:
        return f"{row[name]:.1%}"
    return f"{row[name]:.1%} ({row[f'{name}_low']:.1%} to {row[f'{name}_high']:.1%})"


def points(row, name):
    """Write a difference of shares in points with its interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = "" if low is None else f" ({100 * low:+.1f} to {100 * high:+.1f})"
    return f"{100 * row[name]:+.1f}{interval}"


def budget_tables(summary):
    """Make the tables of `eval budget`: accuracy by budget, then what each strategy differs by."""
    budgets = sorted({cell["budget"] for cell in summary["cells"]})
    cells = {(cell["strategy"], cell["budget"]): cell for cell in summary["cells"]}
    names = list(dict.fromkeys(cell["strategy"] for cell in summary["cells"]))
    yield f"| labels | {' | '.join(f'{budget:g}' for budget in budgets)} |"
    yield "| --- " * (len(budgets) + 1) + "|"
    for name in names:
        shown = [share(cells[name, budget]) if (name, budget) in cells else "" for budget in budgets]
        yield f"| {name} | {' | '.join(shown)} |"
    yield ""
    yield "| strategy | accuracy over all budgets, less that of random, in points | shown would be | verdict |"
    yield "| --- | --- | --- | --- |"
    for area in summary["areas"]:
        shown = "" if area["smallest_shown"] is None else f"{100 * area['smallest_shown']:.1f} points"
        yield f"| {area['strategy']} | {points(area, 'area')} | {shown} | {area['verdict']} |"
    yield ""
    yield "| strategy | labels | random reaches the same with | labels saved |"
    yield "| --- | --- | --- | --- |"
    for saving in summary["savings"]:
        yield f"| {saving['strategy']} | {saving['budget']:g} | {equal_budget(saving)} | {saved(saving)} |"


def equal_budget(saving):
    """Write the budget at which random reaches the same accuracy."""
    if not saving["is_reached"]:
        return "not reached"
    if saving["equal_budget"] is None:
        return ""
    low, high = (saving[f"equal_budget_{end}"] for end in ("low", "high"))
    if low is high is None:
        return f"{saving['equal_budget']:.0f}"
    ends = ["" if end is None else f"{end:.0f}" for end in (low, high)]
    return f"{saving['equal_budget']:.0f} ({' to '.join(ends)})"


def saved(saving):
    """Write the share of labels that is saved, with its interval, whose ends may be open."""
    if saving["saving"] is None:
        return ""
    low, high = (saving[f"saving_{end}"] for end in ("low", "high"))
    if low is high is None:
        return f"{saving['saving']:.0%}"
    ends = ["" if end is None else f"{end:.0%}" for end in (low, high)]
    return f"{saving['saving']:.0%} ({' to '.join(ends)})"


def budget_sentence(summary):
    """Say whether what REAL claims, that the least similar pairs save labels, is reproduced, refuted or undecided."""
    (area,) = [area for area in summary["areas"] if area["strategy"] == "easy"]
    words = {"better": "reproduced", "worse": "refuted"}.get(area["verdict"], "undecided")
    sentence = f"Least similar pairs are better than random ones at equal budgets: **{words}**"
    needs = [f"{area[f'{what}_needed']:,} {what}" for what in ("prompts", "seeds") if area[f"{what}_needed"]]
    if words == "undecided" and needs:
        sentence += f"; {' or '.join(needs)} would decide a difference as large as this one"
    elif words == "undecided":
        sentence += "; neither more prompts alone nor more seeds alone would decide a difference as small as this one"
    if summary["missing"]:
        sentence += f". The table is partial: {say_count(len(summary['missing']), 'run')} missing"
    return sentence + "."


def budget_part(rows):
    """Make the part of a run of the recipe budget."""
    summary = evaluate(["budget"], rows)
    return "\n".join([*budget_tables(summary), "", budget_sentence(summary)])


def compare_part(rows, baseline="dpo"):
    """Make the part of a run of the recipe compare."""
    summary = evaluate(["compare", "--baseline", baseline], rows)
    differences = {row["method"]: row for row in summary["differences"]}
    lines = [
        f"| method | accuracy | less that of {baseline}, in points | corrected p | verdict | time, of {baseline}'s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for method in summary["methods"]:
        row = differences.get(method["method"])
        cost = method.get("train_seconds_ratio")
        tested = ["", "", ""]
        if row is not None:
            tested = [points(row, "accuracy"), number(row["accuracy_p_holm"]), row["verdict"]]
        lines.append(f"| {method['method']} | {share(method)} | {' | '.join(tested)} | {number(cost)} |")
    decided = [f"{name} ({row['verdict']})" for name, row in differences.items() if row["verdict"] != "undecided"]
    named = ", ".join(decided) or "none"
    return "\n".join([*lines, "", f"Told apart from {baseline}: {named}; of {summary['num_comparisons']} comparisons."])


def noise_part(rows):
    """Make the part of the runs with flipped labels; their methods are STRATEGY-LOSS-PERCENT."""
    return compare_part(rows, "random-dpo-0")


def number(value):
    """Write a number with two digits behind the point, or nothing."""
    return "" if value is None else f"{value:.2f}"


# What the page shows of each run.
PARTS = {
    "hh": budget_part,
    "demo": budget_part,
    "encoders": budget_part,
    "compare": compare_part,
    "noise": noise_part,
}


def head_lines(head):
    """Say what a run was: its commands, code, data and machine."""
    facts = [f"- {name}: {value}" for name, value in head.items() if name != "commands"]
    return "\n".join([*facts, "", "```text", *head["commands"], "```"])


def renewed(text):
    """Put the parts into the page, between their marks."""
    for name, make in PARTS.items():
        begin, end = f"<!-- {name}: made by {RENEW} -->\n", f"<!-- end of {name} -->"
        if begin in text:
            run = read_run(name)
            start, rest = text.split(begin)
            text = f"{start}{begin}{head_lines(run.head)}\n\n{make(run.rows)}\n{end}{rest.split(end)[1]}"
    return text


def keep(name, paths):
    """Write the rows of files beside what was kept of the run's head."""
    path = FOLDER / f"{name}.jsonl"
    head = path.read_text(encoding="utf-8").splitlines()[0]
    rows = [json.loads(line) for source in paths for line in Path(source).read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(f"{line}\n" for line in (head, *map(json.dumps, pack(rows)))), encoding="utf-8")


def main(words):
    """Renew the page, or keep a run."""
    if words[:1] == ["pack"]:
        keep(words[1], words[2:])
    MANUAL.write_text(renewed(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
    MANUAL.with_suffix("").write_text(man_page(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
