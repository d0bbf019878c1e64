"""What options offer to be completed: names that are known, and the models of a folder."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from real_cli.models.load.resolve import MODEL_FILES, SHORT_NAMES

# How deep a folder is searched for a model, and how many entries of one are looked at.
DEPTH, MOST_ENTRIES = 2, 500


def names_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Complete one of these names."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def lists_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Complete the last of names that commas join; each is named once."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        named = before.split(",")
        return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in named]

    return complete


def model_names(incomplete: str) -> list[str]:
    """Complete a model: a short name, a folder that holds one, a .gguf file, a folder on the way to one."""
    return [*(name for name in SHORT_NAMES if name.startswith(incomplete)), *_model_paths(incomplete)]


def language_model_names(incomplete: str) -> list[str]:
    """Complete a model that generates: `minilm` only embeds."""
    return [name for name in model_names(incomplete) if name != "minilm"]


def rubric_names(like: str | None = None) -> Callable[[str], list[str]]:
    """Complete a built-in rubric: all of them, or those that ask the same questions as another."""

    def complete(incomplete: str) -> list[str]:
        from real_cli.llm.rubric_files import BUILT_IN

        known = [name for name, asks in BUILT_IN.items() if like is None or asks == BUILT_IN[like]]
        return [name for name in known if name.startswith(incomplete)]

    return complete


def _model_paths(incomplete: str) -> Iterator[str]:
    typed, slash, start = incomplete.rpartition("/")
    typed += slash
    for path in _entries(Path(typed).expanduser() if typed else Path()):
        if not path.name.startswith(start) or (path.name.startswith(".") and not start):
            continue
        if path.suffix == ".gguf" or _is_model(path):
            yield typed + path.name
        elif _leads_to_model(path, DEPTH):
            yield f"{typed}{path.name}/"


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path, _ in zip(folder.iterdir(), range(MOST_ENTRIES), strict=False))
    except OSError:
        return []


def _is_model(path: Path) -> bool:
    return any((path / name).is_file() for name in MODEL_FILES)


def _leads_to_model(folder: Path, depth: int) -> bool:
    """Tell whether a folder holds a model, a few levels down; an entry that hides itself is passed over."""
    if depth == 0 or not folder.is_dir():
        return False
    inner = [path for path in _entries(folder) if not path.name.startswith(".")]
    return any(path.suffix == ".gguf" or _is_model(path) for path in inner) or any(
        _leads_to_model(path, depth - 1) for path in inner
    )
