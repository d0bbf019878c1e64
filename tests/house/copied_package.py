"""A copy of the package to which a test adds files: what is added must work without a change to any other file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the package is, and what `python -m real_cli.docs` reads and renews.
COPIED = ("real_cli", "man", "README.md")


class CopiedPackage:
    """The package in a folder of its own; `real` and the generator of documents run from there."""

    def __init__(self, folder):
        self.root = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.root / name)

    def add(self, path, text):
        """Add one file that is not there yet, below the root: real_cli/pair/strategies/coin.py, say."""
        file = self.root / path
        assert not file.exists(), f"{path} is there already"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def renew(self):
        """Generate tables and documents anew, as a maintainer does who added a file."""
        self.python("-m", "real_cli.docs")

    def python(self, *words, **settings):
        """Run Python with the copy in front of what is installed."""
        done = self._run(words, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def real(self, *words, status=0, **settings):
        """Run `real` of the copy; returns what it wrote on standard output and on standard error."""
        done = self._run(["-m", "real_cli", *words], **settings)
        assert done.returncode == status, done.stderr
        return done.stdout, done.stderr

    def changed(self):
        """List the files that differ from those of the repository, added ones among them."""
        files = [path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file()]
        files = [path for path in files if path.suffix != ".pyc" and path.parts[0] in COPIED]
        return sorted(
            str(path)
            for path in files
            if not (ROOT / path).is_file() or (ROOT / path).read_bytes() != (self.root / path).read_bytes()
        )

    def _run(self, words, **settings):
        environment = os.environ | {"PYTHONPATH": str(self.root), "COLUMNS": "100"}
        command = [sys.executable, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.root, env=environment, **settings)
