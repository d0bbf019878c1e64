"""Run commands, record them, and try them again on what a kill would have left."""

import os
import pickle
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.attacks.snapshots import contents_of

EVERY = bool(os.environ.get("EVERY_KILL"))  # all states of all runs; without it a selection that CI can afford


def start(real, folder, *words, **environment):
    """Run a command in a folder."""
    return subprocess.run(
        [str(word) for word in [*real, *words]],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def recorded(real, folder, *words):
    """Run a command to its end in a folder, `run`; return what stood there after each event."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    watched = {"WATCHED": str(folder / "run"), "SNAPSHOTS": str(folder / "states")}
    done = start(real, folder / "run", *words, LAUNCHER_HOOK="tests.attacks.snapshots:record", **watched)
    assert done.returncode == 0, done.stderr
    return pickle.loads((folder / "states").read_bytes())


def check_states(kept, folder, real, words, *, every, by_chance=()):
    """Run a command on states of another run, two at a time, and compare what it leaves with the end of that run.

    Or it says one line and touches nothing, but for what a dead run was writing. Returns how many runs there were, and
    how many went on.
    """
    whole = _compared(contents_of(kept.folder), by_chance)
    states = [each for place, each in enumerate(kept.with_torn()) if EVERY or place % every == 0]

    def check(place):
        number, state = states[place]
        here = folder / f"try-{place}"
        kept.rebuild(state, here)
        before = contents_of(here)
        done = start(real, here, *words)
        after = contents_of(here)
        shutil.rmtree(here)
        where = f"state {number}: {sorted(state)}\n{done.stderr}"
        assert "bug" not in done.stderr, where
        assert "Traceback" not in done.stderr, where
        if done.returncode:
            assert done.returncode in (1, 2), where
            assert done.stderr.count("\n") == 1, where
            before = {name: content for name, content in before.items() if not name.endswith(".part")}
            assert after == before or _compared(after, by_chance) == whole, where
            return False
        assert _compared(after, by_chance) == whole, where
        return True

    with ThreadPoolExecutor(2) as pool:
        went_on = list(pool.map(check, range(len(states))))
    return len(went_on), sum(went_on)


def _compared(contents, by_chance):
    """Leave out the content of files, not their names, that say when a run was."""
    return {name: "" if name.endswith(tuple(by_chance)) else content for name, content in contents.items()}
