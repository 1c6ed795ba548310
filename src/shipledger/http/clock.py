"""The server's clock, for what is judged by the moment of a request."""

from time import time_ns

from shipledger.timestamp import Microseconds


def now() -> Microseconds:
    """The moment that it is."""
    return time_ns() // 1_000
