"""Folders that soup must not average, and files that it must not copy."""

import pytest

from tests.attacks.model_folders import BROKEN, copied, with_fields
from tests.attacks.test_models import check_lines, load

pytestmark = [pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("kind", ["a missing layer", "a missing norm", "one layer more", "other names"])
def test_an_average_of_two_that_lack_the_same_is_refused(kind, tiny_policy, tmp_path):
    """They are alike, and neither is whole."""
    spoil, word = BROKEN[kind]
    folder = copied(tiny_policy, tmp_path / "model")
    spoil(folder)
    status, _, messages = load("soup", folder, copied(folder, tmp_path / "second"), tmp_path / "out")
    check_lines(messages)
    assert status == 1
    assert word in messages
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["soup", "sample", "embed"])
def test_weights_that_a_config_names_are_refused(command, tiny_policy, tmp_path):
    """Libraries would read that file, and we would check another."""
    folder = with_fields(copied(tiny_policy, tmp_path / "model"), "config.json", transformers_weights="b.safetensors")
    status, _, messages = load(command, folder, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert status == 1
    assert "transformers_weights" in messages


@pytest.mark.parametrize("name", ["x.json", "LICENSE", "zz.txt"])
def test_no_file_from_elsewhere_is_copied(name, tiny_policy, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("{}")
    folder = copied(tiny_policy, tmp_path / "model")
    (folder / name).symlink_to(secret)
    status, _, messages = load("soup", folder, tiny_policy, tmp_path / "out")
    check_lines(messages)
    assert status == 1
    assert f"{name} leads out of the folder" in messages
    assert not (tmp_path / "out").exists()
