"""What a row of the route table says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shipledger.http.answer import Answer
from shipledger.http.body import json_object
from shipledger.http.call import Call
from shipledger.http.listing import ListSpec

PUBLIC = ""
"""The scope of routes that need no key."""
ANY_KEY = "any"
"""The scope of what is no route: nobody learns without a key what there is not."""
OPERATORS_ONLY = "operator"
"""The scope of routes that are the operator's alone, whatever its keys hold."""
OPERATORS_SHIPPING = f"fulfillments:write {OPERATORS_ONLY}"
"""The scope of routes that record fulfillments of anyone's lines."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one URL. `answers` are the shapes of bodies by status.

    `scope` is what a key must hold for it, several with spaces between. `aliases` are other paths of the same route.
    Every path is also known with a final slash.
    """

    method: str
    path: str
    handler: Callable[[Call], Awaitable[Answer]]
    scope: str
    summary: str
    answers: Mapping[int, Any]
    description: str = ""
    request: type[Any] | None = None
    aliases: tuple[str, ...] = ()
    list_spec: ListSpec | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters that are true or false, with what they mean."""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other parameters of the query: each one's schema, with what it means as its description."""
    is_body_optional: bool = False
    """Whether no body at all means the same as an empty object."""
    takes_key: bool = False
    """Whether it heeds Idempotency-Key."""
    read_body: Callable[[bytes], Any] = json_object
    """What its handler is given of a body that is one JSON object."""
    is_bulk: bool = False
    """Whether its body is many `request`s, which its handler reads as they come."""

    is_file: bool = False
    """Whether its body is a file, which its handler reads as it comes."""

    @property
    def takes_one_object(self) -> bool:
        """Whether the body of a request is one JSON object."""
        return self.request is not None and not self.is_bulk
