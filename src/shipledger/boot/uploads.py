"""Files that were uploaded to be imported: each in a folder of its own, which the server's processes share.

What is known of a file lies beside it. One file at a time is looked through or imported by a process: rows are read in
a thread, in whose way requests are as little as may be.
"""

import asyncio
import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shipledger.boot.fulfillment_import import FulfillmentsImported, Rehearsal, fingerprint_of, record_file
from shipledger.boot.ledgers import clock
from shipledger.boot.submitted_record import SubmittedRecord
from shipledger.http.answer import refused
from shipledger.http.upload_desk import Upload
from shipledger.importing.parcel_files import ParcelFile, open_parcel_file
from shipledger.importing.reading import Unreadable
from shipledger.importing.rejects import rejects_path
from shipledger.limits import UPLOAD_SECONDS_MAX, UPLOAD_VERDICTS_MAX, UPLOADS_AT_ONCE_MAX, UPLOADS_KEPT_MAX
from shipledger.origin import Origin
from shipledger.outcome import SubmitMany, Unavailable
from shipledger.storage.reading import LedgerReading
from shipledger.timestamp import show

log = logging.getLogger("shipledger.boot")

_STATE = "state.json"
_ID_MAX = 2**53 - 1
"""Ids are made by chance, since several processes make them, and are exact in JavaScript."""
_FAILED = "The import was broken off; confirm it again to go on: what was recorded is left alone."


@contextmanager
def folder_for_uploads() -> Iterator[Path]:
    """A folder that vanishes with the server. Where nothing can be written, there is none, and no file is taken in."""
    with ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="shipledger-uploads-")))
        except OSError as error:
            log.warning("there is no temporary directory, so that files cannot be uploaded: %s", error)
            folder = Path(os.devnull, "none")
        yield folder


class _State(msgspec.Struct):
    """What is known of a file: what is shown, how it is read, and which process imports it."""

    shown: dict[str, Any]
    name: str
    rejects: str
    maps: tuple[str, ...]
    zone: str
    process: int | None = None

    @property
    def is_running(self) -> bool:
        return bool(self.shown["status"] == "running")

    @property
    def is_at_work(self) -> bool:
        """Whether it is imported by a process that lives: what another leaves behind can be gone on with."""
        return self.is_running and self.process is not None and _lives(self.process)


class Uploads:
    """The files of one serving process, and of its siblings."""

    def __init__(self, folder: Path, reading: LedgerReading, submit_many: SubmitMany) -> None:
        """`folder` is there, empty or a sibling's too, and vanishes with the server."""
        self._folder = folder
        self._reading = reading
        self._submit_many = submit_many
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._at_work = 0
        self._imports: set[asyncio.Future[None]] = set()
        self._is_ending = False

    @contextmanager
    def taking_in(self, upload: Upload) -> Iterator["_TakenIn"]:
        """Room for a file, which is kept where it was looked through. Raises Unavailable where there is none."""
        with self._working():
            taken = _TakenIn(self, upload, self._folder / str(1 + secrets.randbelow(_ID_MAX)))
            try:
                self._forget_old(UPLOADS_KEPT_MAX - 1)
                taken.folder.mkdir(mode=0o700)
                yield taken
            except OSError as error:
                log.exception("a file cannot be written")
                raise Unavailable("there is no room for a file") from error
            finally:
                if not (taken.folder / _STATE).exists():
                    shutil.rmtree(taken.folder, ignore_errors=True)

    async def looked_through(self, taken: "_TakenIn") -> dict[str, Any]:
        """Say what would become of the rows of a file. Raises Refused (400), and Unavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._look_through, taken)

    def read(self, upload_id: int) -> dict[str, Any] | None:
        """How far an upload is, or None where it is not here."""
        state = self._load(self._folder / str(upload_id))
        if state is None:
            return None
        broken_off = {"status": "failed", "message": _FAILED} if state.is_running and not state.is_at_work else {}
        return state.shown | broken_off

    def confirm(self, upload_id: int, origin: Origin) -> dict[str, Any] | None:
        """Begin its import, unless that was begun; or None where it is not here. Raises Unavailable."""
        folder = self._folder / str(upload_id)
        state = self._load(folder)
        if state is None or state.is_at_work or state.shown["status"] == "done":
            return None if state is None else state.shown
        with self._working(is_kept=True):
            state.process = os.getpid()
            state.shown |= {"status": "running", "rows_done": 0, "message": None}
            _save(folder, state)
            begun = dict(state.shown)
        loop = asyncio.get_running_loop()
        importing = loop.run_in_executor(self._thread, self._import, folder, state, origin, loop)
        self._imports.add(importing)
        importing.add_done_callback(self._note_end)
        return begun

    def rejects(self, upload_id: int) -> Path | None:
        """Where its rejected rows lie, if there are any, or None where the upload is not here."""
        folder = self._folder / str(upload_id)
        state = self._load(folder)
        return None if state is None else folder / state.rejects

    def let_go(self) -> None:
        """Have those at work end soon."""
        self._is_ending = True

    async def stop(self) -> None:
        """To be called while commands can still be submitted; returns when nothing is at work any more."""
        self._is_ending = True
        await asyncio.gather(*self._imports, return_exceptions=True)
        self._thread.shutdown()

    def require_going_on(self) -> None:
        """Raise Unavailable where the server is about to end."""
        if self._is_ending:
            raise Unavailable("the server is shutting down")

    @contextmanager
    def _working(self, *, is_kept: bool = False) -> Iterator[None]:
        """One of few that are at work. `is_kept` where it goes on after this."""
        self.require_going_on()
        if self._at_work >= UPLOADS_AT_ONCE_MAX:
            raise Unavailable("too many files are uploaded or imported")
        self._at_work += 1
        try:
            yield
        except BaseException:
            is_kept = False
            raise
        finally:
            self._at_work -= not is_kept

    def _note_end(self, importing: "asyncio.Future[None]") -> None:
        self._imports.discard(importing)
        self._at_work -= 1

    def _look_through(self, taken: "_TakenIn") -> dict[str, Any]:
        self.require_going_on()
        upload, path = taken.upload, taken.path
        created_at = clock()
        try:
            source = open_parcel_file(path, upload.maps)
            verdicts: list[dict[str, Any]] = []

            def keep(line: int, verdict: str, reason: str | None) -> None:
                if len(verdicts) < UPLOAD_VERDICTS_MAX:
                    verdicts.append({"line": line, "verdict": verdict, "reason": reason})

            imported = record_file(
                source,
                Rehearsal(self._reading.rehearsal()),
                ZoneInfo(upload.zone),
                _Progress(self),
                rejects=rejects_path(source.file),
                verdict=keep,
            )
        except Unreadable as error:
            message = str(error).replace(str(path), upload.file).replace("--map", "map")
            raise refused(400, message, code="unreadable_file", at="body") from None
        shown = {
            "id": int(taken.folder.name),
            "file": upload.file,
            "status": "previewed",
            "created_at": show(created_at),
            "expires_at": show(created_at + UPLOAD_SECONDS_MAX * 1_000_000),
            **_read_as(source),
            "rows_done": 0,
            **_counted(imported),
            "verdicts": verdicts,
            "import_id": None,
            "message": None,
        }
        _save(taken.folder, _State(shown, path.name, rejects_path(source.file).name, upload.maps, upload.zone))
        return shown

    def _import(self, folder: Path, state: _State, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        """Record what the file holds; however that ends, it is said beside the file."""
        try:
            self.require_going_on()
            source = open_parcel_file(folder / state.name, state.maps)
            record = SubmittedRecord(self._submit_many, loop, origin)
            record.begin(state.shown["file"], fingerprint_of(source.file.path))
            state.shown["import_id"] = record.import_id
            progress = _Progress(self, folder, state)
            imported = record_file(source, record, ZoneInfo(state.zone), progress, rejects=rejects_path(source.file))
            state.shown |= {"status": "done", "rows_done": imported.rows, **_counted(imported)}
        except Unavailable:
            state.shown |= {"status": "failed", "message": _FAILED}
        except Exception:
            log.exception("the import of an uploaded file failed")
            state.shown |= {"status": "failed", "message": _FAILED}
        with suppress(OSError):  # the folder is gone with the server
            _save(folder, state)

    def _load(self, folder: Path) -> _State | None:
        """What is known of a file, unless it is too old."""
        try:
            state = msgspec.json.decode((folder / _STATE).read_bytes(), type=_State)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return state if state.is_at_work or not _is_old(folder) else None

    def _forget_old(self, kept_max: int) -> None:
        """Remove the files that are too old, and the oldest of too many. Those at work, and those that come, stay."""
        here = sorted((folder for folder in self._folder.iterdir() if folder.is_dir()), key=_age, reverse=True)
        for place, folder in enumerate(here):
            is_one_too_many = len(here) - place > kept_max
            if self._may_be_forgotten(folder, is_one_too_many=is_one_too_many):
                shutil.rmtree(folder, ignore_errors=True)

    def _may_be_forgotten(self, folder: Path, *, is_one_too_many: bool) -> bool:
        state = self._load(folder)
        if state is not None:
            return is_one_too_many and not state.is_at_work
        return (folder / _STATE).exists() or _is_old(folder)


@dataclass(frozen=True, slots=True)
class _TakenIn:
    """A file that is being uploaded."""

    uploads: Uploads
    upload: Upload
    folder: Path

    @property
    def path(self) -> Path:
        """Its name is ours: what the sender calls it never becomes a path."""
        return self.folder / f"file{self.upload.suffix}"

    async def preview(self) -> dict[str, Any]:
        """Look through what was written; nothing of it is recorded. Raises Refused (400), and Unavailable."""
        return await self.uploads.looked_through(self)


@dataclass(slots=True)
class _Progress:
    """Ends what is at work when the server does, and says beside the file how far it is."""

    uploads: Uploads
    folder: Path | None = None
    state: _State | None = None

    def read(self, _bytes_read: int, _rows: int) -> None:
        self.uploads.require_going_on()

    def recorded(self, rows: int) -> None:
        self.uploads.require_going_on()
        if self.folder is not None and self.state is not None:
            self.state.shown["rows_done"] += rows
            _save(self.folder, self.state)


def _read_as(source: ParcelFile) -> dict[str, Any]:
    layout = source.layout
    columns = {} if layout is None else {name: layout.columns[place] for name, place in layout.places.items()}
    return {
        "read_as": source.file.described,
        "columns": [{"field": name, "column": column} for name, column in columns.items()],
        "unused_columns": [] if layout is None else list(layout.unused),
    }


def _counted(imported: FulfillmentsImported) -> dict[str, Any]:
    return {
        "rows": imported.rows,
        "taken": imported.taken,
        "repeated": imported.repeated,
        "rejected": imported.rejected,
        "reasons": [{"reason": reason, "rows": rows} for reason, rows in imported.reasons.items()],
    }


def _save(folder: Path, state: _State) -> None:
    """Write it whole: others read it at any moment."""
    unfinished = folder / f"{_STATE}.{os.getpid()}"
    unfinished.write_bytes(msgspec.json.encode(state))
    unfinished.replace(folder / _STATE)


def _age(folder: Path) -> float:
    """In seconds, since something was written there."""
    try:
        return clock() / 1_000_000 - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_old(folder: Path) -> bool:
    return _age(folder) > UPLOAD_SECONDS_MAX


def _lives(process: int) -> bool:
    """Whether a process of this server is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
