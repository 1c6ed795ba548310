"""Reads a JSON object field by field. Faults are collected, not raised: a sender learns of all of them at once."""

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shipledger.http.lookalikes import Vocabulary, shown_name
from shipledger.limits import ID_MAX, QUANTITY_MAX, SKU_CHARS_MAX
from shipledger.refusal import Caution, Detail, Reason, Refusal
from shipledger.text import tidy
from shipledger.timestamp import Microseconds, parse
from shipledger.validity import text_fault


@dataclass(slots=True)
class Findings:
    """What was found wrong with a request, in the order in which it was read, and what its sender should know."""

    faults: list[Detail] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)
    _outside_lines: bool = False

    def fault(self, code: str, at: str, message: str, *, in_lines: bool = False) -> None:
        """Note a fault. `in_lines` marks those that the published page calls an invalid sku or quantity."""
        self.faults.append(Detail(code, at, message))
        self._outside_lines = self._outside_lines or not in_lines

    def refusal(self) -> Refusal | None:
        """The refusal that the faults amount to, or None where there are none."""
        if not self.faults:
            return None
        reason = Reason.INVALID_REQUEST if self._outside_lines else Reason.INVALID_LINES
        return Refusal(reason, tuple(self.faults))


class Fields:
    """The fields of one JSON object at one place of a request (``""`` is its top)."""

    def __init__(self, values: dict[str, Any], vocabulary: Vocabulary, findings: Findings, place: str = "") -> None:
        """Unknown fields are looked at at once: one that resembles a known one is a fault, any other a warning."""
        self._values = values
        self._findings = findings
        self._place = place
        if not values.keys() <= vocabulary.fields:
            self._judge_unknown(vocabulary)

    def _judge_unknown(self, vocabulary: Vocabulary) -> None:
        for name in self._values:
            if name in vocabulary.fields:
                continue
            at, meant = self.at(shown_name(name)), vocabulary.meant_by(name)
            if meant is not None:
                self._findings.fault("unknown_field", at, f"This field is not known; {meant} is. Nothing was applied.")
            else:
                self._findings.cautions.append(Caution("unknown_field", at, "This field is not known and was ignored."))

    def at(self, name: str) -> str:
        """Where a field of this object is in the request."""
        return f"{self._place}.{name}" if self._place else name

    def value(self, name: str) -> Any:
        """A field as it was sent; None where it is absent or null."""
        return self._values.get(name)

    def is_given(self, name: str) -> bool:
        """Whether a field was sent, be it null: a change clears what is null, and leaves what is absent."""
        return name in self._values

    def text(self, name: str, chars_max: int, *, required: bool = False, prose: bool = False) -> str | None:
        """A text, trimmed and composed. Blank is as good as absent. Prose may hold joiners, but no controls."""
        value = self._values.get(name)
        if isinstance(value, str):
            value = tidy(value)
        if value is None or value == "":
            if required:
                self._fault("required", name, "is required")
            return None
        if not isinstance(value, str):
            self._fault("not_a_text", name, "must be a string")
        elif (fault := text_fault(value, chars_max, prose=prose)) is not None:
            self._fault(fault[0], name, fault[1])
        else:
            return value
        return None

    def web_address(self, name: str, chars_max: int) -> str | None:
        """An http or https URL."""
        text = self.text(name, chars_max)
        if text is None or is_web_address(text):
            return text
        self._fault("not_a_web_address", name, "must be an http or https URL")
        return None

    def moment(self, name: str, zone: tzinfo, *, start_of_day: bool = False) -> Microseconds | None:
        """An RFC 3339 moment, or a bare date, which means the end of that day (its start, if asked)."""
        text = self.text(name, chars_max=64)
        if text is None:
            return None
        try:
            return parse(text, zone, start_of_day=start_of_day)
        except ValueError as error:
            self._fault("not_a_moment", name, str(error))
            return None

    def json_object(self, name: str, bytes_max: int) -> dict[str, Any] | None:
        """A JSON object, kept as it is."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._fault("not_an_object", name, "must be a JSON object")
            return None
        encoded = msgspec.json.encode(value)
        if len(encoded) > bytes_max:
            self._fault("too_large", name, f"must be at most {bytes_max} bytes of JSON")
        elif b"\\u0000" in encoded:
            self._fault("hidden_characters", name, "must not hold the character U+0000")
        else:
            return value
        return None

    def id(self, name: str) -> int | None:
        """The id of something new: a positive integer."""
        value = whole_number(self._values.get(name))
        if value is None:
            if self._values.get(name) is not None:
                self._fault("not_an_id", name, "must be an integer")
            return None
        if not 0 < value <= ID_MAX:
            self._fault("not_an_id", name, f"must be from 1 to {ID_MAX}")
            return None
        return value

    def sku(self) -> str | None:
        """The sku of a line: a string, or an integer, which is taken as its digits."""
        value = self._values.get("sku")
        if isinstance(value, (int, float)):
            number = whole_number(value)
            if number is None or not 0 <= number <= ID_MAX:
                self._line_fault("sku_invalid", "sku", f"must be a string, or an integer from 0 to {ID_MAX}")
                return None
            return str(number)
        text = tidy(value) if isinstance(value, str) else None
        if not text:
            code, message = ("sku_required", "is required") if value is None else ("sku_invalid", "must be a string")
            self._line_fault(code, "sku", message)
        elif (fault := text_fault(text, SKU_CHARS_MAX)) is not None:
            self._line_fault("sku_invalid", "sku", fault[1])
        else:
            return text
        return None

    def quantity(self) -> int | None:
        """The quantity of a line: an integer of at least 1."""
        value = self._values.get("quantity")
        number = whole_number(value)
        if number is not None and 1 <= number <= QUANTITY_MAX:
            return number
        code = "quantity_required" if value is None else "quantity_invalid"
        self._line_fault(code, "quantity", f"must be an integer from 1 to {QUANTITY_MAX}")
        return None

    def _fault(self, code: str, name: str, predicate: str) -> None:
        self._findings.fault(code, self.at(name), f"{self.at(name)} {predicate}.")

    def _line_fault(self, code: str, name: str, predicate: str) -> None:
        self._findings.fault(code, self.at(name), f"{self.at(name)} {predicate}.", in_lines=True)


def whole_number(value: Any) -> int | None:
    """An integer as JSON Schema has it: 1.0 is one; true, "1" and 1.5 are not."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https URL."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(c.isspace() for c in text)
    except ValueError:
        return False
