"""The values of an order's line, by the same rules as those of `POST /v1/orders`. Raises Rejected."""

import re
from functools import lru_cache
from typing import Any

from shipledger.importing.reading import NOTHING, Rejected
from shipledger.limits import ID_MAX, PARTNER_CHARS_MAX, QUANTITY_MAX, SKU_CHARS_MAX, TITLE_CHARS_MAX
from shipledger.text import tidy
from shipledger.validity import is_partner_name, text_fault

NO_SKU = "no sku"
NOT_A_QUANTITY = "the quantity is not a whole number"
TOO_LITTLE = "the quantity is below 1"
TOO_MUCH = f"the quantity is above {QUANTITY_MAX}"

_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,30}(\.0{1,30})?", re.ASCII)


@lru_cache(maxsize=65_536)
def sku_from_text(text: str) -> str:
    """A sku; an empty one is no sku."""
    sku = tidy(text)
    if sku in {"", NOTHING}:
        raise Rejected(NO_SKU)
    fault = text_fault(sku, SKU_CHARS_MAX)
    if fault is not None:
        raise Rejected(f"the sku {fault[1]}")
    return sku


def quantity_from_text(text: str) -> int:
    """A quantity as spreadsheets write it: 6, or 6.0."""
    text = text.strip()
    if not _WHOLE_NUMBER.fullmatch(text):
        raise Rejected(NOT_A_QUANTITY)
    return _in_range(int(text.partition(".")[0]))


@lru_cache(maxsize=65_536)
def title_from_text(text: str) -> str | None:
    """A title, or none."""
    title = tidy(text)
    if title in {"", NOTHING}:
        return None
    fault = text_fault(title, TITLE_CHARS_MAX, prose=True)
    if fault is not None:
        raise Rejected(f"the title {fault[1]}")
    return title


@lru_cache(maxsize=1_024)
def partner_from_text(text: str) -> str | None:
    """A partner's short name, or none."""
    partner = tidy(text)
    if partner in {"", NOTHING}:
        return None
    if len(partner) > PARTNER_CHARS_MAX or not is_partner_name(partner):
        raise Rejected("the partner is not a short name of a-z, 0-9, - and _")
    return partner


Line = tuple[str, int, str | None, str | None, int]
"""Sku, quantity, title and partner of a line, and how much of it was cancelled where it comes from."""


def exported_line(item: Any) -> Line:
    """A line of an order that an export of ours tells of."""
    sku, quantity, title, partner, _ = line_from_json(item)
    return sku, quantity, title, partner, cancelled_of(item.get("cancelled"), quantity)


def cancelled_of(value: Any, quantity: int) -> int:
    """How much of a line was cancelled: at most all of it."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= quantity:
        raise Rejected("the cancelled quantity is not a whole number, of at most what was ordered")
    return value


def line_from_json(item: Any) -> Line:
    """A line of an order in JSON: its numbers are numbers."""
    if not isinstance(item, dict):
        raise Rejected("the line is not an object with sku and quantity")
    sku, quantity = item.get("sku"), item.get("quantity")
    if isinstance(sku, int) and not isinstance(sku, bool):
        if not 0 <= sku <= ID_MAX:
            raise Rejected("the sku is not a text")
        sku = str(sku)
    title, partner = (_text_or_none(item.get(name), name) for name in ("title", "partner"))
    return (
        sku_from_text(_text_or_none(sku, "sku") or ""),
        _quantity_from_json(quantity),
        title_from_text(title or ""),
        partner_from_text(partner or ""),
        0,
    )


def _quantity_from_json(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Rejected(NOT_A_QUANTITY)
    return _in_range(value)


def _in_range(number: int) -> int:
    if number < 1:
        raise Rejected(TOO_LITTLE)
    if number > QUANTITY_MAX:
        raise Rejected(TOO_MUCH)
    return number


def _text_or_none(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Rejected(f"the {name} is not a text")
    return value
