"""Benchmarks: `python -m tests.bench.STAGE`. Each measures ours and the peer in alternating fresh processes.

A module runs itself once a measurement, `python -m tests.bench.STAGE --side NAME --job FILE`: the child does the work,
times what counts and prints one JSON object. The parent alternates the sides and prints one JSON line a figure.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
# Tokens of prompt, chosen, rejected in HH-RLHF harmless-base, test split: mean and deviation of the log, largest.
HH_SHAPE = ((4.39, 0.94, 826), (3.28, 0.85, 258), (3.50, 0.89, 369))
WORDS = """the of and to in is you that it he was for on are as with his they at be this from have or by one had not but
what all were when we there can an your which their said if do will each about how up out them then she many some so
these would other into has more her two like him see time could no make than first been its who now people my made
over did down only way find use may water long little very after words called just where most know""".split()  # noqa: SIM905 - a list of words reads as words


def parser(**defaults):
    """Make the options that every benchmark has."""
    options = argparse.ArgumentParser(description="Prints one JSON line a figure.")
    options.add_argument("--records", type=int, default=defaults.get("records", 1000), help="how many are made")
    options.add_argument("--rounds", type=int, default=defaults.get("rounds", 2), help="measurements of each side")
    options.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of both sides")
    options.add_argument("--data", type=Path, help="a real file instead of records made here")
    options.add_argument("--side", help="internal: what a child measures")
    options.add_argument("--job", type=Path, help="internal: what a child is given")
    return options


def text_of(draw, num_words):
    """Make a text; most of its words are one token."""
    return "".join(f" {WORDS[number]}" for number in draw.integers(len(WORDS), size=num_words))


def hh_like(num_pairs, seed=0):
    """Make pairs with HH's distribution of lengths."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(num_pairs):
        sizes = [int(min(most, max(2, draw.lognormal(mean, spread)))) for mean, spread, most in HH_SHAPE]
        prompt, chosen, rejected = (text_of(draw, size) for size in sizes)
        rows.append({"id": number, "prompt": prompt, "chosen": chosen, "rejected": rejected})
    return rows


def read_pairs(path, count):
    """Read the first pairs of a real file, in one of the layouts that `real` knows."""
    from real_cli.records.layouts import adapt

    with open(path, "rb") as lines:
        return [adapt(json.loads(line)).record for line in islice(lines, count)]


def count_tokens(model, texts):
    """Count the tokens of some texts, each once."""
    from transformers import AutoTokenizer

    from real_cli.models.load.resolve import resolve_model

    tokenizer = AutoTokenizer.from_pretrained(resolve_model(model))
    return sum(len(ids) for ids in tokenizer(texts, verbose=False)["input_ids"])


def write_rows(path, rows):
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def child(module, side, job, threads):
    """Run one measurement in a fresh process; adds its peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        path.write_text(json.dumps(job))
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
        command = [sys.executable, "-m", module, "--side", side, "--job", str(path)]
        return run_measured(command, environment)


# The peak that the system reports of a process is never below what the process that started it held at that moment: a
# small one stands between.
LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
out = process.stdout.read().decode().splitlines()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps([status, usage.ru_maxrss // 1024, seconds, usage.ru_utime + usage.ru_stime, out[-1:]]))
"""


def run_measured(command, environment=None):
    """Run a command; its last line of standard output is a JSON object, or nothing.

    Adds peak memory, wall time and CPU time.
    """
    launcher = [sys.executable, "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, env=environment, cwd=ROOT)
    status, peak_mb, wall_s, cpu_s, last = json.loads(done.stdout)
    if status:
        raise SystemExit(f"{command} failed: {done.stderr.decode()[-2000:]}")
    measured = json.loads(last[0]) if last and last[0].startswith("{") else {}
    return measured | {"peak_mb": peak_mb, "wall_s": wall_s, "cpu_s": cpu_s}


def alternate(module, sides, job, options):
    """Measure every side once a round, one after the other; returns all measurements of each."""
    result = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side in sides:
            result[side].append(child(module, side, job, options.threads))
    return result


def median(runs, name):
    """Take the median of one number over the rounds."""
    return statistics.median(run[name] for run in runs)


def figure(name, ours, peer, *, amount, unit, peer_name, bar, options, met=lambda ratio: None, **more):
    """Print one figure: rates from the medians of the seconds of both sides, and whether the bar is met."""
    our_rate, peer_rate = amount / median(ours, "seconds"), amount / median(peer, "seconds")
    line = {
        "figure": name,
        "ours": float(f"{our_rate:.4g}"),
        "peer": float(f"{peer_rate:.4g}"),
        "unit": unit,
        "ratio": round(our_rate / peer_rate, 2),
        "bar": bar,
        "met": met(our_rate / peer_rate),
        "peer_name": peer_name,
        "ours_peak_mb": median(ours, "peak_mb"),
        "peer_peak_mb": median(peer, "peak_mb"),
        "rounds": options.rounds,
        "threads": options.threads,
    }
    print(json.dumps(line | more), flush=True)
