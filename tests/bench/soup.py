"""How much memory `real soup` takes, and how fast it is: `python -m tests.bench.soup`.

Two models of two files each. The bar is memory: the peak, less that of a model of a few numbers (the interpreter and
the libraries), against the largest tensor. The peer is the usual script: both state dicts in memory, a dict of
averages, save_file.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tests.bench import alternate, figure, median, parser

NUM_LAYERS = 8
BAR = "peak below 1.3 times the largest tensor plus overhead"


def write_model(folder, num_rows, *, seed, dtype, width=1024):
    """Write an embedding in one file and layers a sixteenth of its size in another one; returns all bytes."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    draw = torch.Generator().manual_seed(seed)
    sizes = {"embed": num_rows} | {f"layers.{number}": max(1, num_rows // 16) for number in range(NUM_LAYERS)}
    tensors = {name: torch.randn(rows, width, generator=draw).to(dtype) for name, rows in sizes.items()}
    files = {
        "model-00001-of-00002.safetensors": ["embed"],
        "model-00002-of-00002.safetensors": [name for name in sizes if name != "embed"],
    }
    places = {}
    for file, names in files.items():
        save_file({name: tensors[name] for name in names}, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(names, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return sum(tensor.nbytes for tensor in tensors.values()), tensors["embed"].nbytes


def average_ours(job):
    """What `real soup` does, hashes and manifest included."""
    from typer.testing import CliRunner

    from real_cli.app import app

    started = time.perf_counter()
    result = CliRunner().invoke(app, ["soup", *job["models"], "-o", f"{job['folder']}/ours", "-q"])
    assert result.exit_code == 0, result.stderr
    return {"seconds": time.perf_counter() - started}


def average_by_script(job):
    """The average of two state dicts."""
    out = Path(job["folder"]) / "theirs"
    out.mkdir()
    started = time.perf_counter()
    first, two = (
        {name: tensor for path in sorted(Path(model).glob("*.safetensors")) for name, tensor in load_file(path).items()}
        for model in job["models"]
    )
    result = {name: ((first[name].float() + two[name].float()) / 2).to(first[name].dtype) for name in first}
    save_file(result, out / "model.safetensors")
    return {"seconds": time.perf_counter() - started}


def measure(folder, num_rows, options):
    """Measure both sides on new models; returns their runs, the bytes of a model and of its largest tensor."""
    dtype = getattr(torch, options.dtype)
    runs = {"ours": [], "script": []}
    models = [folder / "one", folder / "two"]
    sizes = [write_model(model, num_rows, seed=seed, dtype=dtype) for seed, model in enumerate(models)]
    rounds, options.rounds = options.rounds, 1
    for number in range(rounds):
        out = folder / f"round-{number}"
        out.mkdir()
        matches = alternate("tests.bench.soup", [*runs], {"models": [*map(str, models)], "folder": str(out)}, options)
        for side in runs:
            runs[side] += matches[side]
    options.rounds = rounds
    result = {name: t for path in (out / "ours").glob("*.safetensors") for name, t in load_file(path).items()}
    theirs = load_file(out / "theirs" / "model.safetensors")
    assert set(result) == set(theirs)
    assert all(torch.equal(result[name], theirs[name]) for name in result), "both sides make the same model"
    return runs, *sizes[0]


def main():
    """Measure small models for the overhead, then large ones."""
    options = parser(rounds=3)
    options.add_argument("--rows", type=int, default=100_000, help="of the largest tensor, each 1,024 numbers")
    options.add_argument("--dtype", default="float32", help="number format of the models")
    options = options.parse_args()
    if options.side:
        print(json.dumps({"ours": average_ours, "script": average_by_script}[options.side](read_job(options.job))))
        return
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        small.mkdir()
        large.mkdir()
        idle, _, _ = measure(small, 16, options)
        runs, model_bytes, tensor_bytes = measure(large, options.rows, options)
    largest_mb = tensor_bytes / 2**20
    grown = {side: median(runs[side], "peak_mb") - median(idle[side], "peak_mb") for side in runs}
    ratio = grown["ours"] / largest_mb
    figure(
        "soup",
        runs["ours"],
        runs["script"],
        amount=2 * model_bytes / 1e9,
        unit="GB/s",
        peer_name="two state dicts",
        bar=BAR,
        met=lambda _: ratio < 1.3,
        options=options,
        largest_tensor_mb=round(largest_mb),
        peak_over_largest=round(ratio, 3),
        peer_peak_over_largest=round(grown["script"] / largest_mb, 3),
        overhead_mb=median(idle["ours"], "peak_mb"),
        dtype=options.dtype,
    )


def read_job(path):
    """Read what a child is given."""
    return json.loads(path.read_text())


if __name__ == "__main__":
    sys.exit(main())
