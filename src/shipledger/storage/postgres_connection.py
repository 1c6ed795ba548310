"""Connections to PostgreSQL: to whichever of the named hosts takes writes now, with bounds on every wait."""

import time
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shipledger.storage.rows import Row
from shipledger.storage.statements import load_statements

STATEMENTS = load_statements("postgres")

CONNECT_SECONDS_MAX = 2
RETRY_SECONDS = 0.1
STATEMENT_MILLISECONDS_MAX = 30_000
IDLE_MILLISECONDS_MAX = 10_000

_PLANS = ("enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "jit = off")
"""Every statement of a batch reaches few rows by an index. Plans that were prepared while tables were small, or before
they were analysed, would scan them: right after an import that costs two thirds of the speed."""

_WRITER = (
    *_PLANS,
    f"statement_timeout = {STATEMENT_MILLISECONDS_MAX}",
    # A node that froze or vanished in the middle of a batch must not keep the others waiting for its locks. (After a
    # pipeline PostgreSQL does not count idle time: there, and where a COMMIT never arrives, keepalives end it.)
    f"idle_in_transaction_session_timeout = {IDLE_MILLISECONDS_MAX}",
    "tcp_keepalives_idle = 5",
    "tcp_keepalives_interval = 1",
    "tcp_keepalives_count = 3",
    # That a commit may not have reached the standby is said in a warning.
    "client_min_messages = warning",
)

_DURABLE = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""Where a server's default would answer before a commit is on its disk."""

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
"""What a statement raises while the database is away, full, shutting down or no longer the primary, or gave us up."""

Connection = psycopg.Connection[Row]


def connect(url: str, *, is_writer: bool) -> Connection:
    """A connection that commits each statement by itself outside a transaction. Raises psycopg.OperationalError.

    A URL with several hosts leads to the one that takes writes, unless it says otherwise itself; who only reads takes
    any where there is none.
    """
    try:
        connection = _connect(url, "read-write")
    except psycopg.OperationalError:
        if is_writer:
            raise
        connection = _connect(url, "any")
    connection.prepare_threshold = 1
    with connection.pipeline():
        for setting in _WRITER if is_writer else ("jit = off",):
            connection.execute(f"SET {setting}".encode())
        if is_writer:
            connection.execute(_DURABLE)
    return connection


def _connect(url: str, target: str) -> Connection:
    given = conninfo_to_dict(url)
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS_MAX,
        "target_session_attrs": target,
        "application_name": "shipledger",
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 5_000,
    }
    wanted = make_conninfo(url, **{key: value for key, value in defaults.items() if key not in given})
    return psycopg.connect(wanted, autocommit=True)


def connect_within(url: str, seconds: float) -> Connection:
    """A writing connection, tried for until the time is over. Raises psycopg.OperationalError then."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connect(url, is_writer=True)
        except AWAY:
            if time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)


def ask(connection: Connection, name: str, *values: Any) -> Iterable[Row]:
    """The rows of a statement, read when they are looped over; a list of tuples goes in as one array a column."""
    return connection.execute(STATEMENTS[name].encode(), arrays(values))


def query(connection: Connection, name: str, *values: Any) -> list[Row]:
    """The rows of a statement, read at once."""
    return list(ask(connection, name, *values))


def arrays(values: Any) -> list[Any]:
    """Values for a statement: lists of tuples become one list a column."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            found.extend(list(column) for column in zip(*value, strict=True))
        else:
            found.append(value)
    return found
