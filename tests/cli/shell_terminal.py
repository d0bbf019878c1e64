"""A shell in a pseudo-terminal: all of its streams are the terminal, whose questions are answered."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import pyte

DEADLINE_SECONDS = 20


class ShellTerminal:
    """A program that owns a terminal of its own."""

    def __init__(self, words, environment, folder, columns=120, lines=40):
        self.process, self.master = pty.fork()
        if not self.process:
            os.chdir(folder)
            os.execvpe(words[0], words, environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen = pyte.Screen(columns, lines)
        self.screen.write_process_input = lambda text: os.write(self.master, text.encode())
        self.stream = pyte.ByteStream(self.screen)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def read(self, seconds):
        """Show what is written until nothing is for so long; False if the program is gone."""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                self.stream.feed(os.read(self.master, 1 << 16))
            except OSError:
                return False
        return True

    def type(self, keys):
        os.write(self.master, keys.encode())

    def wait_for(self, words):
        """Wait until the screen shows words; tell whether it does."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while words not in self.text and time.monotonic() < deadline:
            if not self.read(0.1):
                break
        return words in self.text

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.master)
