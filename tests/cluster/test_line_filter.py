"""The class that does a command's work in anybody's process."""

import json
import pickle
import re
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from real_cli.cluster.line_filter import LineFilter
from real_cli.cluster.ray_actors import ray_workers
from real_cli.cluster.windows import PlacedLine
from real_cli.embed.command import EmbedOptions
from real_cli.errors import RealError
from real_cli.relabel.implicit.command import ImplicitOptions
from real_cli.relabel.reward.command import RewardOptions
from real_cli.sample.options import SampleOptions

ROOT = Path(__file__).parents[2]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the extra 'cluster' is not installed")
OPTIONS = {
    "embed": EmbedOptions(model="minilm"),
    "sample": SampleOptions(policy=["smollm2", "other"], num_responses=2),
    "relabel reward": RewardOptions(model="reward", pairwise=True),
    "relabel implicit": ImplicitOptions(policy="smollm2", contrast=("Be kind.", "Be rude.")),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_filter_survives_pickle(options):
    """Before a model is loaded; an empty window loads none."""
    data = pickle.dumps(LineFilter(options))
    assert len(data) < 20_000
    again = pickle.loads(data)
    assert type(again.work) is type(options.record_filter())
    assert again([]).output == b""


def test_a_filter_embeds_lines_as_the_command_does(tiny_policy):
    """Fields that it does not know pass through."""
    line = PlacedLine(b'{"prompt": "the cat", "chosen": " sat", "rejected": " ran", "note": 1}', "a:1")
    lines = LineFilter(EmbedOptions(model=str(tiny_policy)))
    done = pickle.loads(pickle.dumps(lines))([line])
    record = json.loads(done.lines[0])
    assert [len(response["embedding"]) for response in record["responses"]] == [16, 16]
    assert record["note"] == 1
    assert done.counts["embedder"]["num_texts"] == 2
    assert lines.sentence(done.counts).startswith("2 texts embedded")


def test_the_example_of_the_guide_runs(tiny_policy):
    """On a partition of more lines than one of its windows has."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "man" / "real-guide.7.md").read_text(), re.DOTALL)
    names = {}
    exec(block.replace('"minilm"', repr(str(tiny_policy))).replace("1000", "2"), names)
    lines = [json.dumps({"prompt": "the cat", "responses": [{"text": f" sat {'on ' * n}"}]}) for n in range(5)]
    written = [json.loads(line) for line in names["embed_lines"](lines)]
    assert [record["responses"][0]["text"] for record in written] == [f" sat {'on ' * n}" for n in range(5)]
    assert all(record["responses"][0]["embedding"] for record in written)


def test_without_ray_a_line_says_how_to_install_it(monkeypatch):
    """As of other extras."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(RealError, match=r"^--on ray: Ray is not installed; .*\[cluster\]"),
        ray_workers("ray", "auto", "auto", None),
    ):
        pass


ENDED = "real: --on ray:x\N{SYMBOL FOR ESCAPE}: the command was ended, as Ray does when it loses the head of a "


@pytest.mark.parametrize(
    ("end", "words", "status"),
    [
        ("raise RealError('is lost')", "real: is lost\n", 1),
        ("os._exit(1)", ENDED, 1),
        ("os.abort()", ENDED, -6),
        ("pass", "", 0),
    ],
)
def test_a_line_comes_however_a_run_on_ray_ends(end, words, status):
    """Ray's words are not heard, ours are: also where Ray ends the process from C++."""
    code = f"""if True:
        import os, sys, typer
        from real_cli.cli.guard import run_guarded
        from real_cli.cluster.ray_actors import last_word, only_ours_on_stderr
        from real_cli.errors import RealError
        from real_cli.io.progress import make_stderr_printable
        def run():
            with only_ours_on_stderr() as ours, last_word("ray:x\x1b", ours):
                os.write(2, b"heard of Ray")
                {end}
        make_stderr_printable()
        try:
            run_guarded(run)
        except typer.Exit as left:
            sys.exit(left.exit_code)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.startswith(words)
    assert (done.stderr.count("\n"), done.returncode) == (words != "", status)


@needs_ray
@pytest.mark.parametrize("is_silent", [True, False])
def test_an_address_that_is_no_cluster_is_told_in_a_line(is_silent, monkeypatch):
    """A server that never answers, and a port where nobody listens."""
    monkeypatch.setattr("real_cli.cluster.ray_actors.JOIN_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        on = f"ray:127.0.0.1:{server.getsockname()[1]}"
        if not is_silent:
            server.close()
        with pytest.raises(RealError, match=f"^--on {on}: cannot be joined; "), ray_workers(on, "cpu", "auto", None):
            pass


def test_one_file_alone_imports_ray():
    """And only when it is asked to."""
    importing = [
        path.name
        for path in (ROOT / "real_cli").rglob("*.py")
        if re.search(r"^\s*(import|from) ray\b", path.read_text(), re.M)
    ]
    assert importing == ["ray_actors.py"]
