"""The forward that scores responses: against the model's own logits."""

import pytest
import torch

from real_cli.models.forward import attach_scorer
from real_cli.models.policies import load_policy
from real_cli.models.scoring import Scorer, pad_batch
from real_cli.models.tokens import TokenizedPair

PAIRS = [TokenizedPair([3, 4, 5], [6, 7, 1], [8, 1]), TokenizedPair([9], [10, 11, 12, 13, 1], [14, 15, 1])]


def plain_logps(model, prompt, response):
    """Sum log softmax of the full logits at the response's tokens, one sequence at a time, without padding."""
    ids = torch.tensor([[*prompt, *response]])
    with torch.no_grad():
        logps = torch.log_softmax(model(input_ids=ids).logits.float(), dim=-1)[0]
    start = len(prompt)
    return sum(logps[start + i - 1, token].item() for i, token in enumerate(response) if start + i > 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt2", "gpt_neox", "gemma2", "cohere"])
def test_scores_are_those_of_the_full_logits_whatever_the_architecture(kind, make_tiny_policy):
    """Gemma 2 caps its logits and Cohere scales them: the probe sends both through their own forward."""
    policy = load_policy(str(make_tiny_policy(kind)), device="cpu")
    assert policy.model._real_head_is_plain == (kind not in ("gemma2", "cohere"))
    scores = Scorer(policy, 64)(PAIRS)
    for pair, score in zip(PAIRS, scores, strict=True):
        assert score.chosen == pytest.approx(plain_logps(policy.model, pair.prompt, pair.chosen), abs=1e-4)
        assert score.rejected == pytest.approx(plain_logps(policy.model, pair.prompt, pair.rejected), abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scores_do_not_depend_on_batches_or_padding(tiny_policy):
    """A batch of one, all at once, and the other order give the same numbers."""
    policy = load_policy(str(tiny_policy), device="cpu")
    together = Scorer(policy, 4096)(PAIRS)
    alone = [Scorer(policy, 1)([pair])[0] for pair in PAIRS]
    reversed_order = Scorer(policy, 4096)(PAIRS[::-1])[::-1]
    for one, two, three in zip(together, alone, reversed_order, strict=True):
        assert one == pytest.approx(two, abs=1e-4)
        assert one == pytest.approx(three, abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_gradients_are_those_of_the_full_logits(tiny_policy):
    """The head in chunks, computed again in the backward pass, must not change a gradient."""
    model = load_policy(str(tiny_policy), device="cpu").model
    batch = pad_batch([(PAIRS[0].prompt, PAIRS[0].chosen), (PAIRS[1].prompt, PAIRS[1].chosen)], 0)
    model(**batch).sum().backward()
    ours = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    logps = torch.log_softmax(logits[:, :-1], dim=-1).gather(-1, batch["input_ids"][:, 1:, None])[..., 0]
    (logps * batch["completion_mask"][:, 1:]).sum().backward()
    for mine, parameter in zip(ours, model.parameters(), strict=True):
        assert torch.allclose(mine, parameter.grad, atol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_keeps_its_own_forward_and_takes_the_scorer_once(tiny_policy):
    """Generation and everything else still calls the model as before."""
    model = load_policy(str(tiny_policy), device="cpu").model
    forward = model.forward
    attach_scorer(model)
    assert model.forward == forward
    assert model(input_ids=torch.tensor([[3, 4]])).logits.shape[:2] == (1, 2)


def test_a_batch_is_padded_on_the_right_and_masks_say_what_is_what():
    """Literal matrices: prompt 3 4, response 5; prompt 6, response 7 1."""
    batch = pad_batch([([3, 4], [5]), ([6], [7, 1]), ([8], [9])], pad_token_id=0)
    assert batch["input_ids"].tolist() == [[3, 4, 5], [6, 7, 1], [8, 9, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 0]]
    assert batch["completion_mask"].tolist() == [[0, 0, 1], [0, 1, 1], [0, 1, 0]]
