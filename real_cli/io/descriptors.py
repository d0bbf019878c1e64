"""How many files a process may hold open."""

import errno
import os
import resource

from real_cli.errors import RealError

# Whichever file could not be opened, that file is not at fault.
TOO_MANY = (errno.EMFILE, errno.ENFILE)
# More than any command needs that does not open a file for each of its arguments.
USUALLY_ENOUGH = 256


def need_descriptors(number: int) -> None:
    """Raise a RealError unless `number` more files can be opened, before a library fails halfway.

    The limit that a process may lift by itself is lifted.
    """
    taken: list[int] = []
    try:
        while len(taken) < number:
            try:
                taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError as error:
                if error.errno != errno.EMFILE:
                    raise
                _allow(number - len(taken))
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _allow(more: int) -> None:
    """Lift the limit by `more` files; raise a RealError where the system does not let us."""
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = limit + more
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise RealError(
            f"Too many open files: {needed:,} are needed, {hard:,} allowed; allow more: ulimit -n {needed}, as root "
            "where that is refused"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def more_descriptors() -> int:
    """Return a limit that is worth a try where the one in force was too low."""
    return max(USUALLY_ENOUGH, 2 * resource.getrlimit(resource.RLIMIT_NOFILE)[0])
