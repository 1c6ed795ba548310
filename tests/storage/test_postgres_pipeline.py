"""Statements sent to PostgreSQL together: what they are given and answer, and what becomes of them when one fails."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from shipledger.storage.postgres_connection import STATEMENTS, connect
from shipledger.storage.postgres_pipeline import Pipeline

COLUMNS: dict[str, list[Any]] = {
    "bigint": [0, -1, 2**63 - 1, -(2**63), None],
    "integer": [0, -1, 2**31 - 1, -(2**31), None],
    "boolean": [True, False, None],
    "bytea": [b"", b"\x00\xff", b"x" * 70_000, None],
    "text": ["", "ünï\n\\'\"{},NULL", "x" * 70_000, None],
}
MANY = "x" * 1_000_000


@pytest.fixture
def pipeline(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    for type_ in COLUMNS:
        monkeypatch.setitem(STATEMENTS, f"give_{type_}", f"SELECT * FROM unnest(%b::{type_}[])")
    monkeypatch.setitem(STATEMENTS, "give_rows", "SELECT * FROM unnest(%b::bigint[], %b::text[])")
    monkeypatch.setitem(STATEMENTS, "give", "SELECT %s::bigint")
    monkeypatch.setitem(STATEMENTS, "divide", "SELECT 1 / %s::bigint")
    monkeypatch.setitem(STATEMENTS, "misspell", "SELEC 1")
    with closing(connect(postgres_url, is_writer=True)) as connection:
        yield Pipeline(connection)


@pytest.mark.parametrize("type_", COLUMNS)
def test_a_column_arrives_as_it_was_sent(pipeline: Pipeline, type_: str) -> None:
    assert [value for (value,) in pipeline.send(f"give_{type_}", COLUMNS[type_])] == COLUMNS[type_]
    assert list(pipeline.send(f"give_{type_}", [])) == []


def test_rows_go_in_as_columns(pipeline: Pipeline) -> None:
    rows = [(1, "a"), (2, None), (3, "c")]
    assert list(pipeline.send("give_rows", rows)) == rows


def test_answers_are_read_in_any_order_and_more_than_once(pipeline: Pipeline) -> None:
    answers = [pipeline.send("give", number) for number in range(5)]
    assert [list(answer) for answer in reversed(answers)] == [[(number,)] for number in reversed(range(5))]
    assert list(answers[0]) == [(0,)]
    assert list(pipeline.send("give", None)) == [(None,)]


def test_much_can_be_under_way_in_both_directions(pipeline: Pipeline) -> None:
    """Neither side reads before it has written, unless it has to: more than any buffer holds."""
    answers = [pipeline.send("give_text", [MANY] * 5) for _ in range(5)]
    assert [list(answer) for answer in answers] == [[(MANY,)] * 5] * 5


def test_what_is_asked_after_an_error_is_not_run(pipeline: Pipeline) -> None:
    before, failing, after = (pipeline.send("divide", number) for number in (1, 0, 1))
    with pytest.raises(psycopg.errors.DivisionByZero):
        pipeline.settle()
    assert [answer.is_done for answer in (before, failing, after)] == [True, False, False]
    assert list(pipeline.send("divide", 1)) == [(1,)]


def test_a_statement_that_was_not_made_ready_behind_an_error_is_made_ready_again(pipeline: Pipeline) -> None:
    pipeline.send("misspell")
    pipeline.send("give", 7)
    with pytest.raises(psycopg.errors.SyntaxError):
        pipeline.settle()
    assert list(pipeline.send("give", 7)) == [(7,)]


def test_what_was_abandoned_leaves_a_connection_that_can_be_used(pipeline: Pipeline) -> None:
    pipeline.send_text(b"BEGIN")
    pipeline.send("divide", 0)
    pipeline.abandon()
    pipeline.abandon()
    pipeline.send_text(b"ROLLBACK")
    assert list(pipeline.send("give", 7)) == [(7,)]


def test_a_value_that_cannot_be_written_is_never_sent(pipeline: Pipeline) -> None:
    with pytest.raises(UnicodeEncodeError):
        pipeline.send("give_text", ["\ud800"])
    pipeline.settle()
    assert list(pipeline.send("give_text", ["a"])) == [("a",)]


def test_a_server_that_goes_away_is_noticed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STATEMENTS, "leave", "SELECT pg_terminate_backend(pg_backend_pid())")
    pipeline.send("leave")
    answer = pipeline.send("give", 7)
    with pytest.raises(psycopg.OperationalError):
        pipeline.settle()
    assert not answer.is_done
    with pytest.raises(psycopg.OperationalError):
        list(pipeline.send("give", 7))
