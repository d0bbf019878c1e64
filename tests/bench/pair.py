"""How fast `real pair` reads and chooses: `python -m tests.bench.pair`.

The bar is the JSON parser itself: a loop of orjson.loads over the same bytes, which does nothing with what it reads.
"""

import json
import sys
import tempfile
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import orjson

from tests.bench import figure, parser, run_measured

NUM_RESPONSES, NUM_DIMENSIONS = 8, 384
# What a strategy is compared with takes milliseconds a prompt: it gets a part of the records.
LOOP_SHARE, KMEANS_SHARE = 4, 40
# A process with nothing else in it.
PARSE = """
import sys, orjson
for line in open(sys.argv[1], "rb"):
    orjson.loads(line)
"""


def write_candidates(path, num_records, *, num_responses=NUM_RESPONSES, dim=NUM_DIMENSIONS, seed=0):
    """Write records as `real embed` writes them: each embedding a JSON array of float32 numbers."""
    draw = np.random.default_rng(seed)
    with open(path, "wb") as lines:
        for number in range(num_records):
            vectors = draw.standard_normal((num_responses, dim)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            scores = draw.permutation(num_responses).tolist()
            responses = [
                {"text": f"response {index} to prompt {number}", "score": score, "embedding": vector}
                for index, (score, vector) in enumerate(zip(scores, vectors, strict=True))
            ]
            record = {"id": number, "prompt": f"prompt {number}", "responses": responses}
            lines.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY))


def head(path, num_records, folder):
    """Write the first records of a file to another one; returns it and how many there were."""
    part = Path(folder) / f"first-{num_records}.jsonl"
    with open(path, "rb") as lines, open(part, "wb") as out:
        count = sum(out.write(line) > 0 for line in islice(lines, num_records))
    return part, count


# The peers that choose: each is what a child process does


def cosine(first, second):
    """Compare two vectors, as a script would."""
    return float(np.dot(first, second) / (np.linalg.norm(first) * np.linalg.norm(second)))


def choose_by_loop(path):
    """Methods 1(c), easy: the least similar of all pairs, one call of a cosine a pair."""
    with open(path, "rb") as lines:
        for line in lines:
            vectors = [np.array(response["embedding"]) for response in orjson.loads(line)["responses"]]
            min(combinations(range(len(vectors)), 2), key=lambda pair: cosine(vectors[pair[0]], vectors[pair[1]]))


def choose_by_kmeans(path):
    """Methods 1(c), centroid: all cosines in a loop, scikit-learn's KMeans, the response nearest to each center."""
    from sklearn.cluster import KMeans

    with open(path, "rb") as lines:
        for line in lines:
            vectors = np.array([response["embedding"] for response in orjson.loads(line)["responses"]])
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            for first, second in combinations(vectors, 2):
                cosine(first, second)
            centers = KMeans(n_clusters=2, random_state=0).fit(vectors).cluster_centers_
            sorted(int(np.linalg.norm(vectors - center, axis=1).argmin()) for center in centers)


PEERS = {"loop of cosines": choose_by_loop, "loop of cosines, KMeans": choose_by_kmeans}


# What is measured


def ours(path, *options):
    """Run `real pair` in a process of its own; its time is that of the whole process."""
    run = run_measured([sys.executable, "-m", "real_cli", "pair", "-q", *options, "-o", "/dev/null", str(path)])
    return run | {"seconds": run["wall_s"]}


def peer(name, path):
    """Run a peer in a process of its own."""
    words = ["-m", "tests.bench.pair", "--side", name, "--job"] if name in PEERS else ["-c", PARSE]
    run = run_measured([sys.executable, *words, str(path)])
    return run | {"seconds": run["wall_s"]}


def compare(name, path, num_records, peer_name, options, *words, **bar):
    """Measure both sides in turn, and print the figure."""
    runs = [(ours(path, *words), peer(peer_name, path)) for _ in range(options.rounds)]
    figure(
        name,
        [mine for mine, _ in runs],
        [theirs for _, theirs in runs],
        amount=num_records,
        unit="records/s",
        peer_name=peer_name,
        options=options,
        records=num_records,
        **({"bar": ""} | bar),
    )


def compare_memory(folder, num_records, options):
    """Measure the peak memory of --keep at one size and at ten times that size."""
    peaks = []
    for count in (num_records, 10 * num_records):
        path = Path(folder) / f"small-{count}.jsonl"
        write_candidates(path, count, num_responses=2, dim=8)
        peaks.append(ours(path, "--keep", "35%")["peak_mb"])
        path.unlink()
    line = {
        "figure": "pair --keep 35%, peak memory at ten times the records",
        "ours": peaks[1],
        "peer": peaks[0],
        "unit": "MB",
        "ratio": round(peaks[1] / peaks[0], 2),
        "bar": "",
        "peer_name": f"ours at {num_records:,}",
        "ours_peak_mb": peaks[1],
        "peer_peak_mb": peaks[0],
        "rounds": 1,
        "threads": options.threads,
        "records": 10 * num_records,
    }
    print(json.dumps(line), flush=True)


def main():
    """Make the data, and print a line a figure."""
    options = parser(records=20_000, rounds=3).parse_args()
    if options.side:
        PEERS[options.side](options.job)
        return
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "made.jsonl"
        if not options.data:
            write_candidates(result, options.records)
        path, count = head(options.data, options.records, folder) if options.data else (result, options.records)
        compare("pair", path, count, "orjson.loads", options, bar="under 2x the time", met=lambda ratio: ratio > 0.5)
        part, count = head(path, max(1, options.records // LOOP_SHARE), folder)
        compare("pair -s easy", part, count, "loop of cosines", options, "-s", "easy")
        part, count = head(path, max(1, options.records // KMEANS_SHARE), folder)
        compare("pair -s centroid", part, count, "loop of cosines, KMeans", options, "-s", "centroid")
        for file in (result, path, part):
            if file != options.data:
                file.unlink(missing_ok=True)
        compare_memory(folder, options.records, options)


if __name__ == "__main__":
    main()
