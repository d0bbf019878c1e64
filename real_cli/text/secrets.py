"""Command lines without what nobody else may read: keys, tokens, passwords."""

import re
from collections.abc import Collection, Sequence

MASK = "***"
SECRET_NAME = re.compile(r"(^|[-_.])(api[-_]?key|key|token|secret|password|passwd|credentials?|auth)$", re.IGNORECASE)
# The forms that issuers give to keys, so that they are known wherever they stand.
KNOWN_FORM = re.compile(
    r"\b(?:sk-[\w-]{16,}|hf_\w{16,}|gh[opusr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
USER_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+@")
QUERY = re.compile(r"(?<=[?&])([^=&#\s]+)=([^&#\s]+)")
SIGNATURE = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|password|passwd|credentials?|auth|sig|signature)=)[^&#\s'\":]+", re.IGNORECASE
)


def mask_secrets(words: Sequence[str], values: Collection[str] = ()) -> list[str]:
    """Hide what is secret in the words of a command.

    Args:
        words: Options, their values, and arguments.
        values: Secrets that are known, such as those of environment variables.

    Returns:
        As many words.

    Example:
        >>> mask_secrets(["--api-key", "abc", "--token=x", "https://me:pw@host/d?sig=1", "pairs.jsonl"])
        ['--api-key', '***', '--token=***', 'https://***@host/d?sig=***', 'pairs.jsonl']
    """
    shown: list[str] = []
    is_value_secret = False
    for word in words:
        name, sign, value = word.partition("=")
        if is_value_secret and not word.startswith("--"):
            shown.append(MASK)
            is_value_secret = False
            continue
        is_secret = word.startswith("-") and bool(SECRET_NAME.search(name))
        is_value_secret = is_secret and not sign
        shown.append(f"{name}={MASK}" if is_secret and value else _masked(word, values))
    return shown


def _masked(word: str, values: Collection[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        word = word.replace(value, MASK) if value else word
    word = USER_IN_ADDRESS.sub(f"{MASK}@", KNOWN_FORM.sub(MASK, word))
    return QUERY.sub(rf"\1={MASK}", word) if "://" in word else word


def mask_addresses(line: str) -> str:
    """Hide what is secret in a line of talk: the user and the signature of an address, and keys of the known forms.

    Args:
        line: What standard error is to show.

    Returns:
        The line; what else an address asks for stays, so that a command in the line can be run.

    Example:
        >>> mask_addresses("s3://me:pw@bucket/a?X-Amz-Signature=1f&part=2: is an address")
        's3://***@bucket/a?X-Amz-Signature=***&part=2: is an address'
    """
    return SIGNATURE.sub(rf"\1{MASK}", USER_IN_ADDRESS.sub(f"{MASK}@", KNOWN_FORM.sub(MASK, line)))
