"""A disk that loses its cache when the power goes: an apsw VFS that knows what was synced and what was only written.

SIGKILL does not test durability, since the page cache outlives the process. Files opened through this VFS are real
files, so reads see every write; beside them the disk keeps, for each file, the image that was synced and the ordered
writes and truncates since. `survivors` writes what a power cut at this instant may leave, into a new directory, where
the ordinary VFS recovers it. What may be left is what SQLite's own documents say a disk may do:

- https://sqlite.org/atomiccommit.html, "Hardware Assumptions": writes are buffered and reordered until they are synced,
  so each unsynced write is kept, dropped or torn by itself, whatever became of the others; a sector write is not
  atomic; a file may grow before its new content arrives, so it may end in garbage; a deletion is atomic.
- https://sqlite.org/psow.html: the bytes being written may come back old, new, random or mixed. Without "powersafe
  overwrite" the rest of their sector may be damaged as well, even where it had been synced.
- https://sqlite.org/c3ref/c_iocap_atomic.html: whatever xDeviceCharacteristics does not claim, SQLite must not rely on.
  Nothing is claimed here. The ordinary unix VFS does claim powersafe overwrite, and SQLite then leaves out the padding
  of WAL commits; `powersafe_overwrite=True` is that device: the claim is made, and kept.
- https://sqlite.org/pragma.html#pragma_synchronous: a deleted rollback journal may come back unless the directory was
  synced (EXTRA). As in SQLite's os_unix.c, the directory is synced by xDelete with syncdir and by the first xSync of a
  journal or WAL opened for creation. Syncing the database file alone does not secure its directory entry.

SQLite tests itself in the same way (test6.c, "crash" VFS). Damage is done by sectors of 512 bytes, as reported.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Literal

import apsw

if TYPE_CHECKING:
    from typing_extensions import Buffer

SECTOR = 512

_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL
_LASTING = apsw.SQLITE_OPEN_MAIN_DB | _JOURNALS
_serial = itertools.count(1)

Fate = Literal["kept", "dropped", "torn"]
_FATES: tuple[Fate, ...] = ("kept", "dropped", "torn")
# How a cache may have been emptied: not at all, wholly, mostly, hardly, or anyhow.
_MOODS = ((0, 1, 0), (1, 0, 0), (12, 1, 1), (1, 12, 1), (1, 1, 1))


class PowerCut(apsw.IOError):
    """The power is off: nothing reaches the disk any more."""


@dataclass(frozen=True, slots=True)
class _Truncate:
    size: int

    def apply(self, image: bytearray) -> None:
        _resize(image, self.size)


@dataclass(frozen=True, slots=True)
class _Write:
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    def apply(self, image: bytearray) -> None:
        self._put(image, self.offset, self.end)

    def tear(self, image: bytearray, rng: Random, powersafe: bool) -> None:
        """Let any of the sectors arrive, then perhaps damage one of them."""
        sectors = range(self.offset - self.offset % SECTOR, self.end, SECTOR)
        for sector in sectors:
            if rng.random() < 0.5:
                self._put(image, max(sector, self.offset), min(sector + SECTOR, self.end))
        if sectors and rng.random() < 0.5:
            self._damage(image, rng.choice(sectors), rng, powersafe)

    def _put(self, image: bytearray, start: int, end: int) -> None:
        _resize(image, max(len(image), start))
        image[start:end] = self.data[start - self.offset : end - self.offset]

    def _damage(self, image: bytearray, sector: int, rng: Random, powersafe: bool) -> None:
        """Leave a sector half written, or unreadable (noise, zeros): all of it, or what was written if powersafe."""
        start, end = max(sector, self.offset), min(sector + SECTOR, self.end)
        kind = rng.choice(("half", "noise", "zeros"))
        if kind == "half":
            self._put(image, start, rng.randint(start, end))
            return
        if not powersafe:
            start, end = sector, min(sector + SECTOR, max(self.end, len(image)))
        _resize(image, max(len(image), start))
        image[start:end] = rng.randbytes(end - start) if kind == "noise" else bytes(end - start)


def _resize(image: bytearray, size: int) -> None:
    del image[size:]
    image.extend(bytes(size - len(image)))


@dataclass(eq=False, slots=True)
class _Inode:
    """The content of one file, apart from its name: what was synced, and what was done to it since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[_Write | _Truncate] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.pending:
            change.apply(self.durable)
        self.pending.clear()

    def survivor(self, rng: Random, powersafe: bool) -> bytearray:
        image = bytearray(self.durable)
        for change, fate in zip(self.pending, _fates(rng, len(self.pending)), strict=True):
            if fate == "kept":
                change.apply(image)
            elif fate == "torn" and isinstance(change, _Write):
                change.tear(image, rng, powersafe)
        return image


def _fates(rng: Random, count: int) -> list[Fate]:
    """Half of the caches are emptied in order up to some point, which is then torn; the others in any order at all."""
    if count and rng.random() < 0.5:
        fates: list[Fate] = ["dropped"] * count
        arrived = rng.randrange(count)
        fates[:arrived] = ["kept"] * arrived
        fates[arrived] = "torn"
        return fates
    return rng.choices(_FATES, rng.choice(_MOODS), k=count)


class PowerLossDisk:
    """A directory whose SQLite files may lose what was not synced. What it holds at the start counts as synced.

    Open connections with `vfs=disk.vfs_name`; on this VFS they reach files of this directory only. Safe to use from
    several threads. An I/O call is a write, a truncate, a sync or a delete; `calls` counts those that were served.
    """

    def __init__(self, directory: str | os.PathLike[str], *, powersafe_overwrite: bool = False) -> None:
        self.directory = Path(directory).resolve()
        self.powersafe_overwrite = powersafe_overwrite
        self.calls = 0
        self.vfs_name = f"power-loss-{next(_serial)}"
        self._left: int | None = None
        self._lock = threading.RLock()
        # For each name, the files it stood for since the directory was last synced, oldest first.
        self._entries: dict[str, list[_Inode | None]] = {
            path.name: [_Inode(bytearray(path.read_bytes()))]
            for path in sorted(self.directory.iterdir())
            if path.is_file() and not path.name.endswith("-shm")
        }
        self._vfs = _Vfs(self)

    @property
    def is_off(self) -> bool:
        return self._left == 0

    def cut_after(self, calls: int) -> None:
        """Serve this many I/O calls from now on; any I/O after them raises PowerCut. 0 cuts the power at once."""
        with self._lock:
            self._left = calls

    def survivors(self, target: str | os.PathLike[str], rng: Random) -> None:
        """Write what a power cut at this instant may leave into `target`; every seed of `rng` is a possibility."""
        directory = Path(target)
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise ValueError(f"{directory} is not empty")
        with self._lock:
            for name, bindings in sorted(self._entries.items()):
                inode = rng.choice(bindings)
                if inode is not None:
                    (directory / name).write_bytes(inode.survivor(rng, self.powersafe_overwrite))

    def unsynced(self, name: str) -> int:
        """How many writes and truncates of this file a power cut at this instant may undo."""
        with self._lock:
            inode = self._entries.get(name, [None])[-1]
            return len(inode.pending) if inode else 0

    def close(self) -> None:
        """Take the VFS away; connections must have been closed before."""
        self._vfs.unregister()

    @contextlib.contextmanager
    def _powered(self, *, cost: int = 1) -> Iterator[None]:
        """One step that happens wholly before the power is cut, or not at all."""
        with self._lock:
            if self._left == 0:
                raise PowerCut("the power is off")
            if self._left is not None:
                self._left -= cost
            self.calls += cost
            yield

    def _opened(self, name: str) -> _Inode:
        bindings = self._entries.setdefault(name, [None])
        inode = bindings[-1]
        if inode is None:
            content = (self.directory / name).read_bytes()  # empty, unless made by other means than this VFS
            inode = _Inode(pending=[_Write(0, content)] if content else [])
            bindings.append(inode)
        return inode

    def _deleted(self, name: str) -> None:
        if self._entries.get(name, [None])[-1] is not None:
            self._entries[name].append(None)

    def _sync_directory(self) -> None:
        for bindings in self._entries.values():
            del bindings[:-1]


class _Quiet:
    """Where SQLite takes no error (closing, unlocking), a power cut is no news."""

    def excepthook(
        self, etype: type[BaseException] | None, evalue: BaseException | None, etraceback: TracebackType | None
    ) -> bool:
        if isinstance(evalue, PowerCut):
            return True
        return super().excepthook(etype, evalue, etraceback)  # type: ignore[misc,no-any-return]


class _Vfs(_Quiet, apsw.VFS):
    def __init__(self, disk: PowerLossDisk) -> None:
        self._disk = disk
        super().__init__(disk.vfs_name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        with self._disk._powered(cost=0):
            if name is None or not flags[0] & _LASTING:  # temporary: nobody looks for it after a power cut
                return apsw.VFSFile("", name, flags)
            return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        with self._disk._powered():
            super().xDelete(filename, False)
            self._disk._deleted(Path(filename).name)
            if syncdir:
                self._disk._sync_directory()


class _File(_Quiet, apsw.VFSFile):
    """Locks, shared memory and reads are those of the ordinary VFS; real syncs are spared."""

    def __init__(self, disk: PowerLossDisk, name: str | apsw.URIFilename, flags: list[int]) -> None:
        path = Path(name if isinstance(name, str) else name.filename())
        if path.parent != disk.directory:
            raise apsw.CantOpenError(f"{path} is not on the disk of {disk.directory}")
        super().__init__("", name, flags)
        self._disk = disk
        self._inode = disk._opened(path.name)
        self._must_sync_directory = bool(flags[0] & apsw.SQLITE_OPEN_CREATE and flags[0] & _JOURNALS)

    def xRead(self, amount: int, offset: int) -> bytes:
        if self._disk.is_off:
            raise PowerCut("the power is off")
        return super().xRead(amount, offset)

    def xWrite(self, data: Buffer, offset: int) -> None:
        with self._disk._powered():
            super().xWrite(data, offset)
            self._inode.pending.append(_Write(offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        with self._disk._powered():
            super().xTruncate(newsize)
            self._inode.pending.append(_Truncate(newsize))

    def xSync(self, flags: int) -> None:
        with self._disk._powered():
            self._inode.sync()
            if self._must_sync_directory:
                self._disk._sync_directory()
                self._must_sync_directory = False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE if self._disk.powersafe_overwrite else 0
