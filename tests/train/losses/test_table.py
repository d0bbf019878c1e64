"""What holds of every objective of the table."""

import inspect
import math
from dataclasses import replace
from itertools import product

import pytest
import torch

from real_cli.train.knobs import defaults_of
from real_cli.train.logps import Logps, TokenLogps, join_logps
from real_cli.train.losses import OBJECTIVES
from real_cli.train.objective import Need, Responses
from tests.train.losses.made_logps import RESPONSES, double, examples, gradient, logps_of, random_logps

EVERY = pytest.mark.parametrize("name", OBJECTIVES)
KNOBS = {"beta", "label_smoothing", "alpha", "gamma", "rho", "tau", "tau_min", "tau_max", "delta", "offset_scale"}
KNOBS |= {"offset_min", "offset_max", "flip_quantile", "warm_share", "extrapolate", "levels"}
KNOBS |= {"desirable_weight", "undesirable_weight"}
EACH_WAY = {-1: "up", 0: "left alone", 1: "down"}

# Which way the loss wants the log-probability of each response: the sign of its gradient by the chosen, the rejected,
# and the third response, where policy and reference agree unless ABOUT says otherwise.
SIGNS = {
    "dpo": (-1, 1),
    "cdpo": (-1, 1),
    "ipo": (-1, 1),
    "hinge": (-1, 1),
    "robust": (-1, 1),
    "exo": (-1, 1),
    "nca": (-1, 1),
    "bco": (-1, 1),
    "aot": (-1, 1),
    "aot-unpaired": (-1, 1),
    "apo-zero": (-1, 1),
    "apo-down": (1, 1),  # both down, the rejected one more
    "discopop": (-1, 1),
    "dpo-norm": (-1, 1),
    "sppo": (-1, 1),
    "sppo-hard": (-1, 1),
    "ada-dpo": (-1, 1),
    "dlma": (-1, 1),
    "spa": (-1, 1),
    "bmc": (-1, 1),
    "bmc-code": (-1, 1),
    "spo": (-1, 1, 0),  # a copy moves its head alone
    "selm": (-1, 1, 1),  # its own last answer down
    "tpo": (-1, 1, -1),  # the gold response up
    "tpo-l": (-1, 1, -1),
    "sft": (-1, 0),
    "simpo": (-1, 1),
    "cpo": (-1, 1),
    "orpo": (-1, 1),
    "asft": (-1, 1),
    "pro": (-1, 1, 1),  # with scores 2, 0, 0
    "kto": (-1, 0),  # a completion labeled true, and a mismatched one
}
# Log-ratios away from 0: where discopop is past its bump, and apo-down past the tie at which it leaves chosen alone.
ABOUT = {"discopop": [10.0, 0.0], "apo-down": [0.0, -10.0]}


def example(policy: list, reference: list, length: int = 4) -> Logps:
    """One example of two or three responses, with everything that any objective reads."""
    tokens = [double([values]).unsqueeze(2) for values in (policy, reference)]
    return logps_of(
        policy,
        reference,
        [length] * len(policy),
        marks=[2.0, 0.0, 0.0][: len(policy)],
        columns={"prob_chosen": double([0.8]), "prob_rejected": double([0.25]), "offset": double([3.0])},
        tokens=TokenLogps(*tokens, torch.ones_like(tokens[0], dtype=torch.bool)),
        degree_logits=torch.zeros(1, len(policy), 4).double(),
    )


def batch_of(name: str, seed: int = 0, batch: int = 8) -> Logps:
    return random_logps(seed, batch, OBJECTIVES[name].responses)


def test_the_table_of_signs_is_complete():
    assert set(SIGNS) == set(OBJECTIVES)


@EVERY
def test_each_response_is_moved_the_way_its_paper_says(name):
    signs = SIGNS[name]
    ratios = ABOUT.get(name, [0.0] * len(signs))
    logps = example([-12.0 + ratio for ratio in ratios], [-12.0] * len(signs))
    result = gradient(OBJECTIVES[name].loss, logps)[0].sign().int().tolist()
    assert [EACH_WAY[sign] for sign in result] == [EACH_WAY[sign] for sign in signs]


def test_apo_down_lowers_the_rejected_response_more():
    chosen, rejected = gradient(OBJECTIVES["apo-down"].loss, example([-12.0, -22.0], [-12.0, -12.0]))[0].tolist()
    assert 0 < chosen < rejected


@EVERY
@pytest.mark.parametrize("length", [0, 1, 1000])
def test_loss_and_gradient_are_finite_however_far_policy_and_reference_are_apart(name, length):
    """Log-probabilities of 0 and -1e5 in all ways, in float32."""
    size = len(SIGNS[name])
    for policy, reference in product(product([0.0, -1e5], repeat=size), [[0.0] * size, [-1e5] * size]):
        logps = example(list(policy), reference, length)
        parts = {item: getattr(logps, item).float() for item in ("policy", "reference", "lengths", "marks")}
        tokens = replace(logps.tokens, policy=logps.tokens.policy.float(), reference=logps.tokens.reference.float())
        logps = replace(logps, **parts, tokens=tokens)
        values = OBJECTIVES[name].loss(logps)
        assert torch.isfinite(values).all(), (policy, reference)
        assert torch.isfinite(gradient(OBJECTIVES[name].loss, logps)).all(), (policy, reference)


@EVERY
def test_one_batch_of_eight_is_eight_of_one(name):
    """Of objectives on token means each part knows the lengths of the batch; those that sort a batch are joined."""
    logps, row = batch_of(name), OBJECTIVES[name]
    parts = [examples(logps, [index]) for index in range(8)]
    if Need.whole_batch in row.needs:
        alone = row.loss(join_logps(parts))
    else:
        alone = torch.cat([row.loss(part) for part in parts])
    assert row.loss(logps).shape == (8,)
    torch.testing.assert_close(row.loss(logps), alone)


@EVERY
def test_an_objective_reads_what_its_row_says(name):
    """Everything else may be missing; what is named makes a difference."""
    logps, row = batch_of(name), OBJECTIVES[name]
    needs, value = row.needs, row.loss(batch_of(name))
    spared = {
        "reference": torch.full_like(logps.reference, torch.nan) if Need.reference not in needs else logps.reference,
        "tokens": logps.tokens if Need.tokens in needs else None,
        "degree_logits": logps.degree_logits if Need.degrees in needs else None,
        "decoupled": logps.decoupled if Need.decoupled in needs else None,
        "recent": logps.recent if row.remembers else None,
        "columns": {column.name: logps.columns[column.name] for column in row.columns},
    }
    torch.testing.assert_close(row.loss(replace(logps, **spared)), value)
    changed = {
        Need.reference: {
            "reference": logps.reference.flip(1),
            "tokens": replace(logps.tokens, reference=logps.tokens.reference.flip(1)),
        },
        Need.degrees: {"degree_logits": logps.degree_logits + torch.arange(4)},
        Need.decoupled: {"decoupled": logps.decoupled.flip(1)},
        Need.tokens: {"tokens": replace(logps.tokens, differs=~logps.tokens.differs)},
    }
    for need, change in changed.items():
        assert (need in needs) != torch.equal(row.loss(replace(logps, **change)), value), need
    for column in row.columns:
        moved = {**logps.columns, column.name: 1 - logps.columns[column.name]}
        assert not torch.allclose(row.loss(replace(logps, columns=moved)), value)


@EVERY
def test_an_objective_reads_the_responses_its_row_says(name):
    """A third response makes a difference to an objective of three or more, and to no other."""
    row = OBJECTIVES[name]
    logps = random_logps(0, 8, Responses.ranking if row.responses is Responses.ranking else Responses.triple)
    logps = replace(logps, marks=logps.marks if row.responses is Responses.ranking else 0 * logps.marks)
    other = replace(
        logps,
        policy=logps.policy - double([0, 0, 1, 1, 1])[: logps.policy.shape[1]],
        degree_logits=logps.degree_logits - torch.eye(4)[0] * (torch.arange(logps.policy.shape[1]) == 2)[:, None],
    )
    assert torch.equal(row.loss(logps), row.loss(other)) == (RESPONSES[row.responses] == 2)
    assert row.responses in RESPONSES


@EVERY
def test_settings_are_keywords_with_defaults_and_each_name_is_a_known_one(name):
    parameters = list(inspect.signature(OBJECTIVES[name].loss).parameters.values())
    assert parameters[0].name == "logps"
    assert all(item.kind is item.KEYWORD_ONLY and item.default is not item.empty for item in parameters[1:])
    assert set(OBJECTIVES[name].knobs) <= KNOBS
    assert all(type(default) in (float, int) for default in OBJECTIVES[name].knobs.values())
    assert set(OBJECTIVES[name].positive) <= set(OBJECTIVES[name].knobs)


def test_defaults_are_those_of_the_papers_or_of_trl():
    """Methods 3 to 18 (c); those that are ours, unread in the paper, are spo's and asft's alpha."""
    assert {name: row.knobs for name, row in OBJECTIVES.items() if row.knobs != {"beta": 0.1}} == {
        "cdpo": {"beta": 0.1, "label_smoothing": 0.1},
        "robust": {"beta": 0.1, "label_smoothing": 0.1},
        "exo": {"beta": 0.1, "label_smoothing": 1e-3},
        "aot": {"beta": 0.1, "label_smoothing": 0.0},
        "aot-unpaired": {"beta": 0.1, "label_smoothing": 0.0},
        "discopop": {"beta": 0.1, "tau": 0.05},
        "sppo": {"beta": 0.001},
        "sppo-hard": {"beta": 0.001},
        "ada-dpo": {"beta": 0.1, "rho": math.log(2) - 0.1, "tau_min": 0.1, "tau_max": 5.0},
        "dlma": {"beta": 0.1, "offset_scale": 0.2, "offset_min": -40.0, "offset_max": 40.0},
        "spa": {"beta": 0.1, "label_smoothing": 0.1, "flip_quantile": 0.1, "warm_share": 0.2, "extrapolate": 0.5},
        "bmc": {"beta": 0.05, "delta": 1.5},
        "bmc-code": {"beta": 0.05, "delta": 1.5},
        "spo": {"beta": 0.1, "alpha": 0.1, "levels": 4},
        "selm": {"beta": 0.01, "alpha": 1e-3},
        "tpo": {"beta": 0.1, "alpha": 1.0},
        "tpo-l": {"beta": 2.0, "gamma": 0.5, "alpha": 1.0},
        "sft": {},
        "simpo": {"beta": 2.0, "gamma": 1.0},
        "cpo": {"beta": 0.1, "alpha": 1.0, "label_smoothing": 0.0},
        "asft": {"alpha": 1.0},
        "pro": {"alpha": 0.05},
        "kto": {"beta": 0.1, "desirable_weight": 1.0, "undesirable_weight": 1.0},
    }


def test_every_known_setting_is_one_of_some_objective():
    assert set().union(*(row.knobs for row in OBJECTIVES.values())) == KNOBS


# A little more or less of each setting; those of whoever gathers, and of the detector, are tested elsewhere.
UNREAD = {("spa", "extrapolate"), ("spo", "levels")}
MOVED = {"offset_min": -1.0, "offset_max": 1.0, "warm_share": 0.9, "tau_min": 0.9, "tau_max": 0.5, "rho": 0.6}


@pytest.mark.parametrize(
    ("name", "knob"),
    [(name, knob) for name, row in OBJECTIVES.items() for knob in row.knobs if (name, knob) not in UNREAD],
)
def test_every_setting_makes_a_difference(name, knob):
    row, logps = OBJECTIVES[name], batch_of(name)
    moved = MOVED.get(knob, row.knobs[knob] + 0.25)
    assert not torch.allclose(row.loss(logps), row.loss(logps, **{knob: moved}), rtol=1e-9)


@EVERY
def test_what_is_shown_and_remembered_is_one_value_an_example_without_gradient(name):
    row, logps = OBJECTIVES[name], batch_of(name)
    functions = [function for _, function in row.shows] + [row.remembers] * (row.remembers is not None)
    for function in functions:
        values = function(replace(logps, policy=logps.policy.clone().requires_grad_()))
        assert values.shape == (8,)
        assert not values.requires_grad
        # With the loss's own settings, and the same defaults.
        assert defaults_of(function).items() <= row.knobs.items()


def test_names_of_what_is_shown():
    shown = {name: [label for label, _ in row.shows] for name, row in OBJECTIVES.items() if row.shows}
    assert shown == {"ada-dpo": ["tau"], "spa": ["flagged", "detector"], "kto": ["desirable", "logratio"]}
    assert [name for name, row in OBJECTIVES.items() if row.remembers] == ["spa"]


@EVERY
def test_every_objective_says_its_formula_and_its_source(name):
    text = inspect.getdoc(OBJECTIVES[name].loss)
    assert text.startswith("Return ")
    assert "References:" in text
    assert "batch" in text.partition("Args:")[2]
