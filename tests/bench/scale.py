"""What a response costs at each stage, in CPU time and bytes: `python -m tests.bench.scale`.

From these unit costs man/real-scale.7.md says what a billion responses cost. CPU time, since it counts the same on a
machine that others use too; that of starting a command, measured on an empty input, is taken off.
"""

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import orjson

from tests.bench import hh_like, parser, text_of

NUM_RESPONSES, NUM_DIMENSIONS = 8, 384
TEXTS_EMBEDDED = 1000  # of each kind that a model works on
REAL = str(Path(sys.executable).parent / "real")
# Between a process and what it starts, so that the CPU time of the one command is told.
TIMED = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps({"status": status, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss // 1024}))
"""


def cpu_of(words, source, output):
    """Run `real` on a file; returns CPU seconds and peak memory."""
    command = [REAL, *words, "-q", str(source), *(["-o", str(output)] if output else [])]
    done = subprocess.run([sys.executable, "-S", "-c", TIMED, *command], capture_output=True, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    if result["status"]:
        raise SystemExit(f"{command} failed: {done.stderr[-2000:]}")
    return result


def write_sampled(path, num_prompts, seed=0):
    """Write what `real sample` writes: prompts with responses, as long as HH's."""
    draw = np.random.default_rng(seed)
    sizes = [len(row["chosen"].split()) for row in hh_like(num_prompts * NUM_RESPONSES, seed)]
    with open(path, "wb") as lines:
        for number, row in enumerate(hh_like(num_prompts, seed + 1)):
            lengths = sizes[number * NUM_RESPONSES : (number + 1) * NUM_RESPONSES]
            responses = [{"text": text_of(draw, size), "model": "policy", "is_cut": False} for size in lengths]
            record = {"id": number, "prompt": row["prompt"], "responses": responses}
            lines.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def write_encoded(sampled, path, encoding, seed=0):
    """Write what `real embed` writes, with vectors at random in place of a model's: as many digits, and bytes."""
    draw = np.random.default_rng(seed)
    with open(sampled, "rb") as source, open(path, "wb") as lines:
        for line in source:
            record = orjson.loads(line)
            for response in record["responses"]:
                vector = draw.standard_normal(NUM_DIMENSIONS).astype(np.float32)
                vector /= np.linalg.norm(vector)
                response["score"] = round(float(draw.random()), 4)
                if encoding == "array":
                    response["embedding"] = vector
                else:
                    response["embedding"] = base64.b64encode(vector.astype("<f2").tobytes()).decode()
                    response["embedding_dtype"] = "float16"
            lines.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY))


def write_parquet(array, path):
    """Write the same as Parquet, numbers in float16, compressed with zstd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    vector = pa.list_(pa.float16(), NUM_DIMENSIONS)
    response = pa.struct({"text": pa.string(), "score": pa.float64(), "embedding": vector})
    schema = pa.schema({"id": pa.int64(), "prompt": pa.string(), "responses": pa.list_(response)})
    rows = []
    with open(array, "rb") as lines:
        for line in lines:
            record = orjson.loads(line)
            for entry in record["responses"]:
                entry["embedding"] = np.array(entry["embedding"], dtype=np.float16)
            rows.append({name: record[name] for name in ("id", "prompt", "responses")})
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")


def tell(name, num_responses, *, spent=None, start=None, size=None):
    """Print a figure: what one response costs."""
    line = {"figure": name, "records": num_responses}
    if spent is not None:
        line["cpu_us"] = float(f"{(spent['cpu_s'] - start['cpu_s']) / num_responses * 1e6:.3g}")
        line["ours_peak_mb"] = spent["peak_mb"]
    if size is not None:
        line["bytes"] = round(size / num_responses)
    print(json.dumps(line), flush=True)


def measure(name, words, source, num_responses, folder, *, writes=True):
    """Tell what a command costs a response, and what it writes; returns its output."""
    output = folder / f"{name}.out" if writes else None
    empty = folder / "empty.jsonl"
    empty.touch()
    start = cpu_of([word for word in words if word != "{keys}"], empty, folder / "none.out" if writes else None)
    spent = cpu_of(words, source, output)
    tell(name, num_responses, spent=spent, start=start, size=output.stat().st_size if output else None)
    return output


def main():
    """Measure the stages in the order of the pipe."""
    options = parser(records=40_000).parse_args()
    num = options.records
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sampled, few = folder / "sampled.jsonl", folder / "few.jsonl"
        write_sampled(sampled, num // NUM_RESPONSES)
        write_sampled(few, TEXTS_EMBEDDED // NUM_RESPONSES)
        tell("sampled texts", num, size=sampled.stat().st_size)
        measure("embed, MiniLM on a CPU", ["embed", "--encoding", "base64-float16"], few, TEXTS_EMBEDDED, folder)
        files = {"array": folder / "array.jsonl", "base64-float16": folder / "base64.jsonl"}
        for encoding, path in files.items():
            write_encoded(sampled, path, encoding)
            tell(f"embedded, {encoding}", num, size=path.stat().st_size)
        parquet = folder / "embedded.parquet"
        write_parquet(files["array"], parquet)
        tell("embedded, parquet, float16", num, size=parquet.stat().st_size)
        skip = ["pair", "--shard", "1/1000000000"]
        measure("a shard of others, texts", skip, sampled, num, folder)
        measure("a shard of others, embedded, base64-float16", skip, files["base64-float16"], num, folder)
        numbered = ["--shard", "1/1", "--numbered"]
        measure("pair, array", ["pair"], files["array"], num, folder)
        measure("pair, parquet", ["pair"], parquet, num, folder)
        pairs = measure("pair, base64-float16", ["pair", *numbered], files["base64-float16"], num, folder)
        measure("pair --keep 35%", ["pair", "--keep", "35%"], files["base64-float16"], num, folder)
        keys = folder / "keys"
        keys.mkdir()
        first = ["pair", "--keep", "35%", "--keys-to", str(keys / "1"), *numbered]
        measure("pair --keys-to", first, files["base64-float16"], num, folder, writes=False)
        # The empty input of the measurement wrote no keys: the file is that of the second run.
        tell("keys", num, size=(keys / "1").stat().st_size)
        merged = measure("merge", ["merge"], pairs, num, folder)
        measure("relabel weight", ["relabel", "weight"], merged, num, folder)


if __name__ == "__main__":
    main()
