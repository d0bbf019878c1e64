"""A soup that is killed anywhere is made again, and what the killed one left is removed."""

import pytest

from real_cli.io.folders import open_folder
from real_cli.io.parts import part_path
from tests.attacks.killed import check_states, recorded, start
from tests.attacks.snapshots import contents_of

pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_soup_killed_at_any_write_is_made_again_and_nothing_is_left(
    launched_real, tiny_policy, make_tiny_policy, tmp_path
):
    """A folder that stands under its name is whole, so a second run refuses it; else it is made."""
    words = ["soup", tiny_policy, make_tiny_policy(seed=1), "-o", "soup"]
    kept = recorded(launched_real, tmp_path, *words)
    number, went_on = check_states(kept, tmp_path / "killed", launched_real, words, every=6)
    assert went_on > number * 0.8


def test_what_another_soup_is_writing_and_folders_of_the_user_are_left_alone(launched_real, tiny_policy, tmp_path):
    """Only what is shown to be of a dead run goes: by its name alone, or while it is locked, nothing does."""
    for name in ("mine", "abcdefgh", "0123456789abcdef"):
        (tmp_path / f".soup.{name}.part").mkdir()
        (tmp_path / f".soup.{name}.part" / "thesis.tex").write_text("years of work")
    with open_folder(tmp_path / "soup") as living:
        (living / "half").write_text("of a soup")
        before = contents_of(tmp_path)
        done = start(launched_real, tmp_path, "soup", tiny_policy, tiny_policy, "-o", "soup")
        assert done.returncode == 1
        assert "another run is writing it" in done.stderr
        assert contents_of(tmp_path) == before
    assert (tmp_path / "soup" / "half").read_text() == "of a soup"


def test_what_a_dead_soup_left_is_removed(launched_real, tiny_policy, tmp_path):
    dead = part_path(tmp_path / "soup")
    dead.mkdir()
    (dead / "half").write_text("of a soup")
    done = start(launched_real, tmp_path, "soup", tiny_policy, tiny_policy, "-o", "soup")
    assert done.returncode == 0, done.stderr
    assert not dead.exists()
    assert not (tmp_path / "soup" / "half").exists()
