"""A soup that is killed anywhere is made again, and what the killed one left is removed."""

import shutil

import pytest

from real_cli.io.folders import open_folder
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
    for name in ("mine", "abcdefgh", "elsewhe_"):
        (tmp_path / f".soup.{name}.part").mkdir()
        (tmp_path / f".soup.{name}.part" / "thesis.tex").write_text("years of work")
    (tmp_path / ".soup.mine.part.lock").write_text("")
    with open_folder(tmp_path / "soup") as living:
        (lock,) = (path for path in tmp_path.glob("*.lock") if path.read_bytes())
        (tmp_path / ".soup.abcdefgh.part.lock").write_bytes(lock.read_bytes()[1:])
        (tmp_path / ".soup.elsewhe_.part.lock").symlink_to(tmp_path / "out.lock")
        (tmp_path / "out.lock").write_bytes(lock.read_bytes())
        before = contents_of(tmp_path)
        made_again(launched_real, tiny_policy, tmp_path, before)
        assert living.is_dir()
        shutil.rmtree(tmp_path / "soup")


def made_again(launched_real, tiny_policy, tmp_path, before):
    """Make another soup beside one that is being made."""
    done = start(launched_real, tmp_path, "soup", tiny_policy, tiny_policy, "-o", "soup")
    assert done.returncode == 0, done.stderr
    left = {name: content for name, content in contents_of(tmp_path).items() if not name.startswith("soup")}
    assert left == before
