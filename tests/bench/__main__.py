"""Run every benchmark, keep the figures, and renew what README and manual say of them: `python -m tests.bench`.

python -m tests.bench              measures all stages, on a machine that does nothing else
python -m tests.bench pair embed   measures these, and keeps the other figures
python -m tests.bench --data FILE  measures training and embedding on real pairs
python -m tests.bench --device cuda  prints the figures of a GPU, in ten minutes at most
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
from typing import NamedTuple

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
    "train_whole": [[]],
    "estimate": [[]],
    "eval_margin": [[]],
    "eval_rows": [[]],
    "sample": [[], ["--dtype", "bfloat16"]],
    "soup": [[]],
    "scale": [[]],
}
# Its figures are costs, and have a table of their own.
COSTS = "scale"
# Stages that take real pairs: with `--data FILE`.
READ_PAIRS = ("embed", "train_dpo", "train_whole")


class Goal(NamedTuple):
    """A line of the README: a figure and its peer, and what it is to reach.

    Attributes:
        figure: The name that the benchmark prints.
        peer: The name of the peer; a figure without `ratio` has what the benchmark itself calls met.
        words: The goal in words, times the peer's speed unless they say otherwise.
        ratio: Times the speed of the peer, at least; None where the benchmark judges.
        memory: Of the peer's memory, at most.
        why: Why it is missed, where it is.
        label: What was timed, if the figure's name does not say it.
        against: What it is compared with, if the peer's name is too long for a README.
    """

    figure: str
    peer: str
    words: str
    ratio: float | None = None
    memory: float | None = None
    why: str = ""
    label: str = ""
    against: str = ""


TRL_KEPT = "trl DPOTrainer, gradient_checkpointing=False"
ENCODE, EVALUATE = "SentenceTransformer.encode, defaults", "trl DPOTrainer.evaluate, defaults"
GENERATE = "a loop of model.generate, the same rows a batch"
# Of `train-dpo`, and what its clocks include.
WHOLE_WHY = "the passes take nine tenths"
WHOLE, ALONE = "train-dpo, whole process, short pairs", "train-dpo alone, HH's lengths"
UNCHECKPOINTED, TIMES = "TRL, no checkpointing", "3.5, in 0.4 of its memory"
GOALS = (
    Goal("every --help, the slowest", "trl --help", "0.1 CPU-seconds", why="typer takes most", label="every --help"),
    Goal("pair on one record", "import numpy", "0.1 CPU-seconds more", why="typer brings pydantic"),
    Goal("pair", "orjson.loads", "1.25 times its time", 0.8),
    Goal("embed", ENCODE, "1.3", 1.3, against="`SentenceTransformer.encode`"),
    Goal("train-dpo, whole process", TRL_KEPT, TIMES, 3.5, 0.4, WHOLE_WHY, WHOLE, UNCHECKPOINTED),
    Goal("train-dpo", TRL_KEPT, TIMES, 3.5, 0.4, WHOLE_WHY, ALONE, UNCHECKPOINTED),
    Goal("eval margin", EVALUATE, "5", 5, against="TRL's `evaluate`"),
    Goal("sample", GENERATE, "1.3", 1.3, against="`model.generate`"),
    Goal("soup", "two state dicts", "1", 1),
)
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


def measure(stage, data=None):
    """Run one stage; its lines are shown as they come."""
    lines = []
    real_pairs = ["--data", data] if data and stage in READ_PAIRS else []
    for words in STAGES[stage]:
        command = [sys.executable, "-m", f"tests.bench.{stage}", *words, *real_pairs]
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
    """Make the README's table: a line a goal, met or missed, and why it is missed."""
    rows = ["| what | against | times | goal |", "| --- | --- | --- | --- |"]
    for goal in GOALS:
        begin = f"| {goal.label or goal.figure} | {goal.against or goal.peer}"
        matching = [row for row in figures if row["figure"] == goal.figure and row.get("peer_name") == goal.peer]
        if not matching:
            rows.append(f"{begin} |  | {goal.words}: unmeasured |")
            continue
        (row,) = matching
        verdict = VERDICTS[is_met(goal, row)] + (f", {goal.why}" if goal.why and not is_met(goal, row) else "")
        speed = row["ratio"] if "ratio" in row else row["peer"] and row["peer"] / row["ours"]
        rows.append(f"{begin} | {cell(speed)} | {goal.words}{verdict} |")
    return "\n".join(rows) + "\n"


def is_met(goal, row):
    """Tell whether a figure reaches its goal: by its speed and its memory, or by the benchmark's own word."""
    if goal.ratio is None:
        return row["met"]
    share = row["ours_peak_mb"] / row["peer_peak_mb"]
    return row["ratio"] >= goal.ratio and (goal.memory is None or share <= goal.memory)


def renewed(text, figures):
    """Put the tables into a document, between their marks."""
    for name, make in (("performance", table), ("speed", goals), ("scale", costs)):
        begin, end = f"<!-- {name}: made by {RENEW} -->\n", f"<!-- end of {name} -->"
        if begin in text:
            head, rest = text.split(begin)
            text = head + begin + make(figures) + end + rest.split(end)[1]
    return text


def gpu_bench():
    """Print the figures of a GPU, which take ten minutes; elsewhere they would take days."""
    from tests.gpu.bench import main as print_figures
    from tests.gpu.models import on_cuda

    if not on_cuda():
        raise SystemExit("tests.bench: there is no CUDA device; python -m tests.gpu.bench --tiny tries it on a CPU")
    print_figures([])


def main(words):
    """Measure what is asked for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; all without one")
    options.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="cuda is tests.gpu.bench, kept nowhere"
    )
    options.add_argument("--data", help="real pairs instead of some made here, for the stages that take them")
    options.add_argument("--table", action="store_true", help="measure nothing")
    options = options.parse_args(words)
    if unknown := [stage for stage in options.stages if stage not in STAGES]:
        raise SystemExit(f"tests.bench: there is no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    if options.device == "cuda":
        gpu_bench()
        return
    figures = read_figures()
    if not options.table:
        for stage in options.stages or STAGES:
            figures = [figure for figure in figures if figure["stage"] != stage] + measure(stage, options.data)
            figures.sort(key=lambda figure: list(STAGES).index(figure["stage"]))
            FIGURES.write_text("".join(json.dumps(figure) + "\n" for figure in figures))
    for path in (README, MANUAL, SCALE):
        path.write_text(renewed(path.read_text(), figures))
    for path in (MANUAL, SCALE):
        path.with_suffix("").write_text(man_page(path.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
