"""Objectives summed, and their settings."""

import pytest
import torch

from real_cli.errors import UsageError
from real_cli.train.knobs import Range
from real_cli.train.losses import KNOBS, OBJECTIVES
from real_cli.train.mixture import Mixture
from real_cli.train.objective import Need, Responses
from tests.train.losses.made_logps import random_logps, with_h


def test_the_sum_is_the_weighted_sum_of_its_parts():
    """DRIFT, Methods 13: dpo + .001 sft; without the second weight it is dpo."""
    logps = random_logps(0)
    alone = {name: Mixture([name])(logps) for name in ("dpo", "sft")}
    torch.testing.assert_close(Mixture(["dpo", "sft"], [1, 0.001])(logps), alone["dpo"] + 0.001 * alone["sft"])
    torch.testing.assert_close(Mixture(["dpo", "sft"], [1, 0])(logps), alone["dpo"])
    torch.testing.assert_close(Mixture(["sft", "dpo"])(logps), alone["dpo"] + alone["sft"])


def test_a_given_knob_is_for_all_that_read_it_and_the_others_keep_their_own():
    """beta .5 for both; without it simpo's own is 2 and dpo's .1."""
    both = Mixture(["dpo", "simpo"], [], {"beta": 0.5})
    assert [part.knobs["beta"] for part in both.parts] == [0.5, 0.5]
    assert [part.knobs["beta"] for part in Mixture(["dpo", "simpo"]).parts] == [0.1, 2.0]
    assert Mixture(["simpo", "dpo"]).beta == 2.0
    assert Mixture(["sft"]).beta == 1.0


def test_what_is_gathered_is_what_any_part_needs():
    assert Mixture(["sft", "bmc"]).needs == Need.reference | Need.tokens
    assert Mixture(["sft", "tpo"]).responses is Responses.triple
    assert [column.name for column in Mixture(["sppo", "dlma"]).columns] == ["prob_chosen", "prob_rejected", "offset"]
    assert Need.decoupled in Mixture(["spa"]).needs
    assert Need.decoupled not in Mixture(["spa"], [], {"extrapolate": 0.0}).needs


def test_only_what_a_part_asks_for_is_remembered_and_shown():
    logps = with_h(5.0)
    assert Mixture(["dpo"]).remember(logps) is None
    assert Mixture(["dpo", "spa"]).remember(logps).tolist() == pytest.approx([0.5])
    assert set(Mixture(["ada-dpo", "sft"]).shows(logps)) == {"tau"}


@pytest.mark.parametrize(
    ("bounds", "value", "complaint"),
    [
        (Range(0, open_low=True), 0, "must be greater than 0"),
        (Range(0, 0.5, open_high=True), 0.5, "must be at least 0 and below 0.5"),
        (Range(0, 1), 1.5, "must be at least 0 and at most 1"),
        (Range(0, 1), float("nan"), "must be at least 0 and at most 1"),
        (Range(), float("nan"), "must be a finite number"),
        (Range(0), float("inf"), "must be at least 0"),
        (Range(2, whole=True), 2.5, "must be a whole number and at least 2"),
        (Range(0, 1), 1, ""),
    ],
)
def test_a_value_out_of_its_range_is_told(bounds, value, complaint):
    assert bounds.complaint(value) == complaint


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_setting_that_would_be_ignored_is_refused_and_a_default_never(name):
    """Methods 0(b): TRL ignores label smoothing in silence."""
    Mixture([name])
    for knob in set(KNOBS) - set(OBJECTIVES[name].knobs):
        with pytest.raises(UsageError, match=f"--loss {name} does not read --{knob.replace('_', '-')}; "):
            Mixture([name], [], {knob: 0.3})


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_knob_of_an_objective_changes_it(name):
    """A knob that changes nothing would be an option that is parsed and ignored."""
    row = OBJECTIVES[name]
    # The range of spa's and dlma's knobs beyond which nothing is left of these small numbers, or nothing is cut.
    others = {"tau_max": 0.11, "offset_min": -0.1, "offset_max": 0.1, "flip_quantile": 0.9, "warm_share": 0.99}
    batches = [random_logps(seed, 8, row.responses) for seed in range(8)]
    for knob, value in row.knobs.items():
        if knob not in ("levels", "extrapolate"):  # read by the head, and where the detector is run
            changed = Mixture([name], [], {knob: others.get(knob, value * 0.6 + 0.01)})
            assert any(not torch.equal(Mixture([name])(logps), changed(logps)) for logps in batches), knob
