"""`real embed` against `SentenceTransformer.encode`: texts a second, peak memory, and the cosine of their vectors.

Ours is the whole of what the command does to records (parsing, embedding, writing JSON), the peer is `encode` on a list
of texts with its defaults. The clock starts when the model is loaded; a second figure has the whole processes. Then
ours in bfloat16, by torch and by OpenVINO, where the processor computes in it and the extra is there. The last is the
peak memory of the command on all `--records`. `cpu_ratio` is that of CPU seconds: with `--threads 1` it holds on a busy
machine too.
"""

import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tests.bench import alternate, count_tokens, figure, hh_like, median, parser, read_pairs, run_measured, write_rows

# Ours, each with the options of `load_encoder` that make it.
SIDES = {
    "ours": {},
    "ours-bfloat16": {"precision": "bfloat16"},
    "ours-openvino": {"backend": "openvino"},
}
PEER = "sentence-transformers"
# Figures of the faster ways, with their goals.
FASTER = (("embed --dtype bfloat16", "ours-bfloat16", 2.5), ("embed --backend openvino", "ours-openvino", 4))


def embed_ours(job):
    """What `real embed` does with its records."""
    from real_cli.embed.choices import Backend
    from real_cli.embed.embedder import Embedder
    from real_cli.embed.encoders import load_encoder
    from real_cli.io.job import Job
    from real_cli.records.choices import Encoding, Precision
    from real_cli.records.layouts import adapt

    how = SIDES[job.get("side", "ours")]
    encoder = load_encoder(
        job["model"],
        device=job["device"],
        precision=Precision(how.get("precision", "auto")),
        backend=Backend(how.get("backend", "torch")),
    )
    embedder = Embedder(lambda: encoder, encoding=Encoding.array)
    started, cpu_started = time.perf_counter(), time.process_time()
    with Job([job["input"]], output=Path(job["output"]), quiet=True) as run:
        for record in embedder(located.record for located in run.records(adapt)):
            run.write(record)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "texts": embedder.num_texts}


def embed_peer(job):
    """`encode` on the same texts."""
    from sentence_transformers import SentenceTransformer

    from real_cli.models.load.resolve import resolve_model

    formats = {"model_kwargs": {"dtype": job["peer_dtype"]}} if "peer_dtype" in job else {}
    model = SentenceTransformer(resolve_model(job["model"]), device=job["device"], **formats)
    with open(job["input"], "rb") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [text for row in rows for text in (row["chosen"], row["rejected"])]
    started, cpu_started = time.perf_counter(), time.process_time()
    vectors = model.encode(texts, show_progress_bar=False)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    np.save(job["vectors"], vectors)
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "texts": len(texts)}


def least_cosine(job, side):
    """Compare what both made of every text."""
    theirs = iter(np.load(job["vectors"]))
    least = 1.0
    with open(f"{job['output']}-{side}", "rb") as lines:
        for line in lines:
            for response in json.loads(line)["responses"]:
                ours, other = np.array(response["embedding"]), next(theirs)
                least = min(least, float(ours @ other / np.linalg.norm(ours) / np.linalg.norm(other)))
    return least


def make_light_encoder(folder):
    """Make a sentence-transformers folder of one random layer, as wide as MiniLM: it costs little time a text."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    from real_cli.models.load.resolve import resolve_model

    torch.manual_seed(0)
    config = BertConfig(hidden_size=384, num_hidden_layers=1, num_attention_heads=12, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(resolve_model("minilm")).save_pretrained(folder)
    pooling = Path(folder) / "1_Pooling"
    pooling.mkdir()
    kinds = {"": "Transformer", pooling.name: "Pooling"}
    modules = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds.items()]
    (Path(folder) / "modules.json").write_text(json.dumps(modules))
    (Path(folder) / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    (pooling / "config.json").write_text('{"pooling_mode_mean_tokens": true}')


def print_memory(folder, options):
    """Run the command on all records, with an encoder of one layer: what grows with the input does not need more."""
    make_light_encoder(f"{folder}/light")
    source = options.data or Path(folder) / "all.jsonl"
    if not options.data:
        write_rows(source, hh_like(options.records))
    command = [sys.executable, "-m", "real_cli", "embed", "--quiet", "--device", options.device]
    run = run_measured([*command, "--model", f"{folder}/light", "--output", "/dev/null", str(source)])
    line = {"figure": "embed, memory", "records": options.records, "ours_peak_mb": run["peak_mb"]}
    print(json.dumps(line | {"seconds": round(run["wall_s"], 1), "model": "one layer, 384 wide"}), flush=True)


def print_speed(folder, options):
    """Measure ours against the peer on the first records, from loaded models and from start to end."""
    job = {"model": options.model, "device": options.device, "input": f"{folder}/in.jsonl"}
    job |= {"output": f"{folder}/out.jsonl", "vectors": f"{folder}/vectors.npy"}
    rows = read_pairs(options.data, options.timed) if options.data else hh_like(options.timed)
    write_rows(Path(job["input"]), rows)
    runs = alternate("tests.bench.embed", [*sides_here(), PEER], job, options)
    ours, peer = runs["ours"], runs[PEER]
    shared = {
        "unit": "texts/s",
        "amount": ours[0]["texts"],
        "peer_name": "SentenceTransformer.encode, defaults",
        "options": options,
        "model": options.model,
        "texts": ours[0]["texts"],
        "tokens": count_tokens(options.model, [row[name] for row in rows for name in ("chosen", "rejected")]),
    }
    print_side("embed", 1.3, 0.9999, "ours", runs, job, shared)
    whole = [[{**run, "seconds": run["wall_s"]} for run in runs] for runs in (ours, peer)]
    figure("embed, start to end", *whole, bar="", **shared)
    for name, side, goal in FASTER:
        if side in runs:
            print_side(name, goal, 0.9999, side, runs, job, shared)


def sides_here():
    """Name the ways of ours that this machine has."""
    import torch

    has = getattr(torch.cpu, "get_capabilities", dict)()
    if not (has.get("amx_bf16") or has.get("avx512_bf16")):
        return ["ours"]
    return ["ours", "ours-bfloat16", *(["ours-openvino"] if find_spec("openvino") else [])]


def print_side(name, goal, least, side, runs, job, shared):
    """Print the figure of one way of ours: speed, CPU time and cosine against the peer's."""
    cosine = least_cosine(job, side)
    figure(
        name,
        runs[side],
        runs[PEER],
        bar=f"{goal:g} times, cosine above {least:g}",
        met=lambda ratio: ratio >= goal and cosine > least,
        least_cosine=round(cosine, 7),
        cpu_ratio=round(median(runs[PEER], "cpu_seconds") / median(runs[side], "cpu_seconds"), 2),
        **shared,
    )


def main():
    """Measure on the first records against the peer, then the peak memory on all of them."""
    options = parser(records=10_000, rounds=3)
    options.add_argument(
        "--timed", type=int, default=1000, help="records that are timed, ours against the peer; 0 for none"
    )
    options.add_argument("--model", default="minilm")
    options.add_argument("--device", default="cpu")
    options = options.parse_args()
    if options.side:
        job = json.loads(options.job.read_text())
        job |= {"side": options.side, "output": f"{job['output']}-{options.side}"}
        print(json.dumps((embed_peer if options.side == PEER else embed_ours)(job)), file=sys.__stdout__)
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.timed:
            print_speed(folder, options)
        print_memory(folder, options)


if __name__ == "__main__":
    main()
