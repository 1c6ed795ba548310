"""A request's headers, gathered once."""

from collections.abc import Iterable, Mapping

Headers = Mapping[bytes, list[bytes]]
"""Every value of each header, in the order in which they came, by its name in lower case."""


def gather(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of a request; the server hands their names on in lower case."""
    gathered: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in gathered:
            gathered[name].append(value)
        else:
            gathered[name] = [value]
    return gathered
