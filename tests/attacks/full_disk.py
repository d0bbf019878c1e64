"""A disk that is full from some moment on: no file of this process grows beyond a limit."""

import os
import resource
import sys


def fill():
    """A hook of the launcher: from the making of the folder $FULL_FROM on, no file may have more than $FULL_BYTES."""

    def hook(event, words):
        if event == "os.mkdir" and str(words[0]).endswith(os.environ["FULL_FROM"]):
            limit = int(os.environ["FULL_BYTES"])
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    sys.addaudithook(hook)
