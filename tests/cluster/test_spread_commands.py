"""Commands on two workers write the bytes of one process: on this machine, and on a Ray cluster of two raylets."""

import json
import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

from real_cli.errors import UsageError
from real_cli.sample.options import SampleOptions
from real_cli.sample.plan import check_sampling
from tests.conftest import WORDS

ROOT = Path(__file__).parents[2]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the extra 'cluster' is not installed")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Candidates with lines that are none, in four windows or more of every command."""
    draw = random.Random(5)

    def words(least, most):
        return " ".join(draw.choices(WORDS, k=draw.randint(least, most)))

    lines = [
        json.dumps({"prompt": f"{words(3, 6)}", "responses": [{"text": f" {words(1, 9)}"} for _ in range(2)]})
        for _ in range(26)
    ]
    lines[9:9] = ["{broken", '{"prompt": 5}']
    path = tmp_path_factory.mktemp("records") / "candidates.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


COMMANDS = {
    "embed": lambda policy, reward: ["embed", "--model", policy],
    "sample": lambda policy, reward: ["sample", "--policy", policy, "--append", "--max-tokens", "4"],
    "relabel reward": lambda policy, reward: ["relabel", "reward", "--model", reward],
    "relabel implicit": lambda policy, reward: ["relabel", "implicit", "--policy", policy, "--reference", policy],
}


@pytest.fixture(scope="module")
def real(launched_real, records, tiny_policy, tiny_reward, tmp_path_factory):
    """Run a command on the records; returns what it wrote, what it rejected, what it said and its status."""
    folder = tmp_path_factory.mktemp("spread")
    mark = {"TEST_OF_WORKERS": uuid4().hex}

    def run(name, *words, hook="small_windows", **variables):
        command = COMMANDS[name](str(tiny_policy), str(tiny_reward))
        rejects = folder / "rejects.jsonl"
        words = [*command, str(records), *words, "--on-error", "skip", "--rejects", str(rejects)]
        environment = os.environ | mark | {"LAUNCHER_HOOK": f"tests.cluster.hooks:{hook}"} | variables
        done = subprocess.run([*launched_real, *words], capture_output=True, env=environment, timeout=300)
        return done.stdout, rejects.read_bytes() if rejects.exists() else b"", done.stderr, done.returncode

    run.mark = mark
    alone = {}
    run.alone = lambda name: alone[name] if name in alone else alone.setdefault(name, run(name))
    return run


def hook_of(name):
    """A worker of `embed` is killed in the middle."""
    return "kill_a_worker" if name == "embed" else "small_windows"


@pytest.mark.parametrize("name", COMMANDS)
def test_two_processes_write_the_bytes_of_one(name, real):
    """What goes on, what is rejected, what is said, and the status, also where one is killed."""
    assert real(name, "--devices", "2", hook=hook_of(name)) == real.alone(name)
    output, rejects, words, status = real.alone(name)
    assert (len(output.splitlines()), len(rejects.splitlines()), status) == (26, 2, 3), words


@pytest.fixture(scope="module")
def cluster(real, tmp_path_factory):
    """Two raylets that want a token; their address, and what a command needs to join them."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(uuid4().hex * 2)
    variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"}
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.two_raylets"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | variables | real.mark | {"PYTHONPATH": str(ROOT)},
    )
    yield server.stdout.readline().decode().strip(), variables
    server.stdin.close()
    server.wait(30)
    server.stdout.close()


@needs_ray
@pytest.mark.parametrize("name", COMMANDS)
def test_two_actors_write_the_bytes_of_one_process(name, real, cluster):
    """One on each raylet, also where one is killed; Ray itself says nothing."""
    address, variables = cluster
    assert real(name, "--on", f"ray:{address}", hook=hook_of(name), **variables) == real.alone(name)


@needs_ray
def test_without_the_token_of_a_cluster_the_run_ends_with_a_line(real, cluster, tmp_path):
    """And with more devices than it has."""
    address, variables = cluster
    (tmp_path / "token").write_text("0" * 64)
    other = variables | {"RAY_AUTH_TOKEN_PATH": f"{tmp_path}/token"}
    *_, words, status = real("embed", "--on", f"ray:{address}", **other)
    assert (words.count(b"\n"), status) == (1, 1), words
    assert b"cannot be joined" in words
    *_, words, status = real("embed", "--on", f"ray:{address}", "--devices", "9", **variables)
    assert (words, status) == (b"real: --devices 9: the cluster has 2 cores; give fewer\n", 2)


def test_no_word_of_on_is_passed_over(real):
    """Another engine, and an address that is none."""
    for word in ("dask", "ray:", "Ray", ""):
        *_, words, status = real("embed", "--on", word)
        assert (words, status) == (f"real: --on {word}: ray, or ray:ADDRESS, is needed\n".encode(), 2)


def test_a_server_and_lowest_scores_leave_nothing_to_share_out(real):
    """Options that nobody would read are refused."""
    for words in (["--endpoint", "http://127.0.0.1:9/v1"], ["--dry-run"]):
        *_, line, status = real("sample", "--devices", "2", *words)
        assert (status, b"--devices" in line, line.count(b"\n")) == (2, True, 1), line
    options = SampleOptions(policy=["sft"], devices="2", lowest_score="20%", given=frozenset({"devices"}))
    with pytest.raises(UsageError, match="--devices: the lowest scores"):
        check_sampling(options)
