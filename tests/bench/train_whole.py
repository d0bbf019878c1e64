"""`real train-dpo` against a script of TRL's, each a whole process: imports, models, training, saving.

The records are pairs under 1,500 characters, of HH's lengths or of `--data`. TRL has its defaults, but for float32 on a
CPU, a log line each step, and `gradient_checkpointing=False`, which is its faster half; both save the trained model.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.bench import alternate, figure, hh_like, median, parser, read_pairs, write_rows
from tests.bench.train_dpo import PEER_NAMES, TRL_SIDES, train_trl

MOST_CHARACTERS = 1500
OURS = {"ours": [], "ours-bfloat16": ["--dtype", "bfloat16"]}
FIGURES = {"ours": "train-dpo, whole process", "ours-bfloat16": "train-dpo --dtype bfloat16, whole process"}
GOAL, MOST_MEMORY, MOST_APART = 3.5, 0.4, 1e-4


def short_pairs(rows, count):
    """Take the first pairs whose prompt and response stay below the limit."""
    short = [
        row
        for row in rows
        if all(len(row["prompt"]) + len(row[name]) < MOST_CHARACTERS for name in ("chosen", "rejected"))
    ]
    if len(short) < count:
        raise SystemExit(f"tests.bench.train_whole: {len(short)} pairs under {MOST_CHARACTERS} characters, not {count}")
    return short[:count]


def whole_ours(job, words):
    """The command, in this process."""
    from typer.testing import CliRunner

    from real_cli.app import app

    command = ["train-dpo", "--policy", job["policy"], "--output", job["output"], "--batch-size", job["batch_size"]]
    command += ["--max-length", job["max_length"], "--device", job["device"], "--quiet", *words, job["input"]]
    result = CliRunner().invoke(app, [str(word) for word in command])
    if result.exit_code:
        raise SystemExit(result.stderr + str(result.exception))
    *steps, last = [json.loads(line) for line in result.stdout.splitlines()]
    return {"losses": [line["loss"] for line in steps], "output": last["output"]}


def whole_trl(job):
    """The script."""
    rows = [json.loads(line) for line in Path(job["input"]).read_text().splitlines()]
    return train_trl(job | {"rows": rows}, **TRL_SIDES["trl-kept"])


def show(side, runs, peer, options):
    """Print the figure of one of our sides."""
    apart = max(abs(first - other) for first, other in zip(runs[0]["losses"], peer[0]["losses"], strict=True))
    memory = median(runs, "peak_mb") / median(peer, "peak_mb")
    is_exact = not OURS[side]
    whole, theirs = ([run | {"seconds": run["wall_s"]} for run in each] for each in (runs, peer))
    figure(
        FIGURES[side],
        whole,
        theirs,
        amount=options.records,
        unit="pairs/s",
        peer_name=PEER_NAMES["trl-kept"],
        bar="3.5 times as fast, 0.4 of its memory" + ", losses within 1e-4" * is_exact,
        options=options,
        met=lambda ratio: ratio >= GOAL and memory <= MOST_MEMORY and (apart <= MOST_APART or not is_exact),
        memory_ratio=round(memory, 2),
        cpu_ratio=round(median(peer, "cpu_s") / median(runs, "cpu_s"), 2),
        largest_loss_difference=apart,
        policy=options.policy,
        pairs=options.records,
        data=options.data.name if options.data else "of HH's lengths",
    )


def main():
    """Measure all sides in turn."""
    options = parser(records=40, rounds=2)
    options.add_argument("--policy", default="smollm2")
    options.add_argument("--device", default="cpu")
    options.add_argument("--batch-size", type=int, default=8)
    options.add_argument("--max-length", type=int, default=1024)
    options.add_argument("--sides", default=",".join(OURS), help="which of our sides to measure")
    options = options.parse_args()
    if options.side:
        job = json.loads(options.job.read_text())
        with tempfile.TemporaryDirectory() as folder:
            job["output"] = f"{folder}/trained"
            result = whole_trl(job) if options.side == "trl" else whole_ours(job, OURS[options.side])
        print(json.dumps(result), file=sys.__stdout__)
        return
    many = 10 * options.records
    rows = short_pairs(read_pairs(options.data, many) if options.data else hh_like(many), options.records)
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder) / "pairs.jsonl", rows)
        job = {name: getattr(options, name) for name in ("policy", "device", "batch_size", "max_length")}
        job["input"] = f"{folder}/pairs.jsonl"
        sides = options.sides.split(",")
        result = alternate("tests.bench.train_whole", [*sides, "trl"], job, options)
    for side in sides:
        show(side, result[side], result["trl"], options)


if __name__ == "__main__":
    main()
