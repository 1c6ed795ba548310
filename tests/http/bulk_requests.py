"""Bulk requests for tests: sent as lines, as an array, or piece by piece; and their answers, line by line."""

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.serving import Reply, Server

LINES = {"Content-Type": "application/x-ndjson"}
FULFILLMENTS = "/v1/fulfillments/bulk"
ORDERS = "/v1/orders/bulk"


@dataclass(frozen=True)
class BulkReply:
    """What a bulk request was answered: its items' lines, and the sum."""

    lines: list[dict[str, Any]]
    summary: dict[str, Any]

    @property
    def statuses(self) -> list[int]:
        return [line["status"] for line in self.lines]

    @property
    def bodies(self) -> list[Any]:
        return [line["body"] for line in self.lines]


def read_reply(body: bytes) -> BulkReply:
    """Lines in order of index, each once, and the sum at last, which counts them."""
    *lines, last = [json.loads(line) for line in body.splitlines()]
    assert [line["index"] for line in lines] == list(range(len(lines)))
    summary: dict[str, Any] = last["summary"]
    assert summary["items"] == len(lines) == summary["taken"] + summary["refused"]
    statuses = [str(line["status"]) for line in lines]
    assert summary["statuses"] == {status: statuses.count(status) for status in sorted(set(statuses))}
    assert summary["replayed"] == sum(line.get("replayed", False) for line in lines)
    return BulkReply(lines, summary)


def lines_of(items: Iterable[Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


def send_items(server: Server, path: str, items: Iterable[Any]) -> BulkReply:
    """As lines."""
    return send_text(server, path, lines_of(items))


def send_text(server: Server, path: str, text: str | bytes) -> BulkReply:
    reply = server.send("POST", path, text, LINES)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/x-ndjson"), reply
    return read_reply(reply.body)


@contextmanager
def upload(server: Server, path: str, length: int | None = None) -> Iterator[socket.socket]:
    """A request whose head was sent; its body is sent by the test, in chunks where it has no length."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as client:
        framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n{framing}\r\n\r\n"
        client.sendall(head.encode())
        yield client


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def read_answer(client: socket.socket) -> Reply:
    """The whole answer to a request that was sent on this socket."""
    response = http.client.HTTPResponse(client, method="POST")
    response.begin()
    return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
