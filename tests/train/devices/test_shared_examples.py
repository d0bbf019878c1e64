"""Examples that the first process tokenized, seen from another."""

from array import array

import pytest

from real_cli.errors import RealError
from real_cli.train.devices.shared_examples import share_examples
from real_cli.train.tokenized import ExampleSet
from real_cli.train.world import World


class Follower(World):
    """A process that has heard of a file of so many bytes, beside a lead that sees it."""

    size_of_file = 100

    def share(self, function):
        return ExampleSet(None, [None], {}, [1], {"weight": array("d", [1.0])}), self.size_of_file

    def gather(self, value):
        return ["", value]


@pytest.mark.parametrize("content", [None, b"another run's"])
def test_a_machine_that_does_not_see_the_output_folder_is_named(content, tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "node7")
    if content is not None:
        (tmp_path / "train.arrow").write_bytes(content)
    with pytest.raises(
        RealError, match="--output: node7 does not see .*train.arrow.*; name a folder that all machines"
    ):
        share_examples(Follower(1, 0, 2, 1), lambda: pytest.fail("the lead's work"), tmp_path / "train.arrow")
