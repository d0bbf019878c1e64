"""Memory and speed of the evaluations that need no model, on many rows: `python -m tests.bench.eval_rows`.

The bar is memory: what is held of a row is numbers, so that a million rows fit where a few thousand do. The peer is the
same command on a tenth of the rows.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.bench import parser, run_measured, text_of

COMMANDS = ("labels", "winrate", "pairs")
BAR_MB = 500


def write_judged(path, num_rows, *, per_prompt=4, seed=0):
    """Write labeled pairs of three models with scores, similarity and both verdicts of a judge."""
    draw = np.random.default_rng(seed)
    texts = [text_of(draw, size) for size in draw.integers(5, 40, size=2000)]
    with open(path, "w", encoding="utf-8") as lines:
        for number in range(num_rows):
            first, second = draw.choice(3, size=2, replace=False).tolist()
            single, other, similarity, gap = draw.random(4).round(6).tolist()
            row = {
                "prompt": f"{texts[number // per_prompt % 1999]} {number // per_prompt}",
                "chosen": texts[int(single * 2000)] + str(number),
                "rejected": texts[int(other * 2000)],
                "score_chosen": round(2 * gap, 6),
                "score_rejected": 0.7,
                "similarity": similarity,
                "model_chosen": f"model-{first}",
                "model_rejected": f"model-{second}",
                "judge": {"verdict": "chosen", "verdicts": ["A", "B"]},
            }
            lines.write(json.dumps(row) + "\n")


def main():
    """Measure, and print a figure for each command."""
    options = parser(records=1_000_000, rounds=1).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for num_rows in (options.records // 10, options.records):
            files[num_rows] = Path(folder) / f"{num_rows}.jsonl"
            write_judged(files[num_rows], num_rows)
        for name in COMMANDS:
            real = str(Path(sys.executable).parent / "real")
            few, many = (
                run_measured([real, "eval", name, "-q", "-o", "/dev/null", str(path)]) for path in files.values()
            )
            line = {
                "figure": f"eval {name}",
                "records": options.records,
                "ours": float(f"{options.records / many['wall_s']:.4g}"),
                "unit": "records/s",
                "bar": f"under {BAR_MB} MB",
                "met": many["peak_mb"] < BAR_MB,
                "peer_name": f"ours on {options.records // 10:,}",
                "peer": float(f"{options.records / 10 / few['wall_s']:.4g}"),
                "ours_peak_mb": many["peak_mb"],
                "peer_peak_mb": few["peak_mb"],
                "rounds": 1,
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
