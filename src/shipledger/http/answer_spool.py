"""Answers that a client has yet to read: first in memory, then in a temporary file, in the order in which they came."""

import tempfile
from collections import deque
from typing import IO

MEMORY_BYTES_MAX = 1024 * 1024
READ_BYTES = 256 * 1024


class AnswerSpool:
    """A queue of bytes. The file has no name: the system removes it with the process, however that ends."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._bytes_in_memory = 0
        self._file: IO[bytes] | None = None
        self._file_begin = 0
        self._file_end = 0

    def write(self, data: bytes) -> None:
        """Put bytes, at least one, at the end. Raises OSError where the disk is full."""
        is_in_file = self._file_end > self._file_begin
        if not is_in_file and self._bytes_in_memory + len(data) <= MEMORY_BYTES_MAX:
            self._pieces.append(data)
            self._bytes_in_memory += len(data)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the spool
        self._file.seek(self._file_end)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._file_end += len(data)

    def read(self) -> bytes:
        """Take bytes from the beginning; none where nothing waits."""
        if self._pieces:
            data = self._pieces.popleft()
            self._bytes_in_memory -= len(data)
            return data
        if self._file is None or self._file_begin == self._file_end:
            return b""
        self._file.seek(self._file_begin)
        data = self._file.read(min(READ_BYTES, self._file_end - self._file_begin))
        self._file_begin += len(data)
        if self._file_begin == self._file_end:
            self._file.truncate(0)
            self._file_begin = self._file_end = 0
        return data

    def close(self) -> None:
        """Let go of what nobody reads any more."""
        self._pieces.clear()
        if self._file is not None:
            self._file.close()
