"""The forward that scores responses, in all layouts: against the model's own logits, one sequence at a time."""

import re

import pytest
import torch

from real_cli.errors import UsageError
from real_cli.models.load.policies import load_policy
from real_cli.models.score.forward import attach_scorer
from real_cli.models.score.packing import pack_attention
from real_cli.models.score.probe import layout_problem, settle_layout
from real_cli.models.score.scoring import Scorer
from real_cli.models.score.sequences import Group, lay_out
from real_cli.models.score.tokens import TokenizedExample
from real_cli.records.choices import Attention, Precision, TokenLayout

PAIRS = [
    TokenizedExample([3, 4, 5], [[6, 7, 1], [8, 1]]),
    TokenizedExample([9], [[10, 11, 12, 13, 1], [14, 15, 1]]),
]
# Ragged in every way: five responses and two, a long prompt and none at all, a response of one token.
GROUPS = [
    Group((3, 4, 5, 6, 7, 8, 9), [(10, 1), (11,), (12, 13, 14, 15, 1), (6, 7, 8), (4, 1)], []),
    Group((), [(10, 11, 1), (12, 1)], []),
    Group((5,), [(6, 7, 8, 9, 10, 11, 1), (3, 1)], []),
]
KINDS = ["llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "gpt_neox", "gpt2", "mistral", "cohere"]
LAYOUTS = [TokenLayout.shared, TokenLayout.plain, TokenLayout.packed]


def load(folder, layout=TokenLayout.shared, **changes):
    def refuse(line):
        raise AssertionError(f"nothing should be told: {line}")

    policy = load_policy(str(folder), device="cpu")
    for name, value in changes.items():
        setattr(policy.model.config, name, value)
    return settle_layout(policy, "tiny", layout, max_length=64, tell=refuse)


def score(model, layout):
    """Run a model on the groups, in the packed layout by attention that takes it."""
    if layout is TokenLayout.packed:
        pack_attention(model)
    return model(**lay_out(GROUPS, layout, 0)).logps


def plain_logps(model, prompt, response):
    """Sum log softmax of the full logits at the response's tokens, one sequence at a time, without padding."""
    ids = torch.tensor([[*prompt, *response]])
    logps = torch.log_softmax(model(input_ids=ids).logits.float(), dim=-1)[0]
    start = len(prompt)
    return sum((logps[start + i - 1, token] for i, token in enumerate(response) if start + i > 0), torch.zeros(()))


def gradients(model, value):
    model.zero_grad()
    value.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_layouts_give_the_log_probabilities_and_gradients_of_single_sequences(kind, attention, make_tiny_policy):
    """Five responses of one prompt in one row, a row each, or all groups in one row: 1e-4 in float32.

    Gemma 2 caps its logits, Cohere scales them: the probe sends both through their own forward.
    """
    model = load(make_tiny_policy(kind)).model
    if kind == "gemma2" and attention == "sdpa":
        pytest.skip("sdpa cannot cap the scores of attention")
    model.set_attn_implementation(attention)
    assert model._real_head_is_plain == (kind not in ("gemma2", "cohere"))
    weights = torch.linspace(-1, 1, 9)
    alone = torch.stack([plain_logps(model, group.prompt, ids) for group in GROUPS for ids in group.responses])
    expected = gradients(model, (alone * weights).sum())
    for layout in LAYOUTS:
        logps = score(model, layout)
        torch.testing.assert_close(logps, alone, atol=1e-4, rtol=0)
        result = gradients(model, (logps * weights).sum())
        assert result.keys() == expected.keys()
        for name, grad in expected.items():
            torch.testing.assert_close(result[name], grad, atol=1e-4, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["gemma2", "gemma3_text", "mistral"])
def test_a_sliding_window_reaches_as_far_as_it_would_without_other_responses(kind, make_tiny_policy):
    """A window of 4 tokens over prompts of 7: what a response sees is counted from its own place."""
    model = load(make_tiny_policy(kind, sliding_window=4)).model
    alone = [plain_logps(model, group.prompt, ids).item() for group in GROUPS for ids in group.responses]
    wide = load(make_tiny_policy(kind, sliding_window=64)).model
    assert [plain_logps(wide, GROUPS[0].prompt, GROUPS[0].responses[0]).item()] != pytest.approx(alone[:1], abs=1e-3)
    for layout in LAYOUTS:
        assert score(model, layout).tolist() == pytest.approx(alone, abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "why"), [("mamba", "layers of another kind"), ("bloom", "refuses|moves")])
def test_a_model_that_cannot_share_a_prompt_is_found_and_told(kind, why, make_tiny_policy):
    """A state-space model carries one response into the next; positions that are biases take no mask."""
    from real_cli.errors import ModelError

    notes = []
    policy = load_policy(str(make_tiny_policy(kind)), device="cpu")
    settled = settle_layout(policy, "tiny", TokenLayout.auto, max_length=64, tell=notes.append)
    assert settled.layout is TokenLayout.plain
    (line,) = notes
    assert line.startswith("tiny: plain layout")
    with pytest.raises(ModelError, match=f"--layout shared: .*({why})"):
        settle_layout(policy, "tiny", TokenLayout.shared, max_length=64, tell=notes.append)
    scores = Scorer(settled, 64)(PAIRS)
    for pair, score in zip(PAIRS, scores, strict=True):
        assert score[0] == pytest.approx(plain_logps(policy.model, pair.prompt, pair.responses[0]).item(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("precision", [Precision.float32, Precision.bfloat16])
@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        ("mpt", {"d_model": 16, "n_heads": 2, "n_layers": 2, "max_seq_len": 64}, "moves|refuses"),
        ("gpt_neo", {"window_size": 8, "num_layers": 2, "num_heads": 2, "attention_types": [[["local"], 2]]}, "moves"),
        ("lfm2", {"layer_types": ["conv", "full_attention"]}, "layers of another kind .conv."),
    ],
)
def test_a_model_whose_numbers_would_move_is_found(kind, changes, why, precision, make_tiny_policy):
    """Biases by distance, a window over places in the row, a convolution: each takes the mask and is wrong with it."""
    policy = load_policy(str(make_tiny_policy(kind, **changes)), device="cpu", precision=precision)
    assert re.search(why, layout_problem(policy, TokenLayout.shared, 64))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_numbers_of_sixteen_bits_are_no_reason_against_sharing(tiny_policy):
    """bfloat16 rounds the two layouts apart; the probe looks in float32, and puts every weight back."""
    policy = load_policy(str(tiny_policy), device="cpu", precision=Precision.bfloat16)
    before = {name: tensor.clone() for name, tensor in policy.model.state_dict().items()}
    assert layout_problem(policy, TokenLayout.shared, 64) == ""
    for name, tensor in policy.model.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name])
    assert settle_layout(policy, "tiny", TokenLayout.shared, max_length=64, tell=print).layout is TokenLayout.shared


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_under_autocast_the_mask_has_the_format_that_attention_computes_in(attention, tiny_policy):
    """As a GPU trains: float32 weights, bfloat16 inside. The numbers are those of float32 but for rounding."""
    model = load(tiny_policy).model
    model.set_attn_implementation(attention)
    batch = lay_out(GROUPS, TokenLayout.shared, 0)
    with torch.no_grad():
        exact = model(**batch).logps
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = model(**batch).logps
    torch.testing.assert_close(rounded, exact, atol=0.3, rtol=0.02)
    assert not torch.equal(rounded, exact)


def test_flex_attention_on_a_cpu_is_refused_before_anything_is_loaded(tiny_policy):
    """torch has no gradients for it there."""
    with pytest.raises(UsageError, match="--attention flex_attention: torch has no gradients for it on a CPU"):
        load_policy(str(tiny_policy), device="cpu", attention=Attention.flex)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_flex_attention_gets_a_block_mask_that_sees_the_same(tiny_policy):
    """Its rule, asked for every pair of places, is the dense mask."""
    from real_cli.models.score.masks import attention_mask, visible

    model = load_policy(str(tiny_policy), device="cpu").model
    model.config._attn_implementation = "flex_attention"
    batch = lay_out(GROUPS, TokenLayout.shared, 0)
    seen = visible(batch["segments"], batch["position_ids"])
    mask = attention_mask(model, batch["segments"], batch["position_ids"])
    rows, _, width, _ = seen.shape
    row, query, key = torch.meshgrid(torch.arange(rows), torch.arange(width), torch.arange(width), indexing="ij")
    assert torch.equal(mask.mask_mod(row, torch.zeros_like(row), query, key), seen[:, 0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_scores_do_not_depend_on_batches_or_padding(layout, tiny_policy):
    """A batch of one, all at once, and the other order give the same numbers."""
    policy = load(tiny_policy, layout)
    together = Scorer(policy, 4096)(PAIRS)
    alone = [Scorer(policy, 1)([pair])[0] for pair in PAIRS]
    reversed_order = Scorer(policy, 4096)(PAIRS[::-1])[::-1]
    for first, two, three in zip(together, alone, reversed_order, strict=True):
        assert first == pytest.approx(two, abs=1e-4)
        assert first == pytest.approx(three, abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_device_without_room_splits_even_the_responses_of_one_prompt(layout, tiny_policy, monkeypatch):
    """Room for eight tokens: seven pairs of one prompt of four are scored all the same."""
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)
    policy = load(tiny_policy, layout)
    pairs = [TokenizedExample([3, 4, 5, 6], [[7 + number, 1], [14 + number]]) for number in range(7)]
    expected = Scorer(policy, 4096)(pairs)
    notes = []
    scorer = Scorer(policy, 4096, notes.append)
    score = scorer._score

    def score_where_there_is_room(answers):
        if 4 + sum(len(response) for _, response in answers) > 8:
            raise torch.OutOfMemoryError
        return score(answers)

    scorer._score = score_where_there_is_room
    result = scorer(pairs)
    assert len(notes) > 1
    for first, other in zip(result, expected, strict=True):
        assert first == pytest.approx(other, abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_logits_in_chunks_are_logits_at_once(tiny_policy, monkeypatch):
    """One row of logits at a time, each made again for its gradient."""
    model = load(tiny_policy).model
    batch = lay_out(GROUPS, TokenLayout.shared, 0)
    once = model(**batch).logps
    expected = gradients(model, once.sum())
    monkeypatch.setattr("real_cli.models.score.forward.CPU_LOGIT_BYTES", 1)
    chunked = model(**batch).logps
    torch.testing.assert_close(chunked, once, atol=1e-5, rtol=0)
    result = gradients(model, chunked.sum())
    for name, grad in expected.items():
        torch.testing.assert_close(result[name], grad, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_keeps_its_own_forward_and_takes_the_scorer_once(tiny_policy):
    """Generation and everything else still calls the model as before."""
    model = load_policy(str(tiny_policy), device="cpu").model
    forward = model.forward
    attach_scorer(model)
    assert model.forward == forward
    assert model(input_ids=torch.tensor([[3, 4]])).logits.shape[:2] == (1, 2)
