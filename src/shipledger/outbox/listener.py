"""A receiver for a partner's first hour: takes messages, says whether they verify, and answers."""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shipledger.limits import BODY_BYTES_MAX
from shipledger.outbox.signature import signature_fault

SECONDS_MAX = 15


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came. `fault` is why it does not verify; `event` is its body, where that is JSON."""

    fault: str | None
    event: Any


def listener(host: str, port: int, secret: str, hear: Callable[[Heard], None]) -> ThreadingHTTPServer:
    """A server that tells what it hears. Messages that verify are answered 200, others 401. Raises OSError."""

    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS_MAX

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit() or int(length) > BODY_BYTES_MAX:
                self.send_error(413)
                return
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            fault = signature_fault(secret, headers, body, time.time())
            self.send_response(200 if fault is None else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            hear(Heard(fault, _event(body)))

        def log_message(self, *_: object) -> None:
            """What is heard is told; requests are not."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server((host, port), Handler)


def _event(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
