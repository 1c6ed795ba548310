"""The quick way to read a parcel against the whole one: what it reads, that reads alike; and usual ones go its way.

Each body is read as that of a request of its own and as an item of a bulk request.
"""

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import ANY

import pytest

from shipledger.bench.load import fulfillment_requests
from shipledger.http import plain_parcel as quick
from shipledger.http.answer import Refused
from shipledger.http.body import json_object
from shipledger.http.bulk import item_key
from shipledger.http.bulk_body import read_item
from shipledger.http.fields import Findings
from shipledger.http.fulfillment_request import ENVELOPE, ITEM, RequestedParcel, read_parcel
from shipledger.http.plain_parcel import plain_item, plain_parcel
from shipledger.limits import LINES_MAX, QUANTITY_MAX
from shipledger.refusal import Refusal

BODIES = 20_000
SHARE_MIN = 0.05

TEXTS = [
    "",
    " ",
    " MUG ",
    "a:b",
    ":",
    "1",
    "\t",
    "é",
    "e\u0301",
    "x" * 255,
    "x" * 256,
    "\x7f",
    "\u200b",
    "\u2028",
    "😀",
]
TEXTS += ["https://a.example/:1", "http:", "https://[", "ftp://a.example", "https://a.example/ b", "https://a.exämple"]
STRINGS = [json.dumps(text, ensure_ascii=is_ascii) for text in TEXTS for is_ascii in (True, False)]
STRINGS += [r'"\u0041"', r'"\u003a"', r'"https\u003a//a.example"', r'"\""', r'"\\"', r'"\ud800"', r'"\u0000"', '"\t"']
NUMBERS = ["0", "-1", "-0", "1.0", "1e0", "1E3", "1.5", "1e400", "0.0", "01", "+1", "1.", "1_0", "NaN", "-Infinity"]
NUMBERS += [str(n) for n in (10**9, 10**9 + 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 10**399, 10**401)]
NUMBERS += ["9007199254740993.0", "9223372036854775807.0", "1000000000.0", "1000000001e0", "1e18", "1e19"]
OTHERS = ["true", "false", "null", "[]", "{}", "[1]", '[""]', "[null]", '{"sku":"MUG"}', "", "'MUG'", '"MUG', "[" * 70]
ANYTHING = STRINGS + NUMBERS + OTHERS

SKUS = ['"MUG"', '"CUP"', '"CUP "', '"1Z0000010300000007"', '"é"', '"a:b"']
IDS = ["1", "450789469", '"#1001"', '"450789469"']
QUANTITIES = ["1", "1", "2", "1000000000"]
KEYS = ['"1"', '"k-1:a"', '" k 1 "']
ADDRESSES = ['"https://a.example/1?b=:"', '"https://a.example"', '"http://a.example:80/"']
OTHER_NAMES = [ENVELOPE, "id", "qty", "note", "", "order_ids", "Order_id", "a:b", r"order\u005fid", r"sk\u0075", "past"]
NAMES = ["order_id", "line_items", "tracking_number", "tracking_url", "carrier", "sku", "quantity", "idempotency_key"]
NAMES += OTHER_NAMES

Make = Callable[[], str]


class Writer:
    """Writes bodies: mostly as they should be, and at each place now and then as they should not."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def body(self) -> bytes:
        is_enveloped = self._dice.random() < 0.1
        text = self._object(self._enveloped() if is_enveloped else self._group() | self._tracking() | self._key())
        if self._is_odd():
            text = self._dice.choice(["\ufeff", "x", " ", "{}"]) + text + self._dice.choice(["\0", "x", " ", "{}"])
        return text.encode("utf-8", "surrogatepass")

    def _is_odd(self) -> bool:
        return self._dice.random() < 0.03

    def _one_of(self, usual: list[str]) -> Make:
        return lambda: self._dice.choice(ANYTHING if self._is_odd() else usual)

    def _group(self) -> dict[str, Make]:
        return {"order_id": self._one_of(IDS)} | self._some({"line_items": self._lines})

    def _tracking(self) -> dict[str, Make]:
        more = {"tracking_url": self._one_of(ADDRESSES), "carrier": self._one_of(SKUS)}
        return {"tracking_number": self._one_of(SKUS)} | self._some(more)

    def _key(self) -> dict[str, Make]:
        return self._some({"idempotency_key": self._one_of(KEYS)})

    def _some(self, fields: dict[str, Make]) -> dict[str, Make]:
        return {name: make for name, make in fields.items() if self._dice.random() < 0.5}

    def _enveloped(self) -> dict[str, Make]:
        return {ENVELOPE: lambda: self._list(lambda: self._object(self._group())), **self._tracking()}

    def _lines(self) -> str:
        return self._list(lambda: self._object({"sku": self._one_of(SKUS), "quantity": self._one_of(QUANTITIES)}))

    def _list(self, item: Make) -> str:
        items = [self._one_of([item()])() for _ in range(self._dice.randint(0, 3))]
        return f"[{','.join(items)}{',' if self._is_odd() else ''}]"

    def _object(self, fields: dict[str, Make]) -> str:
        names = list(fields)
        self._dice.shuffle(names)
        if self._is_odd():
            names.insert(self._dice.randrange(len(names) + 1), self._dice.choice(NAMES))  # twice, or not known here
        if self._is_odd():
            names.pop()
        space = self._dice.choice(["\n\t", "\u00a0", ":", "\v"]) if self._is_odd() else self._dice.choice(["", " "])
        pairs = [f'"{name}"{space}:{space}{fields.get(name, self._one_of(ANYTHING))()}' for name in names]
        return "{" + ",".join(pairs) + (self._dice.choice([",", ",,"]) if self._is_odd() else "") + "}"


def read(body: bytes) -> tuple[RequestedParcel | Refusal | None, Findings]:
    """What the whole way makes of a body: no parcel where it is no JSON object."""
    findings = Findings()
    try:
        values: dict[str, Any] = json_object(body)
    except Refused:
        return None, findings
    return read_parcel(values, findings), findings


def read_as_item(text: bytes) -> tuple[tuple[RequestedParcel | Refusal, str | None] | None, Findings]:
    """The same for an item of a bulk request, with its key."""
    findings = Findings()
    try:
        values = read_item(text)
    except Refused:
        return None, findings
    if values is None:
        return None, findings
    key = item_key(values, findings)
    return (read_parcel(values, findings, ITEM), key), findings


def is_alike(body: bytes) -> bool:
    """Whether the quick way does not know a body, or reads it as the whole one does, which says nothing more of it."""
    parcel, item = plain_parcel(body), plain_item(body)
    return (parcel is None or read(body) == (parcel, Findings())) and (
        item is None or read_as_item(body) == (item, Findings())
    )


def bodies() -> Iterator[bytes]:
    writer = Writer(1)
    return (writer.body() for _ in range(BODIES))


def test_both_ways_read_alike() -> None:
    assert [body for body in bodies() if not is_alike(body)] == []


def test_all_kinds_of_bodies_are_among_them() -> None:
    seen = Counter(type(read(body)[0]).__name__ for body in bodies())
    seen["read quickly"] = sum(plain_parcel(body) is not None for body in bodies())
    seen["with a key read quickly"] = sum((plain_item(body) or (None, None))[1] is not None for body in bodies())
    kinds = ("RequestedParcel", "Refusal", "NoneType", "read quickly", "with a key read quickly")
    assert all(seen[kind] > BODIES * SHARE_MIN for kind in kinds), seen


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_colons", lambda _: ANY),
        ("_text", lambda text, _: text),
        ("_text", lambda text, _: text.strip()),
        ("is_web_address", lambda _: True),
        ("QUANTITY_MAX", 2 * QUANTITY_MAX),
        ("ID_MAX", 2**64),
        ("tidy", str.strip),
        ("read_key", lambda text, *_: text),
        ("read_key", lambda text, *_: text.strip()),
    ],
)
def test_a_rule_that_is_missing_is_noticed(monkeypatch: pytest.MonkeyPatch, name: str, broken: Any) -> None:
    monkeypatch.setattr(quick, name, broken)
    assert not all(map(is_alike, bodies()))


@pytest.mark.parametrize("lines", [1, 2, LINES_MAX, LINES_MAX + 1])
def test_both_ways_count_lines_alike(lines: int) -> None:
    items = [{"sku": f"SKU-{index}", "quantity": 1} for index in range(lines)]
    body = json.dumps({"order_id": 1, "tracking_number": "1Z", "line_items": items}).encode()
    assert is_alike(body)
    assert (plain_parcel(body) is None) is (lines > LINES_MAX)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"carrier": "UPS", "tracking_url": "https://a.example/?number=1&at=12:00"},
        {
            "line_items": [
                {"sku": "MUG", "quantity": 1},
                {"sku": "MUG ", "quantity": 2},
                {"sku": "Tasse è", "quantity": 9},
            ]
        },
    ],
)
def test_usual_parcels_are_read_quickly(more: dict[str, Any]) -> None:
    for order in (1, "#1001"):
        body = json.dumps(
            {"order_id": order, "tracking_number": "1Z0000010300000007", **more}, ensure_ascii=False
        ).encode()
        assert plain_parcel(body) == read(body)[0]
        assert plain_item(body) == (plain_parcel(body), None)


@pytest.mark.parametrize("key", ["k-1", "order:1:parcel:2", " k 1 "])
def test_usual_items_are_read_quickly(key: str) -> None:
    body = json.dumps({"order_id": 1, "tracking_number": "1Z0000010300000007", "idempotency_key": key}).encode()
    parcel, read_key = plain_item(body) or (None, None)
    assert parcel is not None
    assert read_key == key.strip()
    assert plain_parcel(body) is None, "a request of its own has its key in a header"


def test_the_load_is_read_quickly() -> None:
    for request in itertools.islice(fulfillment_requests(10, 1, "key"), 100):
        assert plain_parcel(request.partition(b"\r\n\r\n")[2]) is not None
