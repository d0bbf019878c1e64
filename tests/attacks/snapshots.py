"""A folder as it stood after each event of a run: what a kill at any moment would have left.

`record` is a hook of the launcher: it watches the folder $WATCHED from within the run that changes it. Python announces
each opening, renaming and removing before it happens; what libraries write in C is seen at the next of these, and after
each call of the functions that save. States are kept as {path: hash of content}, each content once.
"""

import atexit
import hashlib
import os
import pickle
import sys
from pathlib import Path

EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
WRITING = os.O_WRONLY | os.O_RDWR


class Snapshots:
    """Distinct states of a folder, in the order in which they were seen."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.contents = {}
        self.states = [{}]
        self._signature = None
        self._looking = False

    def look(self):
        """Keep the state of now if it is another than that of the last time."""
        if self._looking:
            return
        self._looking = True
        try:
            paths = sorted(self.folder.rglob("*"))
            signature = [(path, (status := path.stat()).st_size, status.st_mtime_ns, status.st_ino) for path in paths]
            if signature != self._signature:
                self._signature = signature
                state = {str(path.relative_to(self.folder)): self._keep(path) for path in paths}
                if state != self.states[-1]:
                    self.states.append(state)
        finally:
            self._looking = False

    def _keep(self, path):
        if path.is_dir():
            return None
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self.contents[digest] = data
        return digest

    def close(self, path):
        """Look for the last time, and write all to a file."""
        self.look()
        self._looking = True
        Path(path).write_bytes(pickle.dumps(self))

    def with_torn(self):
        """Each state and its number, and those that differ from it in a file of which half or nothing is there yet."""
        for number, state in enumerate(self.states):
            yield number, state
            before = self.states[number - 1] if number else {}
            renamed = {before[name] for name in before if name not in state}
            for name, digest in state.items():
                if digest in {None, before.get(name)} | renamed:
                    continue
                data = self.contents[digest]
                known = len(self.contents.get(before.get(name), b"")) if name in before else 0
                for size in sorted({known, (known + len(data)) // 2} - {len(data)}):
                    yield number, state | {name: data[:size]}

    def rebuild(self, state, folder):
        """Put a state into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in state.items():
            if content is None:
                (folder / name).mkdir(parents=True, exist_ok=True)
            else:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content if isinstance(content, bytes) else self.contents[content])


def contents_of(folder):
    """The hash of each file below a folder, and None for each folder, by their paths."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
    }


def record():
    """Watch the folder $WATCHED; at the end of the run the states go to the file $SNAPSHOTS."""
    import safetensors.torch
    import torch

    kept = Snapshots(os.environ["WATCHED"])

    def hook(event, words):
        if event in EVENTS and (event != "open" or (words[2] or 0) & WRITING):
            kept.look()

    def watched(function):
        def call(*args, **kwargs):
            result = function(*args, **kwargs)
            kept.look()
            return result

        return call

    torch.save = watched(torch.save)
    save_file = safetensors.torch.save_file
    for module in list(sys.modules.values()):
        if getattr(module, "save_file", None) is save_file:
            module.save_file = watched(save_file)
    atexit.register(kept.close, os.environ["SNAPSHOTS"])
    sys.addaudithook(hook)
