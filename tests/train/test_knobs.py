"""Knobs of losses: declared once, beside their loss; the command line, the refusals and the pages follow."""

import inspect
import json
from typing import Annotated

import pytest

from real_cli.docs import man_pages
from real_cli.train.knobs import SHARE, Beta, Knob, declared_knobs
from real_cli.train.loss_options import LossKnobs
from real_cli.train.losses import KNOBS
from real_cli.train.options import TrainOptions
from tests.house.copied_package import CopiedPackage
from tests.train.training import FAST, write_rows

WARPED = '''"""Warped: DPO on a slope, invented for a test."""

from typing import Annotated

from torch import Tensor
from torch.nn.functional import logsigmoid

from real_cli.train.knobs import SHARE, Beta, Knob
from real_cli.train.logps import Logps
from real_cli.train.objective import Objective

Warp = Annotated[float, Knob("How far every pair is lifted.", SHARE)]


def warped_loss(logps: Logps, *, beta: Beta = 0.1, warp: Warp = 0.25) -> Tensor:
    """Return warp - log sigmoid(beta h).

    DPO on a slope: nothing but the number moves.

    Args:
        logps: Log-probabilities of a batch of pairs, under policy and reference.
        beta: Strength of the pull towards the reference, > 0.
        warp: What is added, in [0, 1].

    Returns:
        Loss of each pair, shape (batch,).

    References:
        Nobody, 2026.
    """
    return warp - logsigmoid(beta * logps.logits)


ROWS = {"warped": Objective(warped_loss)}
'''


@pytest.mark.slow
def test_a_loss_with_a_new_knob_is_one_file(tiny_policy, pair_rows, tmp_path):
    """Everything else is generated: the option, its default and range, the name, the paragraph of the manual."""
    package = CopiedPackage(tmp_path / "copy")
    package.add("real_cli/train/losses/warped.py", WARPED)
    package.renew()
    changed = set(package.changed())
    assert "real_cli/train/losses/warped.py" in changed
    assert changed - {"real_cli/train/losses/warped.py"} <= set(man_pages.documents())
    assert "warped" in (package.root / "man" / "real-train-dpo.1").read_text()
    assert "\n- `warped`: `warp - log sigmoid(beta h)`\n" in (package.root / "man" / "real-losses.7.md").read_text()
    lines = " ".join(package.real("train-dpo", "--help")[0].split())
    assert "--warp X How far every pair is lifted. [default: 0.25]" in lines
    assert "kto, warped." in lines
    pairs = write_rows(tmp_path / "pairs.jsonl", pair_rows)
    words = ["train-dpo", "-p", tiny_policy, "-o", tmp_path / "out", *FAST, "--max-steps", "2", pairs]
    steps = [json.loads(line) for line in package.real(*words, "--loss", "warped", "--warp", "0.3")[0].splitlines()]
    assert steps[0]["loss"] == pytest.approx(0.3 + 0.693147, abs=1e-5)
    assert steps[-1]["step"] == 2
    _, notes = package.real(*words, "--loss", "dpo", "--warp", "2", status=2)
    assert "--loss dpo does not read --warp; warped does" in notes
    assert "--warp 2.0: must be at least 0 and at most 1" in notes


def test_the_light_tables_are_those_of_the_files():
    """The help reads them, since it must not load torch."""
    assert set(LossKnobs.__annotations__) == set(KNOBS)
    stale = {name for name in man_pages.documents() if name.endswith(".py") and name in man_pages.differences()}
    assert stale == set(), f"renew with: {man_pages.RENEW}"


def test_a_knob_has_a_name_that_no_other_option_has():
    """It would take its place, and neither would be told."""
    others = [kind for kind in TrainOptions.__mro__ if kind is not LossKnobs]
    taken = {name for kind in others for name in inspect.get_annotations(kind)}
    assert len(taken) > 50
    assert set(KNOBS) & taken == set()


def test_a_knob_that_two_losses_declare_otherwise_or_none_declares_is_refused():
    """One flag has one help and one range; a keyword without them would be an option nobody can explain."""

    def first(logps, *, beta: Beta = 0.1, bend: Annotated[float, Knob("Bends.", SHARE)] = 0.5): ...

    def same(logps, *, beta: Beta = 2.0, bend: Annotated[float, Knob("Bends.", SHARE)] = 0.1): ...

    def other(logps, *, bend: Annotated[float, Knob("Bends more.", SHARE)] = 0.5): ...

    def silent(logps, *, bow: float = 0.5): ...

    def lost(logps, *, dip: Annotated[float, Knob("Dips.", at_most="rise")] = 0.5): ...

    assert list(declared_knobs({"first": first, "same": same})) == ["beta", "bend"]
    with pytest.raises(TypeError, match="other: declares the knob 'bend' otherwise than another loss"):
        declared_knobs({"first": first, "other": other})
    with pytest.raises(TypeError, match="silent: the knob 'bow' has no Knob beside its type"):
        declared_knobs({"first": first, "silent": silent})
    with pytest.raises(TypeError, match="lost: compares the knob 'dip' with 'rise', which it does not read"):
        declared_knobs({"lost": lost})
