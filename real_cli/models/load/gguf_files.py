"""GGUF files: dequantized into the cache folder once, and recognized by all of their bytes."""

import contextlib
import functools
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from real_cli.errors import ModelError, RealError
from real_cli.installing import install_package
from real_cli.io.locks import lock

PART = ".part-"


def dequantized(path: Path, cache: Path) -> Path:
    """Dequantize a GGUF file."""
    status = path.stat()
    folder = cache / f"{path.stem}-{_fingerprint(path, status.st_size, status.st_mtime_ns, status.st_ino)}"
    if not (folder / "config.json").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _remove_dead(cache)
        # Built aside and renamed: two commands of one pipe may want the model at the same time.
        with _part_folder(cache) as part:
            _convert(path, part / "model")
            try:
                os.rename(part / "model", folder)
            except OSError:
                if not (folder / "config.json").is_file():
                    shutil.rmtree(folder, ignore_errors=True)
                    os.rename(part / "model", folder)
    return folder


@functools.lru_cache(maxsize=8)
def _fingerprint(path: Path, *changes: int) -> str:
    """Name a file by all of its bytes: a second or two a GB, a small part of loading it.

    `changes` recognizes the same path within a run, which asks several times.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16, person=b"real gguf 2"))
    return digest.hexdigest()


@contextmanager
def _part_folder(cache: Path) -> Iterator[Path]:
    """Make a folder that is locked while in use: a free lock marks what a killed run left."""
    part = Path(tempfile.mkdtemp(dir=cache, prefix=PART))
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(descriptor, part)
        yield part
    finally:
        os.close(descriptor)
        shutil.rmtree(part, ignore_errors=True)


def _remove_dead(cache: Path) -> None:
    """Remove what killed conversions left."""
    for part in cache.glob(f"{PART}*"):
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            # An empty one may be brand new and not locked yet.
            if any(part.iterdir()) and lock(descriptor, part):
                shutil.rmtree(part, ignore_errors=True)
        except (RealError, OSError):
            continue  # in use
        finally:
            os.close(descriptor)


def _convert(path: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from real_cli.models.load.loaded_checks import check_finite, check_missing
    from real_cli.models.load.loading import load_gguf
    from real_cli.models.load.resolve import quiet_libraries

    try:
        with quiet_libraries(), contextlib.redirect_stderr(io.StringIO()), tempfile.TemporaryDirectory() as alone:
            # Alone in a folder: a neighbor, an adapter say, would be taken for a part of it.
            link = Path(alone) / "model.gguf"
            link.symlink_to(path.resolve())
            loaded, tokenizer, missing = load_gguf(link)
            check_missing(str(path), missing)
            # A model read from GGUF refuses to be saved; a copy made from its config and weights does not.
            config = type(loaded.config).from_dict(_plain(loaded.config.to_dict()))
            config.architectures = [type(loaded).__name__]
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
            model.load_state_dict(loaded.state_dict())
            check_finite(str(path), model)
            model.generation_config = loaded.generation_config
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except RealError:
        raise
    except ImportError as error:
        raise ModelError(f"model '{path}': reading GGUF needs a package: {install_package('gguf')} ({error})") from None
    except Exception as error:  # a broken file makes libraries raise anything
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        first = re.sub(rf"{re.escape(tempfile.gettempdir())}\S*model\.gguf", "the file", first)
        raise ModelError(f"model '{path}': cannot be read as GGUF: {first}") from None


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in ("quantization_config", "_name_or_path")}
