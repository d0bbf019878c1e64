"""A `real` that has imported everything already: for tests that start it many times.

A server imports the libraries once, runs no tensor work, and forks a child for each command. Make starts a client in
its place, in a few hundredths of a second: it hands over its words, folder, environment and standard streams, passes
signals on, and ends as the child ends. What a child does before it runs is what makes it like a fresh process.

    with warm_real() as words:  # the words that stand for `real`
        subprocess.run([*words, "pair", "--help"])
"""

import marshal
import os
import signal
import socket
import sys
from contextlib import suppress

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIZE = 8  # bytes of a length, of a process id, and of a status


def ask(path, words):
    """Have the server run a command in this process's place; returns its status, negative if a signal ended it."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)
        request = marshal.dumps((words, os.getcwd(), dict(os.environ)))
        signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        socket.send_fds(link, [len(request).to_bytes(SIZE, "big")], [0, 1, 2])
        link.sendall(request)
        child = read_number(link)

        def pass_on(received, frame):
            with suppress(ProcessLookupError):  # it has ended, and the server is about to say how
                os.kill(child, received)

        for number in PASSED_ON:
            signal.signal(number, pass_on)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        return read_number(link)


def read_number(link):
    """Read one number; a server that has gone is an error."""
    data = b""
    while len(data) < SIZE:
        part = link.recv(SIZE - len(data))
        if not part:
            raise ConnectionError("the launcher is gone")
        data += part
    return int.from_bytes(data, "big", signed=True)


def end_as(status):
    """End this process as the child ended: with its status, or by the same signal."""
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.stdout.flush()
    os._exit(status)


def warm_up():
    """Import what any command may import, and fill the caches of names that libraries build of code alone.

    No tensor is touched, so that no thread of torch is there when the process forks.
    """
    import gc
    import importlib
    import pkgutil

    import sentence_transformers  # noqa: F401
    import trl.trainer.dpo_trainer  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, Trainer  # noqa: F401
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping
    from transformers.models.llama import modeling_llama  # noqa: F401
    from typer.main import get_command

    import real_cli
    from real_cli.app import app

    for module in pkgutil.walk_packages(real_cli.__path__, "real_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    get_checkpoint_conversion_mapping("llama")  # some 900 regular expressions
    get_command(app)  # Typer imports pydantic when it first reads a signature
    gc.collect()
    gc.freeze()


class Launchpad:
    """The server: commands that run, by the connection of each client."""

    def __init__(self, path):
        import selectors

        self.selector = selectors.DefaultSelector()
        self.running = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.ended, self.ending = socket.socketpair()
        for end in (self.ended, self.ending):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.ending.fileno())
        for source in (self.listener, self.ended, sys.stdin):
            self.selector.register(source, selectors.EVENT_READ)

    def next_request(self):
        """Serve; returns only in a child, with what it is to run."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    request = self.accept()
                    if request:
                        return request
                elif key.fileobj is self.ended:
                    self.ended.recv(4096)
                    self.reap()
                elif key.fileobj is sys.stdin:  # whoever started the server is gone
                    for child in self.running.values():
                        os.kill(child, signal.SIGKILL)
                    os._exit(0)
                elif key.fileobj in self.running:  # a client that was killed
                    os.kill(self.running[key.fileobj], signal.SIGKILL)
                    self.selector.unregister(key.fileobj)

    def accept(self):
        """Read a request and fork; returns it in the child, with the standard streams."""
        link, _ = self.listener.accept()
        size, streams, _, _ = socket.recv_fds(link, SIZE, 3)
        data = b""
        while len(data) < int.from_bytes(size, "big"):
            data += link.recv(1 << 20)
        child = os.fork()
        if not child:
            return (*marshal.loads(data), streams)
        link.sendall(child.to_bytes(SIZE, "big"))
        for stream in streams:
            os.close(stream)
        self.running[link] = child
        self.selector.register(link, 1)
        return None

    def reap(self):
        """Tell clients how their commands ended."""
        for link, child in list(self.running.items()):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                del self.running[link]
                if link in {key.fileobj for key in self.selector.get_map().values()}:
                    self.selector.unregister(link)
                    link.sendall(os.waitstatus_to_exitcode(status).to_bytes(SIZE, "big", signed=True))
                link.close()


def become(folder, environment, streams):
    """Make this child like a process that was started by its client: streams, folder, signals, random numbers."""
    import random

    import numpy as np
    import torch

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 256)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    np.random.seed()
    torch.seed()


def run(words, folder, environment, streams):
    """Run a command in this child; returns its status."""
    import atexit
    import importlib
    import traceback

    from real_cli.app import main

    become(folder, environment, streams)
    os.environ["LAUNCHER_SOCKET"] = socket_path  # of a run that starts others
    if hook := environment.get("LAUNCHER_HOOK"):  # a test watches this run from within
        module, _, function = hook.partition(":")
        getattr(importlib.import_module(module), function)()
    sys.argv = ["real", *words]
    status = 1
    try:
        main()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return status


def warm_real():
    """Start a server; as a context, gives the words that stand for `real`."""
    import subprocess
    import tempfile
    from contextlib import contextmanager
    from pathlib import Path

    @contextmanager
    def started():
        single = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
        with tempfile.TemporaryDirectory(prefix="real-") as folder:
            path = f"{folder}/socket"
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.launcher", "serve", path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[1],
                env=os.environ | single | {"TORCH_CPP_LOG_LEVEL": "ERROR"},
            )
            try:
                if server.stdout.readline() != b"warm\n":
                    raise RuntimeError("the launcher did not start")
                yield [sys.executable, "-S", "-E", __file__, "ask", path]
            finally:
                server.stdin.close()
                server.stdout.close()
                server.wait(10)

    return started()


if __name__ == "__main__":
    role, socket_path, *rest = sys.argv[1:]
    if role == "ask":
        end_as(ask(socket_path, rest))
    warm_up()
    launchpad = Launchpad(socket_path)
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    end_as(run(*launchpad.next_request()))
