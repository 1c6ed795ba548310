"""Lists: filters, pages and cursors.

A cursor says which list, which filters and whose it is, and where the page before it ended. It gives no rights: whoever
sends it sees what he may see anyway. A check sum tells a mangled one.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

import msgspec

from shipledger.http.answer import Answer, Refused, json_answer, refused
from shipledger.http.call import Call
from shipledger.http.clock import now
from shipledger.http.parameters import TRUE_OR_FALSE, require_known_parameters
from shipledger.limits import ID_MAX, PAGE_DEFAULT, PAGE_MAX, SKU_CHARS_MAX
from shipledger.partner_view import Partner
from shipledger.storage.port import Page, Position, Range
from shipledger.text import has_hidden_characters, tidy
from shipledger.timestamp import MICROSECONDS_A_SECOND, parse

_CHECK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Filter:
    """One way to narrow a list: the field of the storage's filter that it sets, and how its text is read.

    `read` takes the text and the zone that bare dates are read in, and raises ValueError with what is wrong.
    """

    field: str
    read: Callable[[str, tzinfo], Any]
    description: str
    schema: Mapping[str, Any]


class FilterFault(ValueError):
    """What a filter was given cannot be; the message says what it must be."""

    def __init__(self, name: str, predicate: str) -> None:
        """`name` is the filter's."""
        super().__init__(f"{name} {predicate}")
        self.name = name


@dataclass(frozen=True, slots=True)
class ListSpec:
    """A list: its name (the key of its rows), its filters by parameter, and the class that storage takes.

    `position_length` is how many numbers tell where one of its pages ended.
    """

    name: str
    filters: Mapping[str, Filter]
    wanted: Callable[..., Any]
    position_length: int = 1

    @property
    def parameters(self) -> frozenset[str]:
        """The query parameters that the list knows."""
        return frozenset(self.filters) | {"limit", "cursor"}


async def answer_list(call: Call, spec: ListSpec, read: Callable[[Any, Position | None, int, Partner], Page]) -> Answer:
    """A page of the list that the query asks for."""
    require_known_parameters(call, spec.parameters)
    query = dict(call.request.query_params)
    limit = _limit(query.pop("limit", None))
    after: Position | None = None
    cursor = query.pop("cursor", None)
    if cursor is not None:
        kept, after = _read_cursor(cursor, spec, call.origin.account)
        if query and query != kept:
            raise _bad_cursor("belongs to a list with other filters")
        query = kept
    page = await call.read(read, wanted_by(call, spec, query), after, limit, call.origin.partner)
    return _answer_page(call, spec, query, limit, page)


def _answer_page(call: Call, spec: ListSpec, query: dict[str, str], limit: int, page: Page) -> Answer:
    if page.next is None:
        return json_answer({spec.name: page.documents, "next_cursor": None})
    cursor = _write_cursor(spec, call.origin.account, query, page.next)
    next_page = f"{call.request.url.path}?{urlencode({'limit': limit, 'cursor': cursor})}"
    link = (b"link", f'<{next_page}>; rel="next"'.encode())
    return json_answer({spec.name: page.documents, "next_cursor": cursor}, headers=[link])


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_DEFAULT
    if text.isascii() and text.isdigit() and len(text) <= len(str(PAGE_MAX)) and 1 <= int(text) <= PAGE_MAX:
        return int(text)
    raise refused(400, f"limit must be from 1 to {PAGE_MAX}.", code="limit_invalid", at="query.limit")


def wanted_by(call: Call, spec: ListSpec, query: Mapping[str, str]) -> Any:
    """The storage's filter that a query means. Raises Refused (400)."""
    try:
        return wanted_of(spec, query, call.services.zone)
    except FilterFault as fault:
        raise refused(400, f"{fault}.", code="filter_invalid", at=f"query.{fault.name}") from None


def wanted_of(spec: ListSpec, query: Mapping[str, str], zone: tzinfo) -> Any:
    """The storage's filter. A parameter that ends in _min or _max sets one side of a range. Raises FilterFault."""
    wanted: dict[str, Any] = {}
    ranges: dict[str, dict[str, Any]] = {}
    for name, text in query.items():
        known = spec.filters[name]
        try:
            value = known.read(text, zone)
        except ValueError as error:
            raise FilterFault(name, str(error)) from None
        if name.endswith(("_min", "_max")):
            ranges.setdefault(known.field, {})["first" if name.endswith("_min") else "last"] = value
        else:
            wanted[known.field] = value
    return spec.wanted(**wanted, **{field: Range(**sides) for field, sides in ranges.items()})


def _write_cursor(spec: ListSpec, account: str, query: Mapping[str, str], after: Position) -> str:
    content = msgspec.json.encode([spec.name, account, dict(query), list(after)])
    return base64.urlsafe_b64encode(_check(content) + content).rstrip(b"=").decode()


def _read_cursor(cursor: str, spec: ListSpec, account: str) -> tuple[dict[str, str], Position]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, content = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if not hmac.compare_digest(check, _check(content)):
            raise _bad_cursor("was altered")
        name, owner, query, after = msgspec.json.decode(content, type=tuple[str, str, dict[str, str], list[int]])
    except (binascii.Error, ValueError):
        raise _bad_cursor("was altered") from None
    if (name, owner) != (spec.name, account):
        raise _bad_cursor("belongs to another list")
    # The check sum is no secret, so that anyone can make a cursor that never was one of ours.
    is_place = len(after) == spec.position_length and all(abs(number) <= ID_MAX for number in after)
    if not is_place or not query.keys() <= spec.filters.keys():
        raise _bad_cursor("was altered")
    return query, tuple(after)


def _check(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECK_BYTES, person=b"shipledger").digest()


def _bad_cursor(why: str) -> Refused:
    message = f"This cursor {why}; take next_cursor of the page before, or begin again without one."
    return refused(400, message, code="cursor_invalid", at="query.cursor")


def text_filter(field: str, description: str, chars_max: int = SKU_CHARS_MAX) -> Filter:
    """A filter for one text, compared whole."""

    def read(text: str, _: tzinfo) -> str:
        text = tidy(text)
        if not 1 <= len(text) <= chars_max or has_hidden_characters(text):
            raise ValueError(f"must be 1 to {chars_max} visible characters")
        return text

    return Filter(field, read, description, {"type": "string", "minLength": 1, "maxLength": chars_max})


def choice_filter(field: str, description: str, choices: type[Any]) -> Filter:
    """A filter for one of a few words."""
    words = [str(choice) for choice in choices]

    def read(text: str, _: tzinfo) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return Filter(field, read, description, {"type": "string", "enum": words})


def true_or_false_filter(field: str, description: str) -> Filter:
    """A filter for what is so, or is not."""

    def read(text: str, _: tzinfo) -> bool:
        if text not in TRUE_OR_FALSE:
            raise ValueError("must be true or false")
        return TRUE_OR_FALSE[text]

    return Filter(field, read, description, {"type": "boolean"})


def id_filter(field: str, description: str) -> Filter:
    """A filter for one id."""

    def read(text: str, _: tzinfo) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(ID_MAX)) and int(text) <= ID_MAX):
            raise ValueError("must be an integer id")
        return int(text)

    return Filter(field, read, description, {"type": "integer", "minimum": 0, "maximum": ID_MAX})


def late_filter() -> Filter:
    """A filter for what is late at the moment of the request."""

    def read(text: str, _: tzinfo) -> int:
        if text != "true":
            raise ValueError("must be true; without it, orders are listed whether late or not")
        return now()

    description = "true: orders of which something remains after ship_by (deliver_by where there is no ship_by)."
    return Filter("late_at", read, description, {"type": "string", "enum": ["true"]})


def range_filters(field: str, what: str) -> dict[str, Filter]:
    """The two filters of a range of moments, ``<field>_min`` and ``<field>_max``, both included."""
    schema = {"type": "string"}

    def first(text: str, zone: tzinfo) -> int:
        return parse(text, zone, start_of_day=True)

    def last(text: str, zone: tzinfo) -> int:
        moment = parse(text, zone)
        # Moments are shown in seconds, so that one without a fraction means all of its second.
        return moment if moment % MICROSECONDS_A_SECOND else moment + MICROSECONDS_A_SECOND - 1

    return {
        f"{field}_min": Filter(field, first, f"{what} at or after this moment (a bare date: its start).", schema),
        f"{field}_max": Filter(field, last, f"{what} at or before this moment (a bare date: its end).", schema),
    }
