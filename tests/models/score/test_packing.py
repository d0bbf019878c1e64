"""The packed layout: groups of a pass in one row, each for itself; what attention gets, and which models take it."""

import re

import pytest
import torch

from real_cli.models.load.policies import load_policy
from real_cli.models.score.masks import visible
from real_cli.models.score.packing import BLOCK, flex_mask, pack_attention, packed_mask
from real_cli.models.score.probe import settle_layout
from real_cli.models.score.sequences import Group, group_batches, lay_out
from real_cli.records.choices import TokenLayout
from tests.models.score.test_forward import GROUPS, gradients, score
from tests.train.training import run, train

pytestmark = [pytest.mark.filterwarnings("ignore")]

MOVES = "a response's log-probability moves by"


def packed_by_rule(batch, window=None):
    """Say which token of a packed row sees which, from the dense mask of each group alone."""
    seen = torch.zeros(*[batch["segments"].shape[1]] * 2, dtype=torch.bool)
    start = 0
    for length in batch["group_lengths"]:
        span = slice(start, start + length)
        seen[span, span] = visible(batch["segments"][:, span], batch["position_ids"][:, span], window)[0, 0]
        start += length
    return seen


def long_batch():
    """Make a row of several of flex attention's blocks: groups shorter than one, longer than one, and the longest."""
    draw = torch.Generator().manual_seed(0)

    def ids(length):
        return tuple(torch.randint(5, (length,), generator=draw).tolist())

    sizes = [(3, 4, 5), (100, 60, 90), (40, 7, 7), (1, 2, 2), (200, 150, 30)]
    return lay_out([Group(ids(size), [ids(one), ids(two)], []) for size, one, two in sizes], TokenLayout.packed, 0)


def test_a_packed_batch_is_one_row_without_padding():
    """Prompt 3 4 with responses 5 and 6 1, then no prompt with 7 1 and 8: positions and segments begin anew."""
    batch = lay_out([Group((3, 4), [(5,), (6, ~1)], []), Group((), [(7, 1), (8,)], [])], TokenLayout.packed, 0)
    assert batch["input_ids"].tolist() == [[3, 4, 5, 6, 1, 7, 1, 8]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 2, 3, 0, 1, 0]]
    assert batch["segments"].tolist() == [[0, 0, 1, 2, 2, 1, 1, 2]]
    assert batch["group_lengths"] == [5, 3]
    assert batch["predictors"].tolist() == [1, 1, 5]
    assert batch["targets"].tolist() == [5, 6, 1]
    assert batch["owners"].tolist() == [0, 1, 2]
    assert batch["places"].tolist() == [2, 3, 5, 6, 7]
    assert batch["num_responses"] == 4


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"sliding_window": 4, "layer_types": ["full_attention", "sliding_attention"]}])
def test_sinks_of_attention_and_shared_keys_are_kept(changes, make_tiny_policy):
    """gpt-oss has a sink for each head, which eager attention alone knows; two heads of queries share their keys."""
    sizes = {"num_key_value_heads": 1, "num_local_experts": 2, "num_experts_per_tok": 2}
    model = load_policy(str(make_tiny_policy("gpt_oss", **sizes, **changes)), device="cpu").model
    assert model.config._attn_implementation == "eager"
    plain, packed = (score(model, layout) for layout in (TokenLayout.plain, TokenLayout.packed))
    torch.testing.assert_close(packed, plain, atol=1e-4, rtol=0)
    weights = torch.linspace(-1, 1, 9)
    expected, result = (gradients(model, (logps * weights).sum()) for logps in (plain, packed))
    assert any("sinks" in name for name in expected)
    for name, grad in expected.items():
        torch.testing.assert_close(result[name], grad, atol=1e-4, rtol=1e-3)


@pytest.mark.slow
def test_masks_are_as_small_as_the_groups_and_are_made_once_a_pass(tiny_policy, monkeypatch):
    """A row of 35 tokens would have a mask of 35 x 35; the groups have their own, the same for all layers."""
    model = load_policy(str(tiny_policy), device="cpu").model
    pack_attention(model)
    batch = lay_out(GROUPS, TokenLayout.packed, 0)
    assert batch["group_lengths"] == [20, 5, 10]
    mask = packed_mask(model, batch["segments"], batch["position_ids"], batch["group_lengths"])
    assert mask.numel() == 0
    assert [part.shape[-2:] for _, part in mask.group_masks] == [(20, 20), (5, 5), (10, 10)]
    calls = []
    monkeypatch.setattr("real_cli.models.score.packing.visible", lambda *args: calls.append(args) or visible(*args))
    model(**batch)
    assert model.config.num_hidden_layers == 2
    assert len(calls) == len(GROUPS)


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_token_keeps_no_more_for_its_gradients_than_in_the_shared_layout(attention, make_tiny_policy):
    """In passes of at most 512 tokens, of groups of 20 to 230: bytes that autograd keeps, masks too, by tokens."""
    draw = torch.Generator().manual_seed(0)
    sizes = torch.randint(10, 120, (40, 2), generator=draw).tolist()
    groups = [Group((2,) * (size // 2), [(3,) * (size // 2), (4,) * other], []) for size, other in sizes]
    model = load_policy(str(make_tiny_policy()), device="cpu").model.train()
    model.set_attn_implementation(attention)
    kept = {}
    for layout in (TokenLayout.shared, TokenLayout.packed):
        if layout is TokenLayout.packed:
            pack_attention(model)
        passes = [[groups[index] for index in indices] for indices in group_batches(groups, layout, 512)]
        batches = [lay_out(groups_of_pass, layout, 0) for groups_of_pass in passes]
        assert max(batch["input_ids"].numel() for batch in batches) <= 512
        kept[layout] = max(kept_bytes(model, batch) / batch["input_ids"].numel() for batch in batches)
    assert 0.5 < kept[TokenLayout.packed] / kept[TokenLayout.shared] < 1.01


def kept_bytes(model, batch):
    """Count the bytes of storages, beside the weights', that a forward pass keeps for its backward pass."""
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    storages = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        alive = model(**batch)
    assert alive.logps.requires_grad
    return sum(storages.values())


@pytest.mark.parametrize("window", [None, 16])
def test_the_rule_of_flex_attention_is_the_mask_of_each_group(window):
    """Asked for every pair of places; and no pair that is seen lies in a block that is not visited."""
    batch = long_batch()
    lengths = torch.tensor(batch["group_lengths"])
    groups = torch.arange(len(lengths)).repeat_interleave(lengths)
    mask = flex_mask(batch["segments"][0], batch["position_ids"][0], groups, window)
    width = len(groups)
    query, key = torch.meshgrid(torch.arange(width), torch.arange(width), indexing="ij")
    seen = packed_by_rule(batch, window)
    assert torch.equal(mask.mask_mod(torch.zeros_like(query), torch.zeros_like(query), query, key), seen)
    visited = mask.to_dense()[0, 0].bool()
    assert visited.shape == (6, 6)
    assert not (seen & ~visited[query // BLOCK, key // BLOCK]).any()
    # 12, 250, 54, 5 and 380 tokens: the last three blocks hold the last group alone, the first ones nothing of it.
    assert visited.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 1],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("window", [None, 16])
def test_flex_attention_without_a_compiler_gives_what_a_dense_mask_does(window):
    """Its blocks and its rule, computed on a CPU."""
    from torch.nn.attention.flex_attention import flex_attention
    from torch.nn.functional import scaled_dot_product_attention

    batch = long_batch()
    lengths = torch.tensor(batch["group_lengths"])
    groups = torch.arange(len(lengths)).repeat_interleave(lengths)
    mask = flex_mask(batch["segments"][0], batch["position_ids"][0], groups, window)
    query, key, value = torch.randn(3, 1, 2, len(groups), 16, generator=torch.Generator().manual_seed(0))
    expected = scaled_dot_product_attention(query, key, value, attn_mask=packed_by_rule(batch, window)[None, None])
    torch.testing.assert_close(flex_attention(query, key, value, block_mask=mask), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        ("mamba", {}, "layers of another kind|refuses the mask"),
        ("bloom", {}, "its attention function cannot be exchanged"),
        ("lfm2", {"layer_types": ["conv", "full_attention"]}, "layers of another kind .conv."),
    ],
)
def test_a_model_that_takes_neither_layout_is_told_once_and_plain(kind, changes, why, make_tiny_policy, capfd):
    """Both layouts are tried; one line says what came of it, and transformers says nothing of attention."""
    policy = load_policy(str(make_tiny_policy(kind, **changes)), device="cpu")
    notes = []
    settled = settle_layout(policy, "tiny", TokenLayout.packed, max_length=64, tell=notes.append)
    assert settled.layout is TokenLayout.plain
    (line,) = notes
    assert line.startswith("tiny: plain layout, prompts are not packed: ")
    assert re.search(why, line)
    assert "attention implementation" not in "".join(capfd.readouterr())


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["refuses", "moves"])
def test_a_model_that_shares_and_cannot_be_packed_shares_with_its_own_attention(fault, tiny_policy, monkeypatch):
    """Attention that cannot be exchanged; attention whose masks let a response see those before it."""

    def refuse(model):
        raise ValueError("its attention function cannot be exchanged")

    from real_cli.models.score import packing

    if fault == "refuses":
        monkeypatch.setattr("real_cli.models.score.probe.pack_attention", refuse)
    policy = load_policy(str(tiny_policy), device="cpu")
    if fault == "moves":
        monkeypatch.setattr(packing, "visible", lambda segments, *others: visible(torch.zeros_like(segments), *others))
    notes = []
    settled = settle_layout(policy, "tiny", TokenLayout.packed, max_length=64, tell=notes.append)
    assert settled.layout is TokenLayout.shared
    why = "it refuses the mask (its attention function cannot be exchanged)" if fault == "refuses" else MOVES
    (line,) = notes
    assert line.startswith(f"tiny: shared layout, prompts are not packed: {why}")
    assert (policy.attention, policy.model.config._attn_implementation) == ("sdpa", "sdpa")


@pytest.mark.slow
def test_a_packed_policy_keeps_the_name_of_its_attention_and_runs_other_layouts(tiny_policy):
    """What a run says of attention is what the user could ask for; rows with padding go to that function as before."""
    policy = load_policy(str(tiny_policy), device="cpu")
    plain = score(policy.model, TokenLayout.plain)
    settled = settle_layout(policy, "tiny", TokenLayout.packed, max_length=64, tell=print)
    assert (settled.layout, settled.attention) == (TokenLayout.packed, "sdpa")
    for layout in (TokenLayout.plain, TokenLayout.shared):
        torch.testing.assert_close(score(settled.model, layout), plain, atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--gradient-checkpointing"], ["--attention", "eager"], ["--loss", "aot"]])
def test_packed_training_has_the_losses_and_references_of_the_plain_layout(words, tiny_policy, pair_rows, tmp_path):
    """In passes of one group and of several, with what recomputes its passes and what compares whole batches."""
    words = ["--batch-size", "4", *words]
    plain, _ = train(tiny_policy, tmp_path / "plain", pair_rows, "--layout", "plain", *words)
    expected = [line["loss"] for line in plain]
    assert max(expected) - min(expected) > 1e-3
    for budget in ("20", "512"):
        options = ["--layout", "packed", "--batch-tokens", budget, *words]
        packed, messages = train(tiny_policy, tmp_path / budget, pair_rows, *options)
        assert f"packed layout, {budget} tokens a pass" in messages
        assert [line["loss"] for line in packed] == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_scores_of_other_commands_are_those_of_the_plain_layout(tiny_policy, make_tiny_policy, pair_rows):
    """`relabel implicit` and `eval margin` share the option."""
    models = ["--policy", make_tiny_policy(seed=7), "--reference", tiny_policy, "--device", "cpu"]
    for command in (["relabel", "implicit"], ["eval", "margin"]):
        plain, packed = (
            run(*command, *models, "--layout", layout, rows=pair_rows)[0] for layout in ("plain", "packed")
        )
        numbers = [[value for value in flat(records) if isinstance(value, float)] for records in (plain, packed)]
        assert len(numbers[0]) > 3
        assert numbers[1] == pytest.approx(numbers[0], abs=1e-4)


def flat(value):
    """List what stands in a record, at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    return [part for item in value for part in flat(item)] if isinstance(value, list) else [value]


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["auto", "packed"])
def test_a_reference_of_another_layout_that_is_asked_at_every_step_is_refused(
    layout, tiny_policy, make_tiny_policy, pair_rows, tmp_path
):
    """spa runs the policy's own passes through the reference, and bloom takes only the plain ones."""
    words = ["--loss", "spa", "--reference", make_tiny_policy("bloom"), "--layout", layout, "--max-steps", "1"]
    _, messages = train(tiny_policy, tmp_path / "out", pair_rows, *words, status=1)
    assert "it takes the plain layout and the policy the " in messages
    assert "add --layout plain" in messages
    train(tiny_policy, tmp_path / "out", pair_rows, *words, "--layout", "plain")
