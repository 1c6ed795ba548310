"""How often a key may ask: a bucket of one second's requests, filled at the key's rate."""

import math
import time
from dataclasses import dataclass, field

from shipledger.http.answer import Header


@dataclass(slots=True)
class Bucket:
    """Holds a request for each that may still come now. `rate` is in requests a second."""

    rate: int
    _left: float = field(init=False)
    _counted_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._left = float(self.rate)

    def take(self) -> bool:
        """Take one request out; False where none is left."""
        now = time.monotonic()
        self._left = min(float(self.rate), self._left + (now - self._counted_at) * self.rate)
        self._counted_at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def headers(self) -> list[Header]:
        """What its holder should know: the limit, what is left of it, and in how many seconds all of it is back."""
        reset = math.ceil((self.rate - self._left) / self.rate)
        return [
            (b"ratelimit-limit", b"%d" % self.rate),
            (b"ratelimit-remaining", b"%d" % self._left),
            (b"ratelimit-reset", b"%d" % reset),
        ]
