"""How long help takes: every `real ... --help`, and `real pair` on one record, which needs numpy.

CPU-seconds of whole processes on a compiled install: what Python compiles it may keep, whatever the environment says.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bench import parser, run_measured, write_rows

BAR_S = 0.1
SHOWN = ("", "pair", "embed", "train-dpo", "eval margin")
RECORD = {
    "prompt": "Say hello.",
    "responses": [{"text": "Hello!", "embedding": [1, 0]}, {"text": "Hi.", "embedding": [0, 1]}],
}


def measure(command, rounds):
    """Run a command once to compile it, and then as often as is asked; returns the runs."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return [run_measured(command, environment) for _ in range(rounds + 1)][1:]


def show(name, runs, peer_name, peer, bar, met, **more):
    """Print one figure; without a peer it has none."""
    line = {
        "figure": name,
        "ours": round(statistics.median(run["cpu_s"] for run in runs), 3),
        "peer": round(statistics.median(run["cpu_s"] for run in peer), 3) if peer else None,
        "unit": "CPU-s",
        "bar": bar,
        "peer_name": peer_name,
        "ours_peak_mb": statistics.median(run["peak_mb"] for run in runs),
        "rounds": len(runs),
    }
    print(json.dumps(line | {"met": met(line["ours"], line["peer"])} | more), flush=True)


def main():
    """Measure, and print a line for the slowest help, for some of them, and for one record."""
    from real_cli.docs.man_pages import commands

    options = parser(rounds=5).parse_args()
    real = [sys.executable, "-m", "real_cli"]
    trl = Path(sys.executable).with_name("trl")
    peer = measure([str(trl), "--help"], 1) if trl.exists() else []
    names = ["", "relabel", "eval", *(command.words.removeprefix("real ") for command in commands())]
    helps = {name: measure([*real, *name.split(), "--help"], options.rounds) for name in names}
    slowest = max(names, key=lambda name: statistics.median(run["cpu_s"] for run in helps[name]))
    bar = f"under {BAR_S} CPU-seconds"

    def is_under(ours, _):
        return ours < BAR_S

    show(
        "every --help, the slowest",
        helps[slowest],
        "trl --help",
        peer,
        bar,
        is_under,
        slowest=f"real {slowest}".strip(),
    )
    for name in SHOWN:
        show(" ".join(["real", *name.split(), "--help"]), helps[name], "trl --help", peer, bar, is_under)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jsonl"
        write_rows(path, [RECORD])
        runs = measure([*real, "pair", "--quiet", str(path)], options.rounds)
    numpy = measure([sys.executable, "-c", "import numpy"], options.rounds)
    bar = f"within {BAR_S} CPU-seconds of it"
    show("pair on one record", runs, "import numpy", numpy, bar, lambda ours, other: ours - other < BAR_S)


if __name__ == "__main__":
    main()
