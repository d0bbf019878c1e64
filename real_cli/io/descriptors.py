"""How many files a process may hold open."""

import errno
import os

# Whichever file could not be opened, it is no fault of that file.
TOO_MANY = (errno.EMFILE, errno.ENFILE)


def need_descriptors(number: int) -> None:
    """See that so many more files can be opened, before a library fails half way for want of them.

    Args:
        number: How many.

    Raises:
        OSError: If the system refuses so many.
    """
    taken: list[int] = []
    try:
        for _ in range(number):
            taken.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in taken:
            os.close(descriptor)
