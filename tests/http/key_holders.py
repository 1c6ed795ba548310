"""Whoever holds a key, for tests over HTTP: a server that was closed, and keys of every kind."""

from dataclasses import dataclass
from typing import Any

from tests.serving import Reply, Server


@dataclass(frozen=True)
class Holder:
    """Sends requests with a key."""

    server: Server
    key: str
    id: int

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def get(self, path: str) -> Reply:
        return self.server.send("GET", path, headers=self.headers)

    def post(self, path: str, value: Any, **headers: str) -> Reply:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.server.post(path, value, {**self.headers, **named})

    def delete(self, path: str) -> Reply:
        return self.server.send("DELETE", path, headers=self.headers)

    def make(self, name: str, role: str = "operator", **asked: Any) -> "Holder":
        """A new key, made with this one."""
        reply = self.post("/v1/keys", {"name": name, "role": role, **asked})
        assert reply.status == 201, reply
        return Holder(self.server, reply.json()["secret"], reply.json()["id"])

    def partner(self, partner: str, **asked: Any) -> "Holder":
        """A new key of a partner."""
        return self.make(f"of {partner}", "partner", partner=partner, **asked)


def close_server(server: Server) -> Holder:
    """Make the first key of an open server, an operator's with every scope."""
    reply = server.post("/v1/keys", {"name": "operator", "role": "operator"})
    assert reply.status == 201, reply
    return Holder(server, reply.json()["secret"], reply.json()["id"])


UNKNOWN = f"sl_{'0' * 11}_{'0' * 43}"
