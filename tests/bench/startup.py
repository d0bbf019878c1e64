"""How long help takes: `real --help`, help of its commands, and `trl --help` beside them."""

import json
import statistics
import sys
from pathlib import Path

from tests.bench import parser, run_measured

BAR_S = 0.3


def main():
    """Measure, and print a line for each command."""
    options = parser(rounds=5).parse_args()
    commands = [[], ["pair"], ["embed"], ["train-dpo"], ["eval", "margin"]]
    trl = Path(sys.executable).with_name("trl")
    peer = [run_measured([str(trl), "--help"])["wall_s"] for _ in range(2)] if trl.exists() else []
    for words in commands:
        runs = [run_measured([sys.executable, "-m", "real_cli", *words, "--help"]) for _ in range(options.rounds)]
        line = {
            "figure": " ".join(["real", *words, "--help"]),
            "ours": round(statistics.median(run["wall_s"] for run in runs), 3),
            "peer": round(statistics.median(peer), 3) if peer else None,
            "unit": "s",
            "met": statistics.median(run["wall_s"] for run in runs) < BAR_S,
            "bar": f"under {BAR_S} s",
            "peer_name": "trl --help",
            "ours_peak_mb": statistics.median(run["peak_mb"] for run in runs),
            "rounds": options.rounds,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
