"""Rounds whose policy is served: serve.sh starts the server of a stage, waits for and stops it however that ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.init.projects import color_pairs, environment, init, planned, prompts_in, run_make

pytestmark = pytest.mark.skipif(
    not (shutil.which("make") and shutil.which("bash") and shutil.which("ps")), reason="needs make, bash and ps"
)
# Serves nothing but its health, beside a child of its own, and writes who it is.
SERVER = """
import http.server, os, subprocess, sys, time
model, port = sys.argv[1], int(sys.argv[sys.argv.index("--port") + 1])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(0.3)
open(os.environ["SEEN"], "a").write(f"{os.getpid()} {child.pid} {model} {port}\\n")
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *words):
        print(*words, flush=True)
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", port), Health).serve_forever()
"""
# A `real` that writes its words where -o says, and takes its time where it samples.
REAL = """#!/bin/sh
echo "$*" >> commands
for word; do [ "$last" = -o ] && out=$word; last=$word; done
case $1 in
  sample) echo $$ >> samples; [ -z "$SLOW" ] || exec sleep 600; [ -z "$FAILS" ] || exit 5 ;;
  train-dpo) mkdir -p "$out" && out=$out/real.json ;;
esac
[ -z "$out" ] || echo '{"prompt":"q"}' > "$out"
"""


@pytest.fixture
def project(tmp_path):
    """SPPO's project with a `real` that does nothing, and a server that answers nobody."""
    folder = init(tmp_path / "made", "sppo")
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "real").write_text(REAL)
    (tmp_path / "real").chmod(0o755)
    (folder / "sft").mkdir()
    (folder / "adapter").mkdir()
    (folder / "adapter" / "adapter_config.json").write_text("{}")
    return folder


def words_of(project, *more):
    """The words of make, with the stand-ins."""
    beside = project.parent
    return [f"REAL={beside / 'real'}", f"SERVE={sys.executable} {beside / 'server.py'}", "POLICY=./sft", *more]


def seen(project):
    """The servers that were there: process, its child, model, port."""
    path = project.parent / "seen"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def is_gone(process):
    """No such process, or one that its parent has yet to wait for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition, seconds=30):
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def assert_no_orphan(project, seconds=20):
    """Servers, their children and what sampled are gone."""
    samples = (project / "samples").read_text().split()
    processes = [*(process for row in seen(project) for process in row[:2]), *samples]
    assert len(processes) >= 3
    wait_until(lambda: all(is_gone(process) for process in processes), seconds)


def test_each_round_is_sampled_from_a_server_of_its_own_policy(project):
    """Started for the stage, on a free port of loopback, and gone before the next one."""
    run_make(project, *words_of(project, "ROUNDS=1 2", "SHARES=2"), SEEN=str(project.parent / "seen"))
    servers = seen(project)
    assert [row[2] for row in servers] == ["./sft", "run/1/aligned"]
    sampled = [line for line in (project / "commands").read_text().splitlines() if line.startswith("sample ")]
    assert [line.split("--endpoint ")[1] for line in sampled] == [f"http://127.0.0.1:{row[3]}/v1" for row in servers]
    assert all(" --chat " in line for line in sampled)
    assert_no_orphan(project, seconds=0.1)
    assert "listening" in (project / "run" / "serve.log").read_text()


def test_without_serve_nothing_is_served(project):
    """And the device is the command's own; with it, it is the server's matter."""
    assert not any("serve.sh" in line for line in planned(project))
    assert any("sample" in line and "--device cpu" in line for line in planned(project, "DEVICE=cpu"))
    lines = planned(project, *words_of(project), "DEVICE=cpu")
    assert [line for line in lines if " sample " in line and "--device" in line] == []
    assert len([line for line in lines if line.startswith("bash serve.sh run/serve.log ")]) == 3


def test_a_stage_that_fails_stops_its_server(project):
    """Make stops with the stage's status, and no file is left."""
    done = run_make(project, *words_of(project), check=False, SEEN=str(project.parent / "seen"), FAILS="1")
    assert done.returncode == 2
    assert "Error 5" in done.stderr
    assert not (project / "run" / "1" / "sampled.jsonl").exists()
    assert_no_orphan(project, seconds=0.1)


@pytest.mark.parametrize(
    ("number", "to_all"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, True), (signal.SIGKILL, False)],
    ids=["Ctrl-C", "kill", "closed terminal", "kill -9"],
)
def test_a_make_that_ends_leaves_no_server(project, number, to_all):
    """A key at the terminal reaches every process of the group; a kill reaches make alone."""
    with subprocess.Popen(
        ["make", "-C", str(project), *words_of(project)],
        env=environment(SEEN=str(project.parent / "seen"), SLOW="1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_until((project / "samples").exists)
        (os.killpg if to_all else os.kill)(process.pid, number)
        process.wait(30)
    assert process.returncode != 0
    assert_no_orphan(project)


def test_a_script_that_is_killed_leaves_no_server(project):
    """By another process that watches it."""
    with subprocess.Popen(
        ["bash", "serve.sh", "log", str(project.parent / "real"), "sample", "--policy", "./sft", "-o", "out"],
        env=environment(SEEN=str(project.parent / "seen"), SLOW="1", SERVE=words_of(project)[1].partition("=")[2]),
        cwd=project,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until((project / "samples").exists)
        process.kill()
    servers = [process for row in seen(project) for process in row[:2]]
    wait_until(lambda: all(is_gone(server) for server in servers))
    os.kill(int((project / "samples").read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("serve", "policy", "message"),
    [
        ("false", "./sft", "it ended before it answered: "),
        ("no-such-program", "./sft", "it ended before it answered: "),
        ("false", "smollm2", "smollm2 is a short name, which servers do not know; name a folder or a hub name"),
        ("transformers serve", "./sft", "transformers draws nothing for ./sft; "),
        ("false", "./adapter", "./adapter is an adapter, which servers do not load by itself; "),
    ],
)
def test_what_cannot_be_served_is_one_line(project, serve, policy, message):
    """And the stage has not run."""
    done = run_make(project, *words_of(project, f"SERVE={serve}", f"POLICY={policy}"), check=False)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("real: ")]
    assert line.startswith(f"real: SERVE = {serve}: {message}")
    assert not (project / "samples").exists()


@pytest.mark.slow
def test_two_rounds_are_really_served_by_transformers(launched_real, make_tiny_policy, tmp_path):
    """A tiny policy behind `transformers serve`; its second round answers with what the first trained."""
    pytest.importorskip("fastapi")
    policy = tmp_path / "policy"
    shutil.copytree(make_tiny_policy(chat_template=CHAT), policy)
    drawing = json.loads((policy / "generation_config.json").read_text()) | {"do_sample": True}
    (policy / "generation_config.json").write_text(json.dumps(drawing))
    folder = init(tmp_path / "made", "sppo")
    data = color_pairs(tmp_path / "mine.jsonl", ["red", "blue", "big", "small", "dog", "mat", "log", "yes"])
    score = f"{' '.join(launched_real)} relabel implicit --policy {policy} --contrast yes no"
    run_make(
        folder,
        f"REAL={' '.join(launched_real)}",
        f"SERVE={sys.executable} -m transformers.cli.transformers serve --device cpu",
        *(f"DATA={data}", f"POLICY={policy}", f"SCORE={score}", "HELDOUT=25%", "ROUNDS=1 2", "SHARES=2", "K=2"),
        *("SAMPLE=--max-tokens 4 --no-cache", "TRAIN=--preset sppo --max-steps 1 --batch-size 1"),
        HF_HUB_OFFLINE="1",
        OMP_NUM_THREADS="1",
    )
    assert prompts_in(folder / "run" / "heldout.jsonl")
    sampled = [json.loads(line) for line in (folder / "run" / "1" / "sampled.jsonl").read_text().splitlines()]
    assert {response["model"] for row in sampled for response in row["responses"]} == {str(policy)}
    listed = subprocess.run(["pgrep", "-f", "transformers serve|transformers.cli"], capture_output=True, text=True)
    mine = [pid for pid in listed.stdout.split() if os.readlink(f"/proc/{pid}/cwd") == str(folder)]
    assert mine == []


CHAT = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)
