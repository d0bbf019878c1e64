"""Answers and models that are kept are the user's alone."""

import os
import stat

import pytest

from tests.attacks.commands import PAIR, invoke, lines
from tests.servers import Server, prefers_longer


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def judge(environment, *words):
    with Server(prefers_longer) as server:
        words = ("relabel", "judge", "-m", "m", "--endpoint", server.url, *words)
        assert invoke(*words, data=lines(PAIR), env=environment).exit_code == 0


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("before", [None, 0o755, 0o777, 0o700])
@pytest.mark.parametrize("name", ["REAL_CACHE", "XDG_CACHE_HOME"])
def test_the_cache_is_the_users_alone(tmp_path, before, name):
    folder = tmp_path / "cache" if name == "REAL_CACHE" else tmp_path / "cache" / "real"
    if before is not None:
        folder.mkdir(parents=True)
        folder.chmod(before)
    judge({"REAL_CACHE": "", name: str(tmp_path / "cache")})
    assert mode(folder) == 0o700
    assert list(folder.rglob("answers.sqlite"))


def test_a_cache_that_is_named_is_made_for_the_user_and_left_as_it_is(tmp_path):
    judge({}, "--cache", str(tmp_path / "new"))
    assert mode(tmp_path / "new") == 0o700
    (tmp_path / "shared").mkdir(mode=0o755)
    judge({}, "--cache", str(tmp_path / "shared"))
    assert mode(tmp_path / "shared") == 0o755


def test_a_cache_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with Server(prefers_longer) as server:
        words = ("relabel", "judge", "-m", "m", "--endpoint", server.url)
        result = invoke(*words, data=lines(PAIR), env={"REAL_CACHE": str(tmp_path / "file" / "cache")})
    assert result.exit_code == 1
    assert "REAL_CACHE" in result.stderr
