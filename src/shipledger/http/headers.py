"""A request's headers, gathered once."""

from collections.abc import Mapping
from typing import Any

Headers = Mapping[bytes, list[bytes]]
"""Every value of each header, in the order in which they came, by its name in lower case."""


def gather(scope: Mapping[str, Any]) -> Headers:
    """The headers of a request; the server hands their names on in lower case."""
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if name in headers:
            headers[name].append(value)
        else:
            headers[name] = [value]
    return headers
