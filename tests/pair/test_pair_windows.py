"""`pair` reads ahead in a file and not in a pipe: what it writes must not tell which."""

import base64
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from real_cli.io.jsonl import dump_record
from real_cli.io.sources import WINDOW_BYTES

PAIR = [sys.executable, "-m", "real_cli", "pair"]


def candidates(number, n=4, dim=256, **fields):
    draw = np.random.default_rng(number)
    responses = [
        {"text": f"t{index}", "score": int(draw.integers(3)), "embedding": draw.normal(size=dim).tolist()}
        for index in range(n)
    ]
    return {"id": number, "prompt": f"q{number}", "responses": responses, **fields}


def odd_records():
    """Lines of three windows: sound ones of several shapes, and every fault that `pair` knows between them."""
    records = [candidates(number, n=2 + number % 4, dim=256 + 8 * (number % 2)) for number in range(40)]
    records[3]["responses"][1]["embedding"] = [0.0] * 264
    records[5]["responses"][0]["embedding"] = [1e39] * 264
    records[8]["responses"][1]["text"] = "t0"
    records[11]["responses"] = records[11]["responses"][:1]
    records[14]["responses"][0]["embedding"].pop()
    del records[17]["responses"][1]["text"]
    del records[20]["responses"][1]["embedding"]
    records[23]["prompt"] = [{"role": "user", "content": "Hi"}]
    records[26]["responses"][0]["score"] = "high"
    records[29] = {"prompt": "q", "response": "a row of one response", "score": 1}
    records[30] = {"prompt": "q", "response": "and the next", "score": 2}
    lines = [json.dumps(record) for record in records]
    lines[33] = lines[33][:-1]
    lines[36] = lines[36].replace('"id": 36', '"id": 18446744073709551616')
    data = "".join(f"{line}\n" for line in lines).encode()
    assert len(data) > 2 * WINDOW_BYTES
    return data


def run(folder, data, *words, piped):
    (folder / "in.jsonl").write_bytes(data)
    with open(folder / "in.jsonl", "rb") as file:
        source = {"input": data} if piped else {"stdin": file}
        done = subprocess.run([*PAIR, *words], cwd=folder, capture_output=True, check=False, **source)
    rejects = folder / "rejects.jsonl"
    return done.returncode, done.stdout, done.stderr, rejects.read_bytes() if rejects.exists() else None


@pytest.mark.parametrize(
    "words",
    [
        ["-s", "random", "--on-error", "skip", "--rejects", "rejects.jsonl"],
        ["--on-error", "skip", "--rejects", "rejects.jsonl"],
        ["-s", "centroid", "--on-error", "skip"],
        ["--emit", "triples", "--on-error", "skip"],
        [],
    ],
    ids=" ".join,
)
def test_a_file_and_a_pipe_give_the_same_bytes_rejects_and_messages(tmp_path, words):
    data = odd_records()
    assert run(tmp_path, data, *words, piped=False) == run(tmp_path, data, *words, piped=True)


def as_base64(record):
    for response in record["responses"]:
        vector = np.array(response["embedding"], dtype=np.float64).astype("<f4")
        response["embedding"] = base64.b64encode(vector.tobytes()).decode()
    return record


def with_unknown_fields(record):
    """Fields that look like embeddings, and are nobody's."""
    for response in record["responses"]:
        response["nested"] = {"embedding": [1, 2]}
    return record | {'x"embedding': [1, 2], "note": '"embedding":[0,0]', "embedding": [1.5]}


WRITINGS = {
    "base64": lambda record: json.dumps(as_base64(record)),
    "odd spaces": lambda record: json.dumps(record, separators=(" ,\t", "  : ")) + "  \r",
    "unknown fields": lambda record: json.dumps(with_unknown_fields(record)),
    "escaped keys": lambda record: json.dumps(record).replace('"embedding"', '"\\u0065mbedding"'),
    "keys given twice": lambda record: json.dumps(record).replace('"embedding"', '"embedding": [7], "embedding"'),
    "mixed": lambda record: json.dumps(as_base64(record) if record["id"] % 3 else record),
}


@pytest.mark.parametrize("words", [["--orient", "none"], ["--emit", "ranking"]], ids=" ".join)
def test_records_written_in_another_way_give_the_same_bytes(tmp_path, words):
    """As JSON arrays, and otherwise: numbers are read alike, to the bit, and fields that are unknown pass through."""
    plain = "".join(f"{json.dumps(candidates(number))}\n" for number in range(20))
    status, out, errors, _ = run(tmp_path, plain.encode(), *words, piped=False)
    assert status == 0
    assert len(out.splitlines()) > 10
    for writing, write in WRITINGS.items():
        other = "".join(f"{write(candidates(number))}\n" for number in range(20))
        *given, _ = run(tmp_path, other.encode(), *words, piped=False)
        if writing == "unknown fields":
            records = [json.loads(line) for line in given[1].splitlines()]
            assert {record["note"] for record in records} == {'"embedding":[0,0]'}
            given[1] = b"".join(map(dump_record, map(without_unknown_fields, records)))
        assert given == [status, out, errors], writing


def without_unknown_fields(record):
    if "responses" in record:
        record["responses"] = [
            {name: value for name, value in each.items() if name != "nested"} for each in record["responses"]
        ]
    unknown = ('x"embedding', "note", "embedding", "nested_chosen", "nested_rejected")
    return {name: value for name, value in record.items() if name not in unknown}


def test_without_rejects_the_output_is_the_same_as_with_them(tmp_path):
    data = odd_records()
    status, out, _, rejects = run(tmp_path, data, "--on-error", "skip", piped=False)
    assert (status, rejects) == (3, None)
    assert run(tmp_path, data, "--on-error", "skip", "--rejects", "rejects.jsonl", piped=False)[:2] == (status, out)


def test_pairs_before_a_fault_are_written_though_they_were_in_its_window(tmp_path):
    data = "".join(f"{json.dumps(candidates(number))}\n" for number in range(3)).encode() + b"{\n"
    status, out, errors, _ = run(tmp_path, data, "--orient", "none", piped=False)
    assert (status, len(out.splitlines())) == (1, 3)
    assert errors.startswith(b"real: <stdin>:4: ")


def test_a_pair_is_made_while_its_writer_is_still_thinking(tmp_path):
    """`tail -f log | real pair`: the output is larger than a buffer before the input ends."""
    line = json.dumps(candidates(0, n=2, dim=2) | {"note": "x" * 70_000}).encode() + b"\n"
    process = subprocess.Popen([*PAIR, "--orient", "none"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    process.stdin.write(line)
    process.stdin.flush()
    assert os.read(process.stdout.fileno(), 10).startswith(b'{"id":0')
    process.stdin.close()
    process.stdout.close()
    process.wait()
    watchdog.cancel()
