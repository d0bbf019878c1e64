"""sample: a text does not depend on the batch it was written in, nor, in float32, on the device."""

import pytest

from tests.gpu.models import is_large
from tests.train.training import run

pytestmark = [pytest.mark.gpu, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NUM_RESPONSES = 3
# The random policy is flat; halving the temperature makes draws that hang on last digits rare.
WAYS = {
    "greedy": ["--temperature", "0", "-n", "1"],
    "sampled": ["--temperature", "0.5", "-n", str(NUM_RESPONSES)],
    "nucleus": ["--temperature", "0.5", "--top-p", "0.9", "-n", str(NUM_RESPONSES)],
    "stopped": ["--temperature", "0.5", "-n", "2", "--stop", " the", "--stop", " a"],
}
ON_A_CPU = ("sampled",)
MAX_TOKENS, NUM_PROMPTS = (24, 8) if is_large() else (8, 4)


def texts(policy, prompts, *words):
    """Sample, and return the texts of all responses."""
    words = ["sample", "--policy", policy, "--max-tokens", MAX_TOKENS, "--seed", "3", *words]
    records, _ = run(*words, rows=prompts)
    assert [record["prompt"] for record in records] == [row["prompt"] for row in prompts]
    return [response["text"] for record in records for response in record["responses"]]


def num_apart(texts, others):
    """Count the texts that differ."""
    return sum(text != other for text, other in zip(texts, others, strict=True))


@pytest.fixture(scope="module")
def prompts(pairs):
    """Distinct prompts of different lengths."""
    return [{"prompt": text} for text in dict.fromkeys(row["prompt"] for row in pairs)][:NUM_PROMPTS]


@pytest.mark.parametrize("way", WAYS if is_large() else ON_A_CPU)
def test_a_text_is_the_same_in_any_batch_and_on_a_cpu(way, policy, device, prompts):
    """In float32: all rows at once, a few, one at a time, and on the CPU; at most one text hangs on a last digit.

    Matrix products of another shape sum in another order. Over 49,152 nearly equal tokens, as a random model has them,
    a drawn number then falls beside its token once in some thousand draws (seen on an H200); greedy texts are equal.
    """
    words = [*WAYS[way], "--dtype", "float32"]
    together = texts(policy, prompts, *words, "--device", device)
    assert len(set(together)) > len(prompts) // 2
    for tokens in ("1", "200") if way == "greedy" else ("100",):
        apart = num_apart(together, texts(policy, prompts, *words, "--device", device, "--batch-tokens", tokens))
        assert apart <= (way != "greedy" and device != "cpu")
    assert num_apart(together, texts(policy, prompts, *words, "--device", "cpu")) <= 1


def test_the_native_format_writes_as_many_texts_that_differ_by_their_seed(policy, device, prompts):
    """In bfloat16, on the device that was named."""
    words = ["--device", device, "--dtype", "bfloat16", *WAYS["sampled"]]
    result = texts(policy, prompts, *words)
    assert len(result) == NUM_RESPONSES * len(prompts)
    assert result == texts(policy, prompts, *words)
    assert result != texts(policy, prompts, *words, "--seed", "4")
    assert len(set(result)) > len(prompts)
