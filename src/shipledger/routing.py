"""Routing: which partner a line of a new order goes to, where its sender named none.

A line's own partner always wins. Then an exact sku is looked for, then the longest prefix, then the order's channel.
No rule belongs to two partners, so that nothing depends on who came first.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from shipledger.order import OrderContent
from shipledger.origin import Origin
from shipledger.refusal import Caution
from shipledger.timestamp import Microseconds

KINDS = ("skus", "sku_prefixes", "channels")
"""The kinds of rules, the strongest first."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is routed to one partner."""

    skus: tuple[str, ...] = ()
    sku_prefixes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[str, ...]:
        """The rules of one of KINDS."""
        rules: tuple[str, ...] = getattr(self, kind)
        return rules


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner with its rules, as they are stored."""

    name: str
    rules: Rules
    changed_at: Microseconds


@dataclass(frozen=True, slots=True)
class PutPartner:
    """Route to a partner what these rules name, in place of what was routed to it before."""

    origin: Origin
    name: str
    rules: Rules
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same rules of the same partner."""
        text = json.dumps(["put_partner", self.name, *(self.rules.of(kind) for kind in KINDS)], ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Routing:
    """All rules, by what they name."""

    by_kind: dict[str, dict[str, str]] = field(default_factory=dict)
    prefix_lengths: tuple[int, ...] = ()
    """Of the prefixes that there are, the longest first."""

    def partner_of(self, sku: str, channel: str | None) -> str | None:
        """Where a line goes that names no partner; None: it is the operator's own."""
        exact = self.by_kind["skus"].get(sku)
        if exact is not None:
            return exact
        prefixes = self.by_kind["sku_prefixes"]
        for length in self.prefix_lengths:
            partner = prefixes.get(sku[:length])
            if partner is not None:
                return partner
        return None if channel is None else self.by_kind["channels"].get(channel)

    def holder_of(self, kind: str, rule: str) -> str | None:
        """The partner that has a rule."""
        return self.by_kind[kind].get(rule) if self.by_kind else None


NO_ROUTING = Routing()


def routing_of(partners: Iterable[Partner]) -> Routing:
    """The rules of these partners, together."""
    partners = list(partners)
    if not any(partner.rules.of(kind) for partner in partners for kind in KINDS):
        return NO_ROUTING
    by_kind = {kind: {rule: one.name for one in partners for rule in one.rules.of(kind)} for kind in KINDS}
    lengths = {len(prefix) for prefix in by_kind["sku_prefixes"]}
    return Routing(by_kind, tuple(sorted(lengths, reverse=True)))


def routed(content: OrderContent, routing: Routing) -> OrderContent:
    """An order whose lines know where they go. Its fingerprint is taken before: rules are not what its sender said."""
    if not routing.by_kind:
        return content
    lines = tuple(
        line if line.partner is not None else replace(line, partner=routing.partner_of(line.sku, content.channel))
        for line in content.lines
    )
    return replace(content, lines=lines)
