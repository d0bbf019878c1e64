"""How many files a process may hold open."""

import errno
import os

# Whichever file could not be opened, that file is not at fault.
TOO_MANY = (errno.EMFILE, errno.ENFILE)


def need_descriptors(number: int) -> None:
    """Raise an OSError unless `number` more files can be opened, before a library fails halfway."""
    taken: list[int] = []
    try:
        for _ in range(number):
            taken.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in taken:
            os.close(descriptor)
