"""Keys from the command line of the ledger's host: through the server that writes the ledger, or written by itself.

Both ways take what `/v1/keys` takes and answer what it answers.
"""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shipledger.boot.ledgers import Database, clock, held_for_writing, open_ledger, open_reading
from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.document import Document, key_document
from shipledger.http.fields import Findings
from shipledger.http.key_request import new_key, read_create_key, read_rotate_key
from shipledger.key import RevokeKey
from shipledger.origin import OPERATOR, Origin
from shipledger.outcome import Fault
from shipledger.refusal import Refusal
from shipledger.storage.ledger_lock import ServingProcess, serving_process

TIMEOUT_SECONDS = 30
_ORIGIN = Origin(OPERATOR, None, "host", None, "keys")

Send = Callable[[str, int | None, dict[str, Any]], Document]
"""Does something with keys ("create", "rotate" or "revoke"), given an id and what is asked, and returns the key."""


class KeyRefused(Exception):
    """The ledger, or its server, says no; the message says why."""


def list_keys(database: Database) -> list[Document]:
    """Every key, the newest first. Raises the driver's error where there is no ledger."""
    with closing(open_reading(database)) as reading:
        return [key_document(key) for key in reversed(reading.keys())]


@contextmanager
def key_desk(database: Database, zone: tzinfo) -> Iterator[Send]:
    """Where keys are made and ended. Raises LedgerInUse and SchemaError; what it gives raises KeyRefused and Fault."""
    server = serving_process(database) if isinstance(database, Path) else None
    if server is not None and server.url is not None:
        found = server
        yield lambda what, key_id, asked: _sent(found, what, key_id, asked)
        return
    with held_for_writing(database), closing(open_ledger(database)) as ledger:

        def carry_out(what: str, key_id: int | None, asked: dict[str, Any]) -> Document:
            command, secret = _command(what, key_id or 0, asked, zone)
            outcome = command if isinstance(command, Refusal) else commit_batch(ledger, [command], clock())[0]
            if isinstance(outcome, Fault):
                raise outcome
            if isinstance(outcome, Refusal):
                messages = [detail.message for detail in outcome.details] or [outcome.reason.sentence]
                raise KeyRefused(" ".join(messages))
            return {**outcome.body, **secret}

        yield carry_out


def _command(what: str, key_id: int, asked: dict[str, Any], zone: tzinfo) -> tuple[Command | Refusal, dict[str, str]]:
    """What is to be carried out, and the secret of the key that it makes."""
    if what == "revoke":
        return RevokeKey(_ORIGIN, key_id), {}
    text, credential = new_key()
    if what == "rotate":
        return read_rotate_key(asked, _ORIGIN, zone, Findings(), credential, key_id=key_id), {"secret": text}
    return read_create_key(asked, _ORIGIN, zone, Findings(), credential), {"secret": text}


_REQUESTS = {
    "create": ("POST", "/v1/keys"),
    "rotate": ("POST", "/v1/keys/{}/rotate"),
    "revoke": ("DELETE", "/v1/keys/{}"),
}


def _sent(server: ServingProcess, what: str, key_id: int | None, asked: dict[str, Any]) -> Document:
    method, path = _REQUESTS[what]
    parts = urlsplit(server.url or "")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.token}"}
    try:
        connection.request(method, path.format(key_id), json.dumps(asked) if method == "POST" else None, headers)
        response = connection.getresponse()
        answer: Document = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise KeyRefused(f"The server at {server.url} does not answer ({error!r}).") from error
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        messages = [detail["message"] for detail in answer.get("details", [])] or [answer["message"]]
        raise KeyRefused(" ".join(messages))
    return answer
