"""OpenAI-compatible servers on loopback: one that does what a test tells it, and one that serves a real model."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple


class Reply(NamedTuple):
    """What the server does with one request: wait, then answer, or cut the connection before or in the answer.

    With `pieces`, a function that yields bytes and takes its time, the body is theirs and its length is not said.
    """

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    cut: str = ""  # "before" or "within"
    pieces: Callable[[], Iterator[bytes]] | None = None


class Request(NamedTuple):
    path: str
    headers: dict
    body: dict

    @property
    def words(self):
        """What the user's last message says."""
        return self.body["messages"][-1]["content"]


def completion(text, **changes):
    """An OpenAI chat completion; 7 tokens read, 3 written."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | changes
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


def says(text, **changes):
    """A good reply."""
    return Reply(json.dumps(completion(text)).encode(), **changes)


def fails(status, message="no", seconds=0.001, **changes):
    """A refusal; the client is to try again soon, if it does."""
    headers = (("Retry-After", str(seconds)),)
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, headers, **changes)


def prefers_longer(request):
    """A judge without a bias of place: the longer response is better, equal ones tie."""
    a, b = re.search(r"# Response A\s+(.*?)\s+# Response B\s+(.*?)\s+# Your answer", request.words, re.DOTALL).groups()
    verdict = "tie" if len(a) == len(b) else "AB"[len(b) > len(a)]
    return says(json.dumps({"reasons": "Length.", "verdict": verdict}))


class Server:
    """A scripted server. `script(request)` gives a Reply; requests are kept in the order in which they came."""

    def __init__(self, script):
        self.script = script
        self.requests = []
        self.num_at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.answer(self, Request(self.path, headers, json.loads(data)))

            def log_message(self, *words):
                pass

        class Listener(ThreadingHTTPServer):
            request_queue_size = 64
            daemon_threads = True

            def handle_error(self, request, address):
                pass  # a client that was killed

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler, request):
        with self._lock:
            self.requests.append(request)
            self.num_at_once += 1
            self.most_at_once = max(self.most_at_once, self.num_at_once)
            reply = self.script(request)
        time.sleep(reply.seconds)
        with self._lock:
            self.num_at_once -= 1
        if reply.cut == "before":
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in (("Content-Type", "application/json"), *reply.headers):
            handler.send_header(name, value)
        if reply.pieces:
            handler.send_header("Connection", "close")
            handler.end_headers()
            with contextlib.suppress(OSError):  # whoever asked has gone
                for piece in reply.pieces():
                    handler.wfile.write(piece)
            return
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        handler.close_connection = bool(reply.cut)


def drips(text, seconds=0.02):
    """A good reply, a byte at a time."""

    def pieces():
        for byte in json.dumps(completion(text)).encode():
            time.sleep(seconds)
            yield bytes([byte])

    return Reply(b"", pieces=pieces)


def in_turn(*replies):
    """A script: one reply after the other, the last one for ever."""
    left = list(replies)

    def script(request):
        reply = left.pop(0) if len(left) > 1 else left[0]
        return reply(request) if callable(reply) else reply

    return script


def free_port():
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served(NamedTuple):
    """A real server: its address, the name of its model, and where its own words are."""

    url: str
    model: str
    log: Path


@contextlib.contextmanager
def serve_model(folder: Path, log: Path, seconds: float = 120.0):
    """Serve a folder by `transformers serve` on loopback; its own words are in `log`."""
    port = free_port()
    program = Path(sys.executable).parent / "transformers"
    words = [program, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": ""}
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log, seconds)
        yield Served(f"http://127.0.0.1:{port}/v1", str(folder), log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url, process, log, seconds):
    """Wait until a server answers; its log says why if it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer: {log.read_text()[-2000:]}")
