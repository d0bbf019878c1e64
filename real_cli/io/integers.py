"""Integers that do not fit in 64 bits: orjson would round them to floats without a word.

The exact test reads the line again, slowly. Cheap tests before it let few lines through, and never miss such an
integer: 2^63 has 19 digits, and shorter runs of digits fit in 64 bits.
"""

import json

from real_cli.errors import RecordError

NUM_DIGITS = 19
# A line with embeddings: from here on numpy's fixed cost is below that of the bytes methods.
LONG_LINE_BYTES = 4096
_DIGITS_TO_ZERO = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord(" ") for byte in range(256))


def check_integers(data: bytes) -> None:
    """Refuse a line with an integer that orjson would round."""
    if len(data) < LONG_LINE_BYTES:
        is_suspect = b"0" * NUM_DIGITS in data.translate(_DIGITS_TO_ZERO)
    else:
        is_suspect = _has_four_words_of_digits(data) and _has_long_run(data)
    if is_suspect:
        json.loads(data, parse_int=_parse_int)


def _parse_int(digits: str) -> int:
    number = int(digits)
    if not -(2**63) <= number < 2**64:
        raise RecordError(f"integer {digits[:40]} does not fit in 64 bits; write it as a string")
    return number


def _has_four_words_of_digits(data: bytes) -> bool:
    """Tell whether four aligned four-byte words in a row hold digits: any 19 digits cover four."""
    import numpy as np

    # The bytes left over are at the start, where an object has its brace and the first field's quotes.
    words = np.frombuffer(data, np.uint32, offset=len(data) % 4)
    full = (words & 0xF0F0F0F0) == 0x30303030  # "0" to "9" are 0x30 to 0x39; the few others up to 0x3F may pass
    pairs = full[1:] & full[:-1]
    return bool(np.count_nonzero(pairs[2:] & pairs[:-2]))  # the fastest test


def _has_long_run(data: bytes) -> bool:
    """Find 19 digits in a row, but not after a point, where a float64 often has as many."""
    import numpy as np

    codes = np.frombuffer(data, np.uint8)
    digits = codes - ord("0") < 10  # bytes below "0" wrap around to large values
    runs = digits
    for step in (1, 2, 4, 8, 3):  # two runs that start `step` apart make a longer one: 2, 4, 8, 16, 19
        runs = runs[step:] & runs[:-step]
    starts = np.flatnonzero(runs)
    before = codes[starts[~digits[starts - 1]] - 1]
    return bool((before != ord(".")).any())
