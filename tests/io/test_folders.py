"""A folder appears whole or not at all."""

import os

import pytest

from real_cli.errors import UsageError
from real_cli.io.folders import open_folder


def test_a_folder_takes_its_name_at_the_end(tmp_path):
    with open_folder(tmp_path / "a" / "b") as folder:
        (folder / "x").write_text("1")
        assert not (tmp_path / "a" / "b").exists()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    assert (tmp_path / "a" / "b" / "x").read_text() == "1"
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o777 & ~umask


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_failed_leaves_nothing(tmp_path, error):
    with pytest.raises(error), open_folder(tmp_path / "b") as folder:
        (folder / "x").write_text("1")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_taken_and_a_link_stays_a_link(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    with open_folder(tmp_path / "link") as folder:
        (folder / "x").write_text("1")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "empty" / "x").read_text() == "1"


def test_a_taken_name_is_refused_and_not_touched(tmp_path):
    (tmp_path / "file").write_text("years of work")
    with pytest.raises(UsageError, match="file: is a file; a folder is needed"), open_folder(tmp_path / "file"):
        pass
    with pytest.raises(UsageError, match="is not empty; name another folder"), open_folder(tmp_path):
        pass
    assert (tmp_path / "file").read_text() == "years of work"
    assert len(list(tmp_path.iterdir())) == 1
