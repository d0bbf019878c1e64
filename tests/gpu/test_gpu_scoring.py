"""embed, relabel implicit and eval margin: their numbers against float32 on the CPU."""

import json

import numpy as np
import pytest

from real_cli.records.choices import Precision
from tests.train.training import run

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ON_CPU = ["--device", "cpu", "--dtype", "float32"]
# How far a response's log-probability, some 200 nats, may lie from float32 on the CPU: rounding is 2^-24 or 2^-9.
NATS = {"float32": 0.02, "bfloat16": 3.0}
LEAST_COSINE = {"float32": 0.99999, "bfloat16": 0.995}
WAYS = {
    "shared": ["--layout", "shared"],
    "plain": ["--layout", "plain"],
    "packed": ["--layout", "packed"],
    "eager": ["--layout", "shared", "--attention", "eager"],
    "split": ["--layout", "shared", "--batch-tokens", "64"],
}


def embeddings(words, pairs):
    """Embed the responses; returns an array, shape (texts, dim)."""
    records, _ = run("embed", *words, rows=pairs)
    return np.array([response["embedding"] for record in records for response in record["responses"]])


def least_cosine(ours, others):
    """The smallest cosine of two sets of vectors, and how far their lengths differ at most."""
    lengths = np.linalg.norm(ours, axis=1), np.linalg.norm(others, axis=1)
    cosines = (ours * others).sum(axis=1) / lengths[0] / lengths[1]
    return cosines.min(), np.abs(lengths[0] / lengths[1] - 1).max()


@pytest.mark.parametrize("way", ["encoder", "mean", "last", "layer"])
def test_embeddings_point_where_those_of_a_cpu_do(way, case, encoder, policy, pairs):
    """An encoder, and a language model by the mean, by its last token and at an inner layer."""
    words = {
        "encoder": ["--model", encoder],
        "mean": ["--model", policy],
        "last": ["--model", policy, "--pooling", "last"],
        "layer": ["--model", policy, "--layer", "1"],
    }[way]
    ours = embeddings([*words, *case.words], pairs)
    assert ours.shape[0] == 2 * len(pairs)
    cosine, apart = least_cosine(ours, embeddings([*words, *ON_CPU], pairs))
    assert cosine > LEAST_COSINE[case.dtype]
    assert apart < (1e-4 if case.is_exact else 0.05)


def test_a_text_has_its_embedding_in_any_batch(case, encoder, pairs):
    """Alone, with padding beside longer ones, all at once."""
    words = ["--model", encoder, *case.words]
    together = embeddings(words, pairs)
    for tokens in ("1", "100"):
        cosine, _ = least_cosine(together, embeddings([*words, "--batch-tokens", tokens], pairs))
        assert cosine > LEAST_COSINE[case.dtype]


@pytest.fixture(scope="module")
def known_scores(policy, reference, pairs):
    """The implicit rewards by float32 on the CPU, in nats."""
    return implicit(policy, reference, pairs, *ON_CPU, "--layout", "plain")


def implicit(policy, reference, pairs, *words):
    """Score chosen and rejected of each pair; beta is 1, so in nats."""
    records, _ = run(
        "relabel", "implicit", "--policy", policy, "--reference", reference, "--beta", "1", *words, rows=pairs
    )
    return np.array([[record["score_chosen"], record["score_rejected"]] for record in records])


@pytest.mark.parametrize("way", WAYS)
def test_implicit_rewards_are_those_of_a_cpu(way, case, policy, reference, pairs, known_scores):
    """In all layouts, by both kinds of attention, in small batches."""
    result = implicit(policy, reference, pairs, *WAYS[way], *case.words)
    assert np.abs(known_scores).max() > 20  # the two models do differ
    assert np.abs(result - known_scores).max() < NATS[case.dtype]


def test_a_model_is_its_own_reference_to_the_last_digit(case, policy, pairs):
    """Both are asked once, in the same batch."""
    assert not implicit(policy, policy, pairs, *case.words).any()


@pytest.mark.parametrize("layout", ["shared", "plain", "packed"])
def test_margins_are_those_of_a_cpu(layout, case, policy, reference, pairs, known_scores, tmp_path):
    """Pair by pair, for two policies one after the other; the second is the reference, and ties with itself."""
    rows = tmp_path / "rows.jsonl"
    run(
        "eval", "margin", "--policy", policy, "--policy", reference, "--reference", reference, "--rows", rows,
        "--layout", layout, *case.words, rows=pairs,
    )  # fmt: skip
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    margins = np.array([line["margin"] for line in lines]).reshape(2, len(pairs))
    known = known_scores[:, 0] - known_scores[:, 1]
    assert np.abs(margins[0] - known).max() < 2 * NATS[case.dtype]
    assert np.abs(margins[1]).max() < (1e-2 if case.is_exact else NATS[case.dtype])


def test_contrastive_prompts_are_scored_on_the_device(case, policy, pairs):
    """DLMA's score, in nats, within twice the bound of a log-probability."""
    words = ["relabel", "implicit", "--policy", policy, "--contrast", "Be kind.", "Be rude."]
    result, known = (
        [record["offset"] for record in run(*words, *place, rows=pairs)[0]] for place in (case.words, ON_CPU)
    )
    assert np.abs(np.array(result) - np.array(known)).max() < 4 * NATS[case.dtype]


def test_what_is_refused_is_refused_in_one_line(encoder, pairs):
    """A device that is not there, an index too high: status 2 before a model is loaded."""
    for name in ("cuda:97", "cuda:x"):
        _, messages = run("embed", "--model", encoder, "--device", name, rows=pairs, status=2)
        assert messages.startswith(f"real: --device {name}: not available here")
        assert messages.count("\n") == 1
    _, messages = run("embed", "--model", encoder, "--device", "cdua", rows=pairs, status=2)
    assert messages.startswith("real: --device: 'cdua' is none of auto, cpu, cuda, ")
    assert messages.endswith("; did you mean cuda?\n")


@pytest.mark.cuda
def test_auto_takes_the_gpu_and_cpu_leaves_it_alone(policy, encoder, pairs):
    """Memory of the device tells where a command worked."""
    import torch

    assert {str(precision) for precision in Precision} >= {"auto", "float32", "bfloat16"}
    for words in (["embed", "--model", encoder], ["relabel", "implicit", "-p", policy, "-r", policy]):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.max_memory_allocated()
        run(*words, "--device", "cpu", rows=pairs)
        assert torch.cuda.max_memory_allocated() == before
        run(*words, rows=pairs)
        assert torch.cuda.max_memory_allocated() > before + 10_000_000
