"""Objectives without a reference model by trajectory, against the trainers that TRL has for them."""

import pytest

from tests.train.trajectories import our_losses, run_trl, settings_for, trl_arguments

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def one_word_rows(pair_rows):
    """Prompts of one token: TRL's CPO and ORPO trainers count a prompt's own tokens as learned, the papers do not."""
    return [row | {"prompt": row["prompt"].split()[-1]} for row in pair_rows]


def arguments(folder, settings):
    """These trainers have no order of their own."""
    return trl_arguments(folder, settings) | {"max_length": 64}


@pytest.mark.parametrize(
    ("loss", "knobs", "theirs"),
    [
        ("cpo", {"beta": 0.2, "alpha": 0.7}, {"loss_type": "sigmoid", "beta": 0.2, "cpo_alpha": 0.7}),
        ("simpo", {"beta": 1.5, "gamma": 0.4}, {"loss_type": "simpo", "beta": 1.5, "simpo_gamma": 0.4, "cpo_alpha": 0}),
    ],
)
def test_cpo_and_simpo_are_those_of_trl(loss, knobs, theirs, tiny_policy, one_word_rows, tmp_path):
    """Eight steps within 1e-4."""
    from trl.experimental.cpo import CPOConfig, CPOTrainer

    settings = settings_for(loss, knobs=knobs, max_length=64)
    args = CPOConfig(**arguments(tmp_path / "trl", settings), **theirs)
    trls = run_trl(CPOTrainer, args, tiny_policy, one_word_rows)
    ours = our_losses(tiny_policy, one_word_rows, tmp_path / "ours", settings)
    assert len(ours) == 8
    assert ours == pytest.approx(trls, abs=1e-4)
    assert max(ours) - min(ours) > 1e-2


def test_orpo_is_that_of_trl(tiny_policy, one_word_rows, tmp_path):
    """Eight steps within 1e-4."""
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    settings = settings_for("orpo", knobs={"beta": 0.3}, max_length=64)
    args = ORPOConfig(**arguments(tmp_path / "trl", settings), beta=0.3)
    trls = run_trl(ORPOTrainer, args, tiny_policy, one_word_rows)
    assert our_losses(tiny_policy, one_word_rows, tmp_path / "ours", settings) == pytest.approx(trls, abs=1e-4)


@pytest.mark.parametrize(
    ("loss", "knobs", "theirs"),
    [
        ("tpo", {"beta": 0.2, "alpha": 0.9}, {"loss_type": "sigmoid", "beta": 0.2, "tpo_alpha": 0.9}),
        (
            "tpo-l",
            {"beta": 1.5, "alpha": 0.9, "gamma": 0.4},
            {"loss_type": "tpo-l", "beta": 1.5, "tpo_alpha": 0.9, "tpo_l_gamma": 0.4},
        ),
    ],
)
def test_tpo_is_that_of_trl(loss, knobs, theirs, tiny_policy, pair_rows, tmp_path):
    """Whole prompts, a third response; eight steps within 1e-4."""
    from trl.experimental.tpo import TPOConfig, TPOTrainer

    thirds = ["the", "a", "red", "blue", "big", "she", "he", "it"]
    rows = [row | {"reference": f" {word} mat"} for row, word in zip(pair_rows, thirds, strict=True)]
    settings = settings_for(loss, knobs=knobs, max_length=64)
    args = TPOConfig(**arguments(tmp_path / "trl", settings), **theirs)
    trls = run_trl(TPOTrainer, args, tiny_policy, rows)
    assert our_losses(tiny_policy, rows, tmp_path / "ours", settings) == pytest.approx(trls, abs=1e-4)
