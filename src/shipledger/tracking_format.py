"""What a carrier's numbers look like: parts of fixed length, one after another, and perhaps a check digit.

Nothing here searches: each part of a number has its place, and is compared there, so that no number can make it slow.
"""

import math
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from shipledger.check_digit import CheckResult, CheckRule


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of number of a carrier.

    `structure` names its parts, e.g. ``1Z either:15 digits:1``: ``digits``, ``letters`` or ``either`` with how many
    (``digits:9-10`` is 9 or 10), or the texts that may stand there (``LX|RX``). The check digit stands at `check_at`
    and belongs by `rule` to what stands from `checked_from` up to it; these count as Python's indexes do.
    """

    structure: str
    rule: CheckRule | None = None
    checked_from: int = 0
    check_at: int = -1
    is_followed: bool = True
    """Whether the carrier's page takes such a number: some only stand in barcodes."""

    def check(self, text: str) -> CheckResult:
        """What the check digit of a text that has this structure says."""
        if self.rule is None:
            return CheckResult.NONE
        is_right = self.rule(text[self.checked_from : self.check_at]) == text[self.check_at]
        return CheckResult.VERIFIED if is_right else CheckResult.FAILED


_CLASSES = {
    "digits": string.digits,
    "letters": string.ascii_uppercase,
    "either": string.digits + string.ascii_uppercase,
}
"""The characters that a part may hold at each of its places. Texts are ASCII capitals and digits."""
_PART = re.compile(r"(digits|letters|either):(\d+)(?:-(\d+))?")


class Shape:
    """A structure at one of its lengths."""

    def __init__(self, parts: list[tuple[str, int]]) -> None:
        """Made of a class of characters with how many, and of texts, parted by ``|``, with their length."""
        self.length = sum(length for _, length in parts)
        self.rarity = 0.0
        """How unlikely random letters and digits are to have it: each point is ten times as unlikely."""
        first = parts[0][0]
        self.first_characters = frozenset(_CLASSES.get(first) or (text[0] for text in first.split("|")))
        self._expression = ""
        for what, length in parts:
            if what in _CLASSES:
                self._expression += f"[{_CLASSES[what]}]{{{length}}}"
                self.rarity -= length * math.log10(len(_CLASSES[what]) / 36)
            else:
                self._expression += f"(?:{what})"
                self.rarity -= math.log10(len(what.split("|"))) - length * math.log10(36)

    @cached_property
    def fits(self) -> Callable[[str], object]:
        """Says of a text of this length whether it has this shape.

        Made when a number first needs it: all of them would keep every start waiting.
        """
        return re.compile(self._expression).fullmatch


def shapes_of(structure: str) -> Iterator[Shape]:
    """A structure at each of its lengths. At most one of its parts varies in length."""
    parts = structure.split(" ")
    ranges = [_PART.fullmatch(part) for part in parts]
    spread = max(int(found[3]) - int(found[2]) if found and found[3] else 0 for found in ranges)
    for more in range(spread + 1):
        yield Shape(
            [
                (found[1], int(found[2]) + (more if found[3] else 0)) if found else (part, len(part.split("|")[0]))
                for part, found in zip(parts, ranges, strict=True)
            ]
        )
