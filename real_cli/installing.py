"""How to install what is missing, the way `real` itself was installed. Imports nothing of the package."""

import importlib.metadata
import json
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

DISTRIBUTION = "real-cli"


def install_extra(extra: str) -> str:
    """Return the command that installs an extra: from the clone or file that `real` came from, or the index."""
    source, is_editable = _source()
    wanted = f"{DISTRIBUTION if source is None else source}[{extra}]"
    return f"{_installer()} {'-e ' * is_editable}{shlex.quote(wanted)}"


def install_package(name: str) -> str:
    """Return the command that installs another package beside `real`."""
    return f"{_installer()} {shlex.quote(name)}"


def _installer() -> str:
    """Name the program that installs into this environment: the one on the search path may serve another."""
    folder = Path(sys.prefix)
    if "pipx" in folder.parts:
        return f"pipx runpip {DISTRIBUTION} install"
    if _read_metadata("INSTALLER").strip() == "uv":
        return f"uv pip install --python {shlex.quote(sys.executable)}"
    program = shutil.which("pip")
    if program is not None and Path(program).parent == Path(sys.executable).parent:
        return "pip install"
    return f"{shlex.quote(sys.executable)} -m pip install"


def _source() -> tuple[str | None, bool]:
    """Return the folder or file that was installed, None for an index, and whether as an editable clone."""
    root = Path(__file__).resolve().parents[1]
    if (root / "pyproject.toml").is_file():
        return "." if root == Path.cwd() else str(root), True
    try:
        origin = json.loads(_read_metadata("direct_url.json") or "{}")
        address = urlsplit(str(origin.get("url", "")))
    except (AttributeError, ValueError):
        return None, False
    path = unquote(address.path)
    return (path, False) if address.scheme == "file" and Path(path).exists() else (None, False)


def _read_metadata(name: str) -> str:
    """Read a file that the installer left; a clone's own folder has none, and may come first."""
    installed = importlib.metadata.distributions(name=DISTRIBUTION)
    texts = (distribution.read_text(name) for distribution in installed)
    return next((text for text in texts if text), "")
