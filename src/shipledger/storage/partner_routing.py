"""Partners with their rules, as rows. They change seldom and are needed by every batch that brings orders."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from shipledger.routing import Partner, Routing, Rules, routing_of

PartnerRow = tuple[str, str, int]
"""A partner's name, its rules as JSON, and when they were changed: the columns of `load_partners`."""

_read_rules = msgspec.json.Decoder(Rules).decode
_write_rules = msgspec.json.Encoder().encode


def partner_row(partner: Partner) -> PartnerRow:
    """The row of `put_partner`."""
    return partner.name, _write_rules(partner.rules).decode(), partner.changed_at


def partner_from_row(row: PartnerRow) -> Partner:
    """A partner from the columns of `load_partners`."""
    name, rules, changed_at = row
    return Partner(name, _read_rules(rules), changed_at)


def partners_from_rows(rows: Iterable[PartnerRow]) -> tuple[dict[str, Partner], Routing]:
    """Partners by name, and their rules together."""
    partners, routing = _partners(tuple(rows))
    return dict(partners), routing


@lru_cache(maxsize=1)
def _partners(rows: tuple[PartnerRow, ...]) -> tuple[dict[str, Partner], Routing]:
    """Read once for as long as the rows stay as they are: batch after batch brings the same."""
    partners = {row[0]: partner_from_row(row) for row in rows}
    return partners, routing_of(partners.values())
