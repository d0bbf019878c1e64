"""What objectives are given: the same numbers in both layouts and in any passes, and right ones."""

from copy import deepcopy
from itertools import pairwise

import pytest
import torch

from real_cli.models.load.policies import load_policy
from real_cli.models.score.forward import DEGREE_HEAD
from real_cli.models.score.sequences import Group, lay_out
from real_cli.models.score.tokens import ExampleTokenizer
from real_cli.records.choices import TokenLayout
from real_cli.text.token_diff import differing_tokens
from real_cli.train.batches.collate import Collator
from real_cli.train.batches.gather import decoupled_logps, gather
from real_cli.train.examples import ExampleReader
from real_cli.train.logps import join_logps
from real_cli.train.lora import add_degree_head
from real_cli.train.losses import OBJECTIVES
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Need
from tests.train.training import with_everything

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def policy(tiny_policy):
    """A policy with a degree head that says something, and a reference that is another model."""
    loaded = load_policy(str(tiny_policy), device="cpu")
    add_degree_head(loaded.model, 4)
    torch.manual_seed(1)
    torch.nn.init.normal_(getattr(loaded.model, DEGREE_HEAD).weight)
    return loaded


def batch_for(mixture, policy, rows, layout, budget):
    """Records as the collator's batch; the reference's log-probabilities are made up, one a response token."""
    read = ExampleReader(mixture.responses, mixture.columns)
    tokenize = ExampleTokenizer(policy.tokenizer, 12)
    result = []
    for number, row in enumerate(rows):
        example = read(row)
        tokens = tokenize(row, example.responses) if mixture.has_pairs else beside_mismatched(tokenize, row, example)
        known = [[-0.1 * (number + place + 1) for place, _ in enumerate(ids)] for ids in tokens.responses]
        result.append(
            {"prompt_ids": tokens.prompt, "response_ids": tokens.responses, "row": number}
            | {"marks": [*example.marks, *[0.0] * (len(tokens.responses) - len(example.marks))]}
            | {"ref_logps": [sum(ours) for ours in known], "ref_token_logps": known, **example.columns}
        )
    words = frozenset() if Need.tokens in mixture.needs else None
    columns = [column.name for column in mixture.columns]
    return Collator(layout, budget, 0, columns, words)(result)


def labeled(pair_rows):
    """Completions with a label, and what another prompt's completion said."""
    return [
        {"prompt": row["prompt"], "responses": [{"text": row["chosen"], "label": number % 3 != 0}]}
        | {"mismatched": pair_rows[number - 1]["rejected"]}
        for number, row in enumerate(pair_rows)
    ]


def beside_mismatched(tokenize, row, example):
    """A completion as it is trained on: the mismatched one is a second response."""
    return tokenize.responses(row, [*example.responses, row["mismatched"]])


def losses(mixture, policy, reference, batch):
    """One value an example, in the order of the batch."""
    parts = []
    for item in batch["passes"]:
        known = {}
        if Need.decoupled in mixture.needs:
            known["decoupled"] = decoupled_logps(policy.model, reference, item["batch"], 0.5)
        recent = torch.tensor([-1.0, 0.0, 1.0])
        parts.append(gather(policy.model(**item["batch"]), batch, item, progress=0.5, recent=recent, **known))
    owners = [item["examples"] for item in batch["passes"]]
    if Need.whole_batch in mixture.needs:
        return mixture(join_logps(parts)).sort().values
    values = torch.cat([mixture(logps) for logps in parts])
    return torch.empty_like(values).index_copy(0, torch.cat(owners), values)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_the_same_in_both_layouts_and_in_any_passes(name, policy, make_tiny_policy, pair_rows):
    """Values and gradients within 1e-4: all in one pass or one example a pass, prompt shared or not."""
    reference = load_policy(str(make_tiny_policy(seed=3)), device="cpu").model
    mixture = Mixture([name])
    rows = with_everything(pair_rows) if mixture.has_pairs else labeled(pair_rows)
    result = []
    for layout in (TokenLayout.shared, TokenLayout.plain):
        for budget in (4096, 1):
            batch = batch_for(mixture, policy, rows, layout, budget)
            assert (len(batch["passes"]) == 1) == (budget == 4096)
            policy.model.zero_grad()
            values = losses(mixture, policy, reference, batch)
            values.mean().backward()
            grads = [ours.grad.flatten().clone() for ours in policy.model.parameters() if ours.grad is not None]
            result.append((values.detach(), torch.cat(grads)))
    scale = float(result[0][0].abs().max().clamp(min=1))
    assert result[0][0].std() > 1e-4
    for (value, grad), (other_value, other_grad) in pairwise(result):
        torch.testing.assert_close(value, other_value, atol=1e-4 * scale, rtol=0)
        torch.testing.assert_close(grad, other_grad, atol=1e-4 * scale, rtol=1e-3)


def test_the_state_of_a_response_is_the_mean_over_its_own_tokens(policy):
    """Not over the states that predict them: those of the prompt's end belong to every response."""
    groups = [Group((3, 4, 5), [(6, 7, 1), (8, 1)], []), Group((9,), [(10, 1)], [])]
    head = getattr(policy.model, DEGREE_HEAD)
    expected = []
    with torch.no_grad():
        for group in groups:
            for ids in group.responses:
                states = policy.model.base_model(torch.tensor([[*group.prompt, *ids]])).last_hidden_state[0]
                expected.append(head(states[len(group.prompt) :].mean(0)))
        for layout in (TokenLayout.shared, TokenLayout.plain):
            scores = policy.model(**lay_out(groups, layout, 0))
            torch.testing.assert_close(scores.degree_logits, torch.stack(expected), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_the_decoupled_policy_is_the_softmax_of_extrapolated_logits(kind, make_tiny_policy):
    """By hand, token by token: log softmax(1.5 policy - .5 reference); at 0 it is the policy. Capped logits too."""
    policy, reference = (load_policy(str(make_tiny_policy(kind, seed=seed)), device="cpu").model for seed in (0, 3))
    prompt, response = (3, 4, 5), (6, 7, 1)
    ids = torch.tensor([[*prompt, *response]])
    with torch.no_grad():
        ahead, behind = (model(input_ids=ids, use_cache=False).logits[0, 2:5] for model in (policy, reference))
    for extrapolate in (0.0, 0.5):
        logits = (1 + extrapolate) * ahead - extrapolate * behind
        expected = logits.log_softmax(-1).gather(1, torch.tensor(response)[:, None]).sum()
        for layout in (TokenLayout.shared, TokenLayout.plain):
            batch = lay_out([Group(prompt, [(8, 1), response], [])], layout, 0)
            result = decoupled_logps(policy, reference, batch, extrapolate)
            assert result[1].item() == pytest.approx(expected.item(), abs=1e-4)
            assert not result.requires_grad


def test_token_log_probabilities_stand_beside_their_marks_even_without_a_prompt(policy):
    """Nothing predicts the first token of a response that has no prompt; its mark goes with it."""
    rows = [
        {"prompt_ids": [], "response_ids": [[6, 7, 8], [6, 9]], "marks": [0, 0], "row": 0}
        | {"ref_logps": [-3.0, -1.0], "ref_token_logps": [[-1.0, -2.0], [-1.0]]},
        {"prompt_ids": [3], "response_ids": [[6, 7], [5, 7]], "marks": [0, 0], "row": 1}
        | {"ref_logps": [-3.0, -3.0], "ref_token_logps": [[-1.0, -2.0], [-2.0, -1.0]]},
    ]
    for layout in (TokenLayout.shared, TokenLayout.plain):
        batch = Collator(layout, 4096, 0, (), frozenset())(rows)
        (item,) = batch["passes"]
        logps = gather(policy.model(**item["batch"]), batch, item)
        by_row = torch.argsort(item["examples"])
        assert logps.tokens.differs[by_row].tolist() == [
            [[True, True], [True, False]],
            [[True, False], [True, False]],
        ]
        torch.testing.assert_close(logps.tokens.policy.sum(-1), logps.policy, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(logps.tokens.reference.sum(-1), logps.reference)


def test_a_copy_of_the_policy_stays_where_the_policy_was(policy):
    """The reference that is asked in every step: training the policy does not move it."""
    copied = deepcopy(policy.model)
    batch = lay_out([Group((3,), [(6, 1)], [])], TokenLayout.shared, 0)
    before = copied(**batch).logps.item()
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter.add_(0.1)
        assert copied(**batch).logps.item() == before
        assert policy.model(**batch).logps.item() != pytest.approx(before, abs=1e-3)
        for parameter in policy.model.parameters():
            parameter.sub_(0.1)


def test_marks_of_differing_tokens_skip_words_of_grammar():
    """5 became 6, and a 9 came in; 9 is a word of grammar."""
    assert differing_tokens([[1, 6, 2, 9], [1, 5, 2], [7]], frozenset([9])) == [
        [False, True, False, False],
        [False, True, False],
        [False],
    ]
