"""Run every benchmark, keep the figures, and renew what README and manual say of them: `python -m tests.bench`.

python -m tests.bench              measures all stages, on a machine that does nothing else
python -m tests.bench pair embed   measures these, and keeps the other figures
python -m tests.bench --table      renews the tables alone
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from real_cli.docs.markdown import man_page
from tests.bench import ROOT

FIGURES = Path(__file__).with_name("figures.jsonl")
README = ROOT / "README.md"
MANUAL = ROOT / "man" / "real-performance.7.md"
SCALE = ROOT / "man" / "real-scale.7.md"
RENEW = "python -m tests.bench --table"
# The runs of each stage, by their options.
STAGES = {
    "startup": [[]],
    "pair": [[]],
    "embed": [[], ["--records", "100000", "--timed", "0"]],
    "train_dpo": [[]],
    "estimate": [[]],
    "eval_margin": [[]],
    "eval_rows": [[]],
    "sample": [[]],
    "soup": [[]],
    "scale": [[]],
}
# Its figures are costs, and have a table of their own.
COSTS = "scale"
# The goals, each a ratio of rates: figure, peer, goal, goal in words. The README shows these alone.
GOALS = (
    ("pair", "orjson.loads", 0.8, "1.25 times its time at most"),
    ("embed", "SentenceTransformer.encode, defaults", 1.3, "1.3 times as fast"),
    ("train-dpo", "trl DPOTrainer, gradient_checkpointing=False", 3.5, "3.5 times as fast, 0.4 of its memory"),
    ("eval margin", "trl DPOTrainer.evaluate, defaults", 5, "5 times as fast"),
    ("sample", "a loop of model.generate, the same rows a batch", 1.3, "1.3 times as fast"),
    ("soup", "two state dicts", 1, "as fast"),
)
MOST_MEMORY = {"train-dpo": 0.4}
VERDICTS = {None: "", True: ": met", False: ": **missed**"}
PACKAGES = ("torch", "transformers", "trl", "sentence-transformers", "orjson")


def machine():
    """Say where the figures come from."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    versions = {package: version(package) for package in PACKAGES}
    return {"cores": os.cpu_count(), "cpu": cpu, "python": platform.python_version(), **versions}


def measure(stage):
    """Run one stage; its lines are shown as they come."""
    lines = []
    for words in STAGES[stage]:
        command = [sys.executable, "-m", f"tests.bench.{stage}", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(json.loads(line) | {"stage": stage, "machine": machine()})
        if process.returncode:
            raise SystemExit(f"tests.bench.{stage} failed")
    return lines


def read_figures():
    """Read the figures that are kept."""
    return [json.loads(line) for line in FIGURES.read_text().splitlines()] if FIGURES.exists() else []


def cell(value, unit=""):
    """Write one number, or a dash where there is none."""
    return "" if value is None else f"{value:,.4g} {unit}".strip()


def memory(figure, side):
    """Write a peak memory."""
    value = figure.get(f"{side}_peak_mb")
    return "" if value is None else f"{value / 1024:.1f} GB" if value >= 1024 else f"{value:.0f} MB"


def table(figures):
    """Make the machine's line and the table's."""
    rows = ["| what | ours | peer | ratio | memory | bar |", "| --- | --- | --- | --- | --- | --- |"]
    for figure in figures:
        if figure["stage"] == COSTS:
            continue
        unit = figure.get("unit", "")
        peer = cell(figure.get("peer"), unit)
        peer = f"{figure['peer_name']}: {peer}" if peer else ""
        both = " / ".join(filter(None, (memory(figure, "ours"), memory(figure, "peer"))))
        what = figure["figure"] + (f", {figure['records']:,} records" if "records" in figure else "")
        ratio = f"{figure['ratio']:g}" if "ratio" in figure else ""
        bar = figure.get("bar", "") + VERDICTS[figure.get("met")]
        rows.append(f"| {what} | {cell(figure.get('ours'), unit)} | {peer} | {ratio} | {both} | {bar} |")
    result = figures[0]["machine"]
    versions = ", ".join(f"{package} {result[package]}" for package in PACKAGES)
    return (
        f"{result['cores']} cores, {result['cpu']}, Python {result['python']}, {versions}.\n\n" + "\n".join(rows) + "\n"
    )


def short(value):
    """Write a number with three digits, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def costs(figures):
    """Make the table of what a response costs, and a billion of them."""
    rows = ["| what | CPU time a response | a billion | memory | bytes a response | a billion |", "| --- " * 6 + "|"]
    for figure in figures:
        if figure["stage"] == COSTS:
            spent, size = figure.get("cpu_us"), figure.get("bytes")
            time = ["", ""] if spent is None else [f"{short(spent)} µs", f"{short(spent / 3.6)} CPU-hours"]
            room = ["", ""] if not size else [f"{size:,}", f"{size / 1000:.2f} TB"]
            rows.append(f"| {figure['figure']} | {' | '.join([*time, memory(figure, 'ours'), *room])} |")
    return "\n".join(rows) + "\n"


def goals(figures):
    """Make the README's table: a line a goal, met or missed."""
    rows = ["| what | against | times its speed | goal |", "| --- | --- | --- | --- |"]
    for name, peer, goal, words in GOALS:
        (row,) = [row for row in figures if row["figure"] == name and row.get("peer_name") == peer]
        share = row["ours_peak_mb"] / row["peer_peak_mb"]
        met = row["ratio"] >= goal and share <= MOST_MEMORY.get(name, share)
        rows.append(f"| {name} | {peer} | {row['ratio']:g} | {words}{VERDICTS[met]} |")
    return "\n".join(rows) + "\n"


def renewed(text, figures):
    """Put the tables into a document, between their marks."""
    for name, make in (("performance", table), ("speed", goals), ("scale", costs)):
        begin, end = f"<!-- {name}: made by {RENEW} -->\n", f"<!-- end of {name} -->"
        if begin in text:
            head, rest = text.split(begin)
            text = head + begin + make(figures) + end + rest.split(end)[1]
    return text


def main(words):
    """Measure what is asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; all without one")
    options.add_argument("--table", action="store_true", help="measure nothing")
    options = options.parse_args(words)
    if unknown := [stage for stage in options.stages if stage not in STAGES]:
        raise SystemExit(f"tests.bench: there is no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    figures = read_figures()
    if not options.table:
        for stage in options.stages or STAGES:
            figures = [figure for figure in figures if figure["stage"] != stage] + measure(stage)
            figures.sort(key=lambda figure: list(STAGES).index(figure["stage"]))
            FIGURES.write_text("".join(json.dumps(figure) + "\n" for figure in figures))
    for path in (README, MANUAL, SCALE):
        path.write_text(renewed(path.read_text(), figures))
    for path in (MANUAL, SCALE):
        path.with_suffix("").write_text(man_page(path.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
