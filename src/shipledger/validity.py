"""What an order's texts and quantities must be, wherever they come from: a request, or a file."""

import re
from collections.abc import Iterable

from shipledger.fulfillment import summed
from shipledger.limits import QUANTITY_MAX
from shipledger.order import OrderedLine
from shipledger.text import has_control_characters, has_hidden_characters

_PARTNER = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)


def text_fault(text: str, chars_max: int, *, prose: bool = False) -> tuple[str, str] | None:
    """What is wrong with a tidied text, as a code and the end of a sentence. Prose may hold joiners, no controls."""
    if len(text) > chars_max:
        return "too_long", f"must have at most {chars_max} characters"
    if has_control_characters(text) if prose else has_hidden_characters(text):
        return "hidden_characters", "must not hold control, zero-width or direction characters"
    return None


def is_partner_name(text: str) -> bool:
    """Whether a text is a partner's short name, e.g. acme-east."""
    return _PARTNER.fullmatch(text) is not None


def has_too_much_of_a_sku(lines: Iterable[OrderedLine]) -> bool:
    """Whether the quantities of one sku add up to more than a ledger counts."""
    return any(total > QUANTITY_MAX for total in summed((line.sku, line.quantity) for line in lines).values())
