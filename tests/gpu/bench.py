"""Figures of a GPU: training, embedding and sampling against their peers, in one process, about two minutes.

`python -m tests.gpu.bench [--seconds 150] [--only sample]` prints a JSON line a figure, as many as there is time for.
Peak memory is the device's; MFU counts 6 operations a parameter and token that a pass reads, over 989 TFLOP/s.
"""

import argparse
import contextlib
import gc
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import hh_like, write_rows
from tests.bench.embed import embed_ours, embed_peer
from tests.bench.sample import sample_ours, sample_peer
from tests.bench.train_dpo import train_ours, train_trl
from tests.gpu.assets import asset
from tests.gpu.models import make_encoder, make_llama, on_cuda

PEAK = 989e12
BILLION = dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32)
BILLION |= dict(num_key_value_heads=8, tie_word_embeddings=True)
TRL_BEST = {"gradient_checkpointing": False, "precompute_ref_log_probs": True}
STARTED = time.perf_counter()


def measured(work, *args, **changes):
    """Run one side; what it returns, with its wall time and the device's peak memory. An error is its line."""
    import torch

    gc.collect()
    if on_cuda():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            result = work(*args, **changes)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    peak = torch.cuda.max_memory_allocated() >> 20 if on_cuda() else None
    return result | {"wall_s": round(time.perf_counter() - started, 1), "peak_mb": peak}


def show(figure, ours, peers, amount, unit, **more):
    """Print one figure: ours, and each peer with the ratio to it."""
    line = {"figure": figure, "unit": unit, **more}
    for name, run in {"ours": ours, **peers}.items():
        if "error" in run:
            line[name] = run["error"]
            continue
        line[name] = float(f"{amount / run['seconds']:.4g}")
        line[f"{name}_peak_mb"] = run["peak_mb"]
        if name != "ours" and "error" not in ours:
            line[f"ratio_to_{name}"] = round(run["seconds"] / ours["seconds"], 2)
            if run.get("losses"):
                pairs = zip(ours["losses"], run["losses"], strict=True)
                line[f"{name}_loss_apart"] = round(max(abs(first - other) for first, other in pairs), 4)
    print(json.dumps(line), flush=True)


def show_training(name, policy, num_pairs, batch_size, peers):
    """Training from records to the last step; models are loaded before the clock starts."""
    from safetensors import safe_open

    with safe_open(f"{policy}/model.safetensors", "pt") as weights:
        sizes = {key: weights.get_slice(key).get_shape() for key in weights.keys()}  # noqa: SIM118 - no dict
    parameters = sum(size[0] * (size[1] if len(size) > 1 else 1) for size in sizes.values())
    job = {"policy": str(policy), "device": "cuda" if on_cuda() else "cpu", "batch_size": batch_size}
    job |= {"max_length": 1024, "layout": "auto", "batch_tokens": None, "rows": hh_like(num_pairs)}
    # A length that comes for the first time costs more than its step: whoever runs first would pay for all.
    measured(train_ours, job)
    ours = measured(train_ours, job)
    others = {}
    for peer, changes in peers.items():
        measured(train_trl, job | {"rows": job["rows"][: 2 * batch_size]}, **changes)
        others[peer] = measured(train_trl, job, **changes)
    more = {"parameters": parameters, "pairs": num_pairs, "batch_size": batch_size}
    if "error" not in ours:
        seconds = ours["seconds"] - ours["reference_seconds"]
        more |= {"tokens": ours["tokens"], "training_s": round(seconds, 2)}
        more |= {"mfu": round(6 * parameters * ours["tokens"] / seconds / PEAK, 3)}
    show(f"train-dpo, {name}", ours, others, num_pairs, "pairs/s", **more)


def show_embedding(name, model, folder, num_pairs):
    """What the command does to records, JSON and all, against `encode` with its defaults on a list of texts."""
    job = {"model": str(model), "device": "cuda" if on_cuda() else "cpu", "input": f"{folder}/in.jsonl"}
    job |= {"output": f"{folder}/out.jsonl", "vectors": f"{folder}/vectors.npy"}
    write_rows(Path(job["input"]), hh_like(256, seed=1))
    measured(embed_ours, job)
    write_rows(Path(job["input"]), hh_like(num_pairs))
    ours, peer = measured(embed_ours, job), measured(embed_peer, job)
    show(f"embed, {name}", ours, {"encode": peer}, 2 * num_pairs, "texts/s")


def show_sampling(policy, folder, num_prompts, rows):
    """Tokens that the policy wrote, against a loop of `model.generate` with the same rows in a batch."""
    records = [{"id": row["id"], "prompt": row["prompt"]} for row in hh_like(num_prompts)]
    write_rows(Path(folder) / "in.jsonl", records)
    job = {"model": str(policy), "device": "cuda" if on_cuda() else "cpu", "top_p": 1.0, "rows": rows}
    job |= {"input": f"{folder}/in.jsonl", "output": f"{folder}/out.jsonl", "max_tokens": 64, "responses": 4}
    job |= {"dtype": "bfloat16" if on_cuda() else "float32"}
    # No budget splits what the peer has in one batch: a step of half the rows takes as long.
    job |= {"batch_tokens": rows * 1024, "amount": num_prompts * 4 * 64}
    # Kernels and lengths that come for the first time take seconds: whoever runs first would pay for both.
    measured(sample_ours, job)
    measured(sample_peer, job)
    ours, peer = measured(sample_ours, job), measured(sample_peer, job)
    show("sample", ours, {"generate": peer}, job["amount"], "tokens/s", rows=rows)


def main():
    """Measure in the order of worth, while there is time."""
    options = argparse.ArgumentParser(description="Prints one JSON line a figure.")
    options.add_argument("--seconds", type=float, default=150, help="begin no figure later than this")
    options.add_argument("--tiny", action="store_true", help="one layer and few records: to see that it runs")
    options.add_argument("--only", default="", help="how the figures begin that are measured: train, sample, embed")
    options = options.parse_args()
    tiny = options.tiny
    shape = {"num_hidden_layers": 1} if tiny else {}
    with tempfile.TemporaryDirectory() as folder:
        small = dict(json.loads((asset("smollm2") / "config.json").read_text()))
        names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
        small = {name: small[name] for name in names} | {"tie_word_embeddings": True} | shape
        policy = make_llama(f"{folder}/135M", large=True, scaled=False, **small)
        peers = {"trl": {}, "trl_best": TRL_BEST}
        figures = {
            "train 135M": lambda: show_training("135M", policy, 8 if tiny else 128, 2 if tiny else 8, peers),
            "sample": lambda: show_sampling(policy, folder, 4 if tiny else 64, 4 if tiny else 128),
            "embed MiniLM": lambda: show_embedding(
                "MiniLM", make_encoder(f"{folder}/minilm", large=True), folder, 8 if tiny else 4000
            ),
            "train 1B": lambda: show_training(
                "1B",
                make_llama(f"{folder}/1B", large=True, scaled=False, **BILLION | shape),
                4 if tiny else 96,
                2 if tiny else 16,
                {} if tiny else {"trl": {}},
            ),
            "embed 135M": lambda: show_embedding("135M", policy, folder, 4 if tiny else 1000),
            "train 135M, batches of 64": lambda: show_training(
                "135M, batches of 64", policy, 8 if tiny else 512, 4 if tiny else 64, peers
            ),
        }
        for name, figure in figures.items():
            if name.startswith(options.only) and time.perf_counter() - STARTED < options.seconds:
                figure()


if __name__ == "__main__":
    main()
