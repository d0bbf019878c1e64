"""Which tokens an objective on tokens never weighs: words of grammar, by a list of ours or by NLTK's."""

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from real_cli.text.stopwords import FUNCTION_WORDS, code_stop_tokens, function_tokens
from real_cli.train.objective import Need

# Where NLTK's downloader puts its data.
SHARED_FOLDERS = tuple(f"/usr/{folder}/nltk_data" for folder in ("share", "local/share", "lib", "local/lib"))


def ignored_tokens(needs: Need, tokenizer: Any) -> frozenset[int] | None:
    """Return the ids of tokens that never count as differing; None if no objective needs them."""
    if Need.tokens not in needs:
        return None
    if Need.code_marks in needs:
        words, _ = stop_words()
        return code_stop_tokens(words, lambda word: tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word)))
    return function_tokens((token, tokenizer.decode([token])) for token in range(len(tokenizer)))


def stop_words() -> tuple[frozenset[str], str]:
    """Read NLTK's stop words, or fall back to ours; the second value says so, and is empty for NLTK's."""
    folders = [*os.environ.get("NLTK_DATA", "").split(os.pathsep), str(Path.home() / "nltk_data")]
    folders += [str(Path(sys.prefix) / part / "nltk_data") for part in ("", "share", "lib")]
    for folder in filter(None, [*folders, *SHARED_FOLDERS]):
        text = _read_corpus(Path(folder) / "corpora")
        if text:
            return frozenset(text.split()), ""
    return FUNCTION_WORDS, (
        f"bmc-code: NLTK's stop words are not installed, {len(FUNCTION_WORDS)} English function words are left out of "
        "the token weights in their place; 'python -m nltk.downloader stopwords' installs them"
    )


def _read_corpus(corpora: Path) -> str:
    try:
        if (corpora / "stopwords" / "english").is_file():
            return (corpora / "stopwords" / "english").read_text(encoding="utf-8")
        with zipfile.ZipFile(corpora / "stopwords.zip") as archive:
            return archive.read("stopwords/english").decode()
    except (OSError, KeyError, UnicodeDecodeError, zipfile.BadZipFile):
        return ""
