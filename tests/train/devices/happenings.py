"""Hooks for `real train-dpo --devices` under tests/launcher.py: its processes start warm, and something happens.

The environment says what: HAPPENS=RANK:STEP:WHOM:SIGNAL sends a signal at the end of a step, to the process itself or
to the one that started all; LATE=RANK:SECONDS holds a process up whenever it hears from the lead; FAILS=RANK:STEP is a
bug.
"""

import os
import random
import signal
import sys
import time

from tests import launcher


def start():
    """Have the processes start through the launcher, and what is asked for happen in them."""
    from real_cli.train.devices import launch

    path = os.environ["LAUNCHER_SOCKET"]
    launch.command_words = lambda: [sys.executable, "-S", "-E", launcher.__file__, "ask", path, *sys.argv[1:]]
    rank = os.environ.get("RANK")
    if rank is None:
        os.environ["STARTED_BY"] = str(os.getpid())
        return
    if os.environ.get("HAPPENS", "").startswith(f"{rank}:"):
        _, step, whom, name = os.environ["HAPPENS"].split(":")
        target = os.getpid() if whom == "self" else int(os.environ["STARTED_BY"])
        at_step(int(step), lambda: os.kill(target, signal.Signals[name]))
    if os.environ.get("FAILS", "").startswith(f"{rank}:"):
        at_step(int(os.environ["FAILS"].split(":")[1]), lambda: 1 / 0)
    if os.environ.get("LATE", "").startswith(f"{rank}:"):
        be_late(float(os.environ["LATE"].split(":")[1]))


def at_step(step, action):
    """Act at the end of a step, before the processes agree on what comes."""
    from real_cli.train.callbacks import Reporter

    usual = Reporter.on_step_end

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == step:
            action()
        usual(self, args, state, control, **kwargs)

    Reporter.on_step_end = on_step_end


def be_late(seconds):
    """Sleep before, or after, each word of the lead."""
    from real_cli.train.world import World

    usual = World.share

    def share(self, function):
        before = random.random() * seconds
        time.sleep(before)
        value = usual(self, function)
        time.sleep(seconds - before)
        return value

    World.share = share
