"""Objectives that TRL has too, against the lines of TRL that are installed, run by themselves.

Its trainers work out loss, model and metrics in one method each; here the statements on the loss are cut out of the
source and run on made-up log-probabilities, without importing TRL, which takes seconds.
"""

import ast
import math
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from real_cli.train.losses import OBJECTIVES
from real_cli.train.objective import Responses
from tests.train.losses.made_logps import BETAS, SEEDS, random_logps

TRL = Path(find_spec("trl").origin).parent
TOOLS = {"torch": torch, "F": torch.nn.functional, "math": math, "device": "cpu"}
# Our names and TRL's.
BRANCHES = {
    "dpo": "sigmoid",
    "hinge": "hinge",
    "ipo": "ipo",
    "exo": "exo_pair",
    "nca": "nca_pair",
    "robust": "robust",
    "bco": "bco_pair",
    "sppo-hard": "sppo_hard",
    "aot": "aot",
    "aot-unpaired": "aot_unpaired",
    "apo-zero": "apo_zero",
    "apo-down": "apo_down",
    "discopop": "discopop",
    "sft": "sft",
    "dpo-norm": "sigmoid_norm",
}


def source(path: str) -> ast.Module:
    return ast.parse((TRL / path).read_text(encoding="utf-8"))


def compiled(node: ast.stmt):
    return compile(ast.Module([node], []), "trl", "exec")


def branches_of_dpo():
    """The loop over loss types of DPOTrainer._compute_loss."""
    loops = (node for node in ast.walk(source("trainer/dpo_trainer.py")) if isinstance(node, ast.For))
    return compiled(next(loop for loop in loops if ast.unparse(loop.target) == "(loss_type, loss_weight)"))


def branches_of_tpo():
    """The choice between loss types of TPOTrainer._compute_loss."""
    choices = (node for node in ast.walk(source("experimental/tpo/tpo_trainer.py")) if isinstance(node, ast.If))
    return compiled(next(choice for choice in choices if ast.unparse(choice.test) == "self.loss_type == 'sigmoid'"))


def function(path: str, name: str, **tools):
    """A function or method that needs nothing of its file but what is given."""
    result = [node for node in ast.walk(source(path)) if isinstance(node, ast.FunctionDef) and node.name == name]
    result[0].decorator_list = []
    space = {**TOOLS, **tools}
    exec(compiled(result[0]), space)
    return space[name]


DPO, TPO = branches_of_dpo(), branches_of_tpo()
PATH_OF_CPO, PATH_OF_ORPO = "experimental/cpo/cpo_trainer.py", "experimental/orpo/orpo_trainer.py"
CPO = function(PATH_OF_CPO, "cpo_loss")
ORPO = function(PATH_OF_ORPO, "odds_ratio_loss", log1mexp=function(PATH_OF_ORPO, "log1mexp"))


def dpo_trainer(branch: str, logps, beta: float, eps: float, tau: float):
    """What its loop leaves: one value a pair."""
    names = ("chosen", "rejected")
    mask = torch.cat([torch.arange(12) < logps.lengths[:, [column]] for column in (0, 1)])
    space = {f"{names[i]}_logps": logps.policy[:, i] for i in (0, 1)}
    space |= {f"ref_{names[i]}_logps": logps.reference[:, i] for i in (0, 1)}
    space |= {f"{names[i]}_{kind}": logps.logratios[:, i] for i in (0, 1) for kind in ("logratios", "scores")}
    space |= {
        "self": SimpleNamespace(
            loss_types=[branch],
            loss_weights=[1.0],
            beta=beta,
            label_smoothing=eps,
            args=SimpleNamespace(discopop_tau=tau),
            use_weighting=False,
        ),
        "delta_score": logps.logits,
        "completion_mask": mask,
        "shift_completion_mask": mask,
        "per_token_logps": torch.cat([logps.tokens.policy[:, 0], logps.tokens.policy[:, 1]]),
        "loss": 0.0,
    }
    exec(DPO, space | TOOLS | {"zip": zip}, space)
    return space["per_sequence_loss"]


@pytest.mark.parametrize("name", BRANCHES)
@given(seed=SEEDS, beta=st.floats(0.01, 0.3), eps=st.floats(0.001, 0.45), tau=st.floats(0.05, 0.9))
@settings(max_examples=8)
def test_each_objective_is_the_branch_of_trl(name, seed, beta, eps, tau):
    logps = random_logps(seed)
    theirs = dpo_trainer(BRANCHES[name], logps, beta, eps, tau)
    given_knobs = {"beta": beta, "label_smoothing": eps, "tau": tau}
    ours = OBJECTIVES[name].loss(logps, **{knob: given_knobs[knob] for knob in OBJECTIVES[name].knobs})
    if name.startswith("aot"):  # TRL returns them in the order of ranks, we in that of the examples.
        ours, theirs = ours.sort().values, theirs.sort().values
    if name == "sft":  # TRL gives every pair the batch's mean.
        ours = ours.mean().expand(6)
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


def test_no_objective_of_trl_is_missing():
    names = {
        node.comparators[0].value
        for node in ast.walk(source("trainer/dpo_trainer.py"))
        if isinstance(node, ast.Compare) and ast.unparse(node.left) == "loss_type" and len(node.comparators) == 1
        if isinstance(node.comparators[0], ast.Constant)
    }
    assert names == set(BRANCHES.values())


@given(seed=SEEDS, beta=BETAS, gamma=st.floats(-1, 2), eps=st.floats(0, 0.45))
@settings(max_examples=10)
def test_cpo_and_simpo_are_those_of_trl(seed, beta, gamma, eps):
    """Without the likelihood, which TRL adds to the mean."""
    logps = random_logps(seed)
    trainer = SimpleNamespace(alpha=0.0, beta=beta, label_smoothing=eps, accelerator=SimpleNamespace(device="cpu"))
    trainer.loss_type = "sigmoid"
    theirs = CPO(trainer, *logps.policy.T)[0]
    ours = OBJECTIVES["cpo"].loss(logps, beta=beta, alpha=0, label_smoothing=eps)
    torch.testing.assert_close(ours, theirs)
    trainer.loss_type, trainer.simpo_gamma, trainer.label_smoothing = "simpo", gamma, 0.0
    theirs = CPO(trainer, *(logps.policy / logps.lengths).T)[0]
    torch.testing.assert_close(OBJECTIVES["simpo"].loss(logps, beta=beta, gamma=gamma), theirs)


@given(seed=SEEDS, beta=BETAS)
@settings(max_examples=10)
def test_the_odds_ratio_is_that_of_trl(seed, beta):
    """Whose log-probabilities are in float32, and whose loss is what is subtracted from the likelihood."""
    logps = random_logps(seed)
    trainer = SimpleNamespace(beta=beta, accelerator=SimpleNamespace(device="cpu"))
    theirs = ORPO(trainer, *(logps.policy / logps.lengths).T)[0]
    ours = OBJECTIVES["sft"].loss(logps) - OBJECTIVES["orpo"].loss(logps, beta=beta)
    torch.testing.assert_close(ours, theirs.double(), rtol=1e-4, atol=1e-4)


@given(seed=SEEDS, beta=BETAS, gamma=st.floats(-1, 2))
@settings(max_examples=10)
def test_tpo_is_that_of_trl(seed, beta, gamma):
    """Without the gold response, whose likelihood TRL adds to the mean."""
    logps = random_logps(seed, responses=Responses.triple)
    trainer = SimpleNamespace(beta=beta, tpo_l_gamma=gamma, label_smoothing=0.0)
    for name, branch, scores in (("tpo", "sigmoid", logps.policy), ("tpo-l", "tpo-l", logps.policy / logps.lengths)):
        trainer.loss_type = branch
        space = {"self": trainer, "delta_score": scores[:, 0] - scores[:, 1], **TOOLS}
        exec(TPO, space)
        knobs = {"beta": beta, "alpha": 0.0} | ({"gamma": gamma} if name == "tpo-l" else {})
        torch.testing.assert_close(OBJECTIVES[name].loss(logps, **knobs), space["per_sequence_loss"])
