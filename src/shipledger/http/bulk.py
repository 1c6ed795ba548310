"""Bulk requests: items are read, committed and answered as they come, each on a line of its own, in their order.

Three tasks hand on what they have: one reads items and hands them to the committer in groups, of which few are under
way; one writes down what became of them; one sends that as fast as the client reads it. What the client has yet to
read goes to a temporary file, so that one who sends everything first is answered all the same.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Send

from shipledger.command import AllOrNone, Command
from shipledger.http.answer import ALWAYS, Answer, Refused, encode, refusal_answer, refused, server_error
from shipledger.http.answer_spool import AnswerSpool
from shipledger.http.bulk_body import BulkBody, read_item
from shipledger.http.bulk_reading import Piece
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.parameters import is_asked_for, read_key
from shipledger.limits import ATOMIC_BYTES_MAX, ATOMIC_ITEMS_MAX
from shipledger.outcome import Done, Fault, Outcome, OutcomeUnknown, Unavailable
from shipledger.refusal import Detail, Reason, Refusal

log = logging.getLogger("shipledger.http")

GROUP_ITEMS_MAX = 32
GROUP_BYTES_MAX = 256 * 1024
"""Of the items that are handed to the committer together; a larger item goes alone."""
GROUPS_UNDER_WAY_MAX = 16
"""Two batches: the committer has one before it while another is answered."""
KEY = "idempotency_key"

ReadItem = Callable[[dict[str, Any], Findings, str | None], Command | Refusal]
"""The command that an item means, given its values and its key. The findings may hold a fault of the key already."""
ReadUsualItem = Callable[[bytes], Command | None]
"""The same, given its text, for usual items: None leaves one to the other, which finds faults."""
AnswerItems = Callable[[list[Outcome | Fault]], Awaitable[list[Answer]]]
"""The answers to outcomes, as requests of their own would get them."""


@dataclass(frozen=True, slots=True)
class Trade:
    """What is particular to the things that come in bulk."""

    read: ReadItem
    answer: AnswerItems
    read_usual: ReadUsualItem = lambda _: None


@dataclass(slots=True)
class _Group:
    """Items next to each other. `answers` holds None for each that the ledger is asked about: see `outcomes`."""

    answers: list[Answer | None] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    size: int = 0
    outcomes: Awaitable[list[Outcome | Fault]] | None = None

    @property
    def is_full(self) -> bool:
        return len(self.answers) >= GROUP_ITEMS_MAX or self.size >= GROUP_BYTES_MAX


def item_key(values: dict[str, Any], findings: Findings) -> str | None:
    """The idempotency key of an item."""
    key = values.get(KEY)
    if isinstance(key, str):
        return read_key(key, KEY, findings)
    if key is not None:
        findings.fault("not_a_text", KEY, f"{KEY} must be a string.")
    return None


async def answer_bulk(call: Call, trade: Trade, findings: Findings, *, dry_run: bool = False) -> Answer:
    """Take the items of a request. Raises Refused for what is wrong with it as a whole, and ClientDisconnect."""
    is_atomic = is_asked_for(call, "atomic", findings)
    if is_atomic and dry_run:
        findings.fault("contradicting_parameters", "query", "Ask for atomic or for dry_run, not for both.")
    if b"idempotency-key" in call.headers:
        message = f"Give each item a key of its own, in its field {KEY}; a bulk request takes no Idempotency-Key."
        findings.fault("key_of_no_item", "Idempotency-Key", message)
    refusal = findings.refusal()
    if refusal is not None:
        raise Refused(refusal_answer(refusal))
    body = BulkBody(call.headers, call.request.receive)
    await body.begin()
    bulk = _Bulk(call, trade, body)
    if is_atomic:
        await bulk.take_all_or_none()
    return BulkAnswer(200, b"", media_type=b"application/x-ndjson", bulk=bulk)


@dataclass(slots=True)
class BulkAnswer(Answer):
    """An answer that is sent as it comes to be."""

    bulk: "_Bulk | None" = None

    async def send(self, send: Send, request_id: str) -> None:
        """Raises whatever breaks off an answer that was begun: without its last line, it is not whole."""
        if self.bulk is None:
            raise RuntimeError("there is nothing to answer")
        headers = [(b"content-type", self.media_type), (b"x-request-id", request_id.encode()), *ALWAYS]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.bulk.take())
                tasks.create_task(self.bulk.write())
                async for part in self.bulk.parts():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except* ClientDisconnect:
            pass  # nobody is there to be answered
        finally:
            self.bulk.close()


class _Bulk:
    """One bulk request."""

    def __init__(self, call: Call, trade: Trade, body: BulkBody) -> None:
        self._call = call
        self._trade = trade
        self._body = body
        self._groups: asyncio.Queue[_Group | None] = asyncio.Queue(GROUPS_UNDER_WAY_MAX)
        self._is_taken = False
        self._spool = AnswerSpool()
        self._has_news = asyncio.Event()
        self._is_written = False
        self._statuses: Counter[int] = Counter()
        self._replayed = 0

    async def take(self) -> None:
        """Read the items, and hand them to the committer: few at once, and others have their turn in between."""
        if self._is_taken:
            return
        async for pieces in self._body.pieces():
            for group in self._groups_of(pieces):
                self._submit(group, group.commands)
                await self._groups.put(group)
                await asyncio.sleep(0)
        await self._groups.put(None)

    async def take_all_or_none(self) -> None:
        """Read all items, and hand them to the committer as one. Raises Refused (400, 413), and ClientDisconnect."""
        whole = _Group()
        async for pieces in self._body.pieces():
            for piece in pieces:
                self._add(whole, piece)
                if len(whole.answers) > ATOMIC_ITEMS_MAX:
                    message = f"At most {ATOMIC_ITEMS_MAX} items are taken all or none. Nothing was applied."
                    raise refused(400, message, code="too_many", at="body")
                if whole.size > ATOMIC_BYTES_MAX:
                    message = (
                        f"Items that are taken all or none may have {ATOMIC_BYTES_MAX} bytes. Nothing was applied."
                    )
                    raise refused(413, message)
                if self._body.is_given_up:
                    break
        is_spoiled = len(whole.commands) < len(whole.answers)
        self._submit(whole, AllOrNone(tuple(whole.commands), is_spoiled))
        self._groups.put_nowait(whole)
        self._groups.put_nowait(None)
        self._is_taken = True

    def _groups_of(self, pieces: list[Piece]) -> Iterator[_Group]:
        group = _Group()
        for piece in pieces:
            self._add(group, piece)
            if self._body.is_given_up:
                break
            if group.is_full:
                yield group
                group = _Group()
        if group.answers:
            yield group

    def _add(self, group: _Group, piece: Piece) -> None:
        if isinstance(piece, Refused):
            self._body.note_fault()
            group.answers.append(piece.answer)
            return
        group.size += len(piece)
        try:
            command = self._trade.read_usual(piece) or self._command(read_item(piece))
        except Refused as no:
            self._body.note_fault()
            group.answers.append(no.answer)
            return
        if isinstance(command, Refusal):
            group.answers.append(refusal_answer(command))
        else:
            group.answers.append(None)
            group.commands.append(command)

    def _command(self, values: dict[str, Any] | None) -> Command | Refusal:
        if values is None:
            return _NOT_AN_OBJECT
        findings = Findings()
        return self._trade.read(values, findings, item_key(values, findings))

    def _submit(self, group: _Group, commands: list[Command] | AllOrNone) -> None:
        if not group.commands:
            return
        with suppress(Unavailable):  # the server is leaving, which each item is told
            group.outcomes = self._call.services.submit_many(commands)

    async def write(self) -> None:
        """Write down what became of each item, and at last of all of them."""
        index = 0
        while (group := await self._groups.get()) is not None:
            lines = []
            answers = iter(await self._answers(group))
            for answer in group.answers:
                lines.append(self._line(index, *(next(answers) if answer is None else (answer, None))))
                index += 1
            self._tell(b"".join(lines))
        self._is_written = True
        self._tell(self._summary(index))

    async def _answers(self, group: _Group) -> list[tuple[Answer, Outcome | Fault]]:
        outcomes: list[Outcome | Fault] = [Unavailable() for _ in group.commands]
        try:
            if group.outcomes is not None:
                outcomes = await group.outcomes
            answers = await self._trade.answer(outcomes)
        except Exception:  # what was committed stays committed, and can be asked again
            log.exception("request %s: a group of items could not be answered", self._call.origin.request_id)
            answers = [server_error() for _ in outcomes]
        return list(zip(answers, outcomes, strict=True))

    def _line(self, index: int, answer: Answer, outcome: Outcome | Fault | None) -> bytes:
        self._statuses[answer.status] += 1
        more = b""
        if isinstance(outcome, Done) and outcome.replayed:
            self._replayed += 1
            more = b'"replayed":true,'
        elif isinstance(outcome, OutcomeUnknown):
            more = b'"code":"outcome_unknown",'
        return b'{"index":%d,"status":%d,%b"body":%b}\n' % (index, answer.status, more, answer.body)

    def _summary(self, items: int) -> bytes:
        taken = sum(count for status, count in self._statuses.items() if status in _TAKEN)
        summary: dict[str, Any] = {
            "items": items,
            "taken": taken,
            "replayed": self._replayed,
            "refused": items - taken,
            "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
            "complete": not self._body.is_given_up,
        }
        if self._body.is_given_up:
            summary["message"] = "What comes after the last item answered here could not be read, and was not applied."
        return encode({"summary": summary}) + b"\n"

    def _tell(self, data: bytes) -> None:
        self._spool.write(data)
        self._has_news.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """What is written down, as far as it is, until it is whole."""
        while True:
            self._has_news.clear()
            while data := self._spool.read():
                yield data
            if self._is_written:
                return
            await self._has_news.wait()

    def close(self) -> None:
        """Forget what was not sent."""
        self._spool.close()


_TAKEN = frozenset({200, 201})

_NOT_AN_OBJECT = Refusal(Reason.INVALID_REQUEST, (Detail("not_an_object", "item", "An item must be one JSON object."),))
