"""A pseudo-terminal with a screen that can be read, and a command that runs in it with pipes of its own."""

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import termios
import time

import pyte
import wcwidth

DEADLINE_SECONDS = 20


class Screen(pyte.Screen):
    """What a terminal shows that draws each character in cells of its own: xterm, Linux's console.

    pyte drops all that follows a joiner, and erases nothing from behind the last column; terminals do neither.
    """

    @property
    def display(self):
        return ["".join(self.buffer[y][x].data for x in range(self.columns)) for y in range(self.lines)]

    def draw(self, data):
        for part in self.parts(data):
            width = self.width(part)
            line = self.buffer[self.cursor.y]
            if not width:
                at = max(0, self.cursor.x - 1)
                at -= at > 0 and not line[at].data  # the second half of a wide one
                line[at] = line[at]._replace(data=line[at].data + part)
                continue
            if self.cursor.x + width > self.columns:
                if pyte.modes.DECAWM in self.mode:
                    self.carriage_return()
                    self.linefeed()
                    line = self.buffer[self.cursor.y]
                else:  # the last column is written over
                    self.cursor.x = max(0, self.columns - width)
            line[self.cursor.x] = self.cursor.attrs._replace(data=part)
            for x in range(self.cursor.x + 1, min(self.cursor.x + width, self.columns)):
                line[x] = self.cursor.attrs._replace(data="")
            self.cursor.x += width
        self.dirty.add(self.cursor.y)

    def erase_in_line(self, how=0, private=False):
        self.cursor.x = min(self.cursor.x, self.columns - 1)
        super().erase_in_line(how, private)

    def parts(self, data):
        return data

    def width(self, part):
        return max(0, wcwidth.wcwidth(part))


class ClusterScreen(Screen):
    """What a terminal shows that draws a sequence of emoji as one: kitty, Windows Terminal, WezTerm."""

    def parts(self, data):
        return wcwidth.iter_graphemes(data)

    def width(self, part):
        return wcwidth.width(part)


class Session:
    """A process whose controlling terminal is a pseudo-terminal; its standard streams are pipes."""

    def __init__(self, *words, cwd, columns=80, lines=24, data=None, program=None, shows_output=False, screen=Screen):
        self.master, slave = os.openpty()
        self.screen = screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(columns, lines)
        self.settings = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            program or [sys.executable, "-m", "real_cli", "relabel", "human", *words],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=slave if shows_output else subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
            env=os.environ | {"TERM": "xterm"},
        )
        self.slave = slave
        if data is not None:
            self.process.stdin.write(data)
            self.process.stdin.close()

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds):
        """Show what the process wrote in the meantime; False if it wrote nothing."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            data = os.read(self.master, 1 << 16)
            self.raw += data
            self.stream.feed(data)
        return bool(ready)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, *words, without=()):
        """Wait until the screen shows some words and does not show others."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (all(word in self.text for word in words) and not any(word in self.text for word in without)):
            if time.monotonic() > deadline or (not self.read(0.05) and self.process.poll() is not None):
                stderr = self.process.stderr.read() if self.process.poll() is not None else b""
                raise AssertionError(f"{words} without {without} not in:\n{self.text}\n{stderr.decode()}")
        return self.text

    def type(self, keys, *words, without=()):
        """Type keys, and wait for words on the screen."""
        os.write(self.master, keys.encode())
        return self.wait_for(*words, without=without) if words or without else ""

    def end(self):
        """Wait for the end; returns records, standard error and status."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running:\n{self.text}"
            if self.master is None:
                time.sleep(0.01)
            else:
                self.read(0.02)
        while self.master is not None and self.read(0):
            pass
        output = b"" if self.process.stdout is None or self.process.stdout.closed else self.process.stdout.read()
        errors = self.process.stderr.read().decode()
        return [json.loads(line) for line in output.splitlines()], errors, self.process.returncode

    def hang_up(self):
        """Close the terminal, as a lost connection does."""
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self.master, self.slave):
            if descriptor is not None:
                os.close(descriptor)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
