"""Field names that are not ours but look as if they were meant: a typo must never ship a whole order."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SIMILARITY_MIN = 0.8
_SHOWN = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that an object may hold.

    `fields` are read. `answered` are names of our own answers: posted back they are ignored, never taken for a typo.
    `synonyms` are what others call a field, written as `_plain` has it.
    """

    fields: frozenset[str]
    answered: frozenset[str] = frozenset()
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def meant_by(self, name: str) -> str | None:
        """The known field that an unknown name resembles, or None."""
        if name in self.answered:
            return None
        plain = _plain(name)
        if plain in self.synonyms:
            return self.synonyms[plain]
        known = {_plain(candidate): candidate for candidate in sorted(self.fields)}
        near = difflib.get_close_matches(plain, known, n=1, cutoff=SIMILARITY_MIN)
        return known[near[0]] if near else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name[:64].lower())


def shown_name(name: str) -> str:
    """A sender's name for something, as far as it is safe to show."""
    return name if _SHOWN.fullmatch(name) else "(a name with other characters)"
