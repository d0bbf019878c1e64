"""xz within bounds: Python's own reader allocates whatever the file asks for, even four gigabytes."""

import io
import lzma
from typing import IO, Any

# lzma.LZMAFile takes no memory limit, its decompressor does.
# `xz -9` needs 65 MiB; the largest dictionary that xz's own levels know, some 100.
MAX_MEMORY_BYTES = 256 << 20
PIECE_BYTES = 1 << 17


class XzFile(io.RawIOBase):
    """The unpacked bytes of one or several xz streams in a row."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decompressor = self._begin()

    @staticmethod
    def _begin() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY_BYTES)

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack as much as fits; EOFError for a cut stream, LZMAError for one that is not xz."""
        size = len(buffer)
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data.lstrip(b"\0") or self._stream.read(PIECE_BYTES).lstrip(b"\0")
                if not rest:
                    return 0
                self._decompressor = self._begin()
                data = self._decompressor.decompress(rest, size)
            elif self._decompressor.needs_input:
                piece = self._stream.read(PIECE_BYTES)
                if not piece:
                    raise EOFError("the xz stream is cut")
                data = self._decompressor.decompress(piece, size)
            else:
                data = self._decompressor.decompress(b"", size)
            if data:
                buffer[: len(data)] = data
                return len(data)
