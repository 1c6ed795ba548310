"""Statements that go to PostgreSQL together, each run by itself and in their order: libpq's pipeline, without cursors.

A cursor of the driver takes 35 to 60 us for a statement, this takes 5: a batch has some fifteen of them.
"""

import re
import select
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, PipelineStatus
from psycopg.pq.abc import PGconn, PGresult

from shipledger.storage.postgres_arrays import array_of
from shipledger.storage.postgres_connection import STATEMENTS, Connection
from shipledger.storage.rows import Row

_PLACE = re.compile(r"%(?:b::(\w+)\[\]|s)")
_DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Answer:
    """What a statement answers: waited for when it is looped over."""

    def __init__(self, pipeline: "Pipeline", prepared: str | None = None) -> None:
        """`prepared` is the name of a statement that is only made ready."""
        self.prepared = prepared
        self.result: PGresult | None = None
        self._pipeline = pipeline

    @property
    def is_done(self) -> bool:
        """Whether the statement is known to have been run."""
        return self.result is not None and self.result.status in _DONE

    def __iter__(self) -> Iterator[Row]:
        if self.result is None:
            self._pipeline.settle()
        return iter(self._pipeline.rows(self))


class Pipeline:
    """What a connection is asked, statement after statement; the first answer that is read waits for all of them.

    Nothing else may use the connection between `send` and `settle`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._libpq: PGconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._prepared: set[str] = set()
        self._sent: deque[Answer] = deque()

    def send(self, name: str, *values: Any) -> Answer:
        """Ask a statement by its name; a list of tuples goes in as one array a column."""
        statement = _statement(STATEMENTS[name])
        self._open()
        if name not in self._prepared:
            self._prepared.add(name)
            self._libpq.send_prepare(name.encode(), statement.sql)
            self._sent.append(Answer(self, prepared=name))
        self._libpq.send_query_prepared(
            name.encode(), statement.written(values), statement.formats, result_format=Format.BINARY
        )
        self._libpq.flush()  # the database begins while the next statement is made
        return self._expect()

    def send_text(self, sql: bytes) -> Answer:
        """Ask a statement that has no values."""
        self._open()
        self._libpq.send_query_params(sql, None)
        return self._expect()

    def _open(self) -> None:
        if self._libpq.pipeline_status == PipelineStatus.OFF:
            self._libpq.enter_pipeline_mode()

    def _expect(self) -> Answer:
        answer = Answer(self)
        self._sent.append(answer)
        return answer

    def settle(self) -> None:
        """Wait for all answers. Raises the first error: what was asked after it was not run."""
        if self._libpq.pipeline_status == PipelineStatus.OFF:
            return
        self._libpq.pipeline_sync()
        failed = None
        while self._sent:
            answer = self._sent.popleft()
            answer.result = self._next_result()
            if not answer.is_done:
                if answer.prepared is not None:
                    self._prepared.discard(answer.prepared)
                failed = failed or answer.result
            self._next_result_or_end()
        self._next_result()  # of the point up to which the pipeline is undone
        self._libpq.exit_pipeline_mode()
        if failed is not None:
            raise error_from_result(failed)

    def abandon(self) -> None:
        """Wait for all answers, whatever they are, so that the connection can be used for something else."""
        with suppress(psycopg.Error):
            self.settle()

    def _next_result(self) -> PGresult:
        result = self._next_result_or_end()
        if result is None:
            raise psycopg.OperationalError("the connection was lost")
        return result

    def _next_result_or_end(self) -> PGresult | None:
        """None where a statement has no more of them."""
        while self._libpq.is_busy():
            is_sent = self._libpq.flush() == 0
            poll = select.poll()
            poll.register(self._libpq.socket, select.POLLIN if is_sent else select.POLLIN | select.POLLOUT)
            poll.poll()
            self._libpq.consume_input()
        return self._libpq.get_result()

    def rows(self, answer: Answer) -> list[Row]:
        """The rows of an answer that has come."""
        if answer.result is None:
            return []
        self._transformer.set_pgresult(answer.result)
        return self._transformer.load_rows(0, answer.result.ntuples, tuple)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement as the wire has it: its places numbered, and how the value of each is written."""

    sql: bytes
    writers: list[Callable[[Any], bytes | None]]
    formats: list[Format]

    def written(self, values: tuple[Any, ...]) -> list[bytes | None]:
        columns: list[Any] = []
        for value in values:
            if isinstance(value, list) and value and isinstance(value[0], tuple):
                columns += zip(*value, strict=True)
            else:
                columns.append(value)
        return [write(column) for write, column in zip(self.writers, columns, strict=True)]


@cache
def _statement(sql: str) -> _Statement:
    types = [place[1] for place in _PLACE.finditer(sql)]
    numbers = iter(range(1, len(types) + 1))
    numbered = _PLACE.sub(lambda place: f"${next(numbers)}" + (f"::{place[1]}[]" if place[1] else ""), sql)
    return _Statement(
        numbered.encode(),
        [array_of(type_) if type_ else _text for type_ in types],
        [Format.BINARY if type_ else Format.TEXT for type_ in types],
    )


def _text(value: object) -> bytes | None:
    return None if value is None else str(value).encode()
