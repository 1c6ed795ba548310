"""From the JSON of `PUT /v1/partners/{name}` to a command."""

from typing import Any

from shipledger.command import Origin
from shipledger.http.fields import Fields, Findings, whole_number
from shipledger.http.lookalikes import Vocabulary
from shipledger.limits import CHANNEL_CHARS_MAX, ID_MAX, PARTNER_CHARS_MAX, ROUTING_RULES_MAX, SKU_CHARS_MAX
from shipledger.refusal import Refusal
from shipledger.routing import KINDS, PutPartner, Rules
from shipledger.text import tidy
from shipledger.validity import is_partner_name, text_fault

PARTNER = Vocabulary(
    frozenset(KINDS),
    frozenset({"name", "changed_at", "warnings"}),
    {"prefixes": "sku_prefixes", "prefix": "sku_prefixes", "skuprefix": "sku_prefixes", "items": "skus"},
)
_CHARS_MAX = {"skus": SKU_CHARS_MAX, "sku_prefixes": SKU_CHARS_MAX, "channels": CHANNEL_CHARS_MAX}


def read_put_partner(
    values: dict[str, Any], name: str, origin: Origin, findings: Findings, *, idempotency_key: str | None = None
) -> PutPartner | Refusal:
    """The command that a request means. `findings` may hold faults already, of its headers and its query."""
    fields = Fields(values, PARTNER, findings)
    if len(name) > PARTNER_CHARS_MAX or not is_partner_name(name):
        message = f"A partner is known by a short name of a-z, 0-9, - and _, at most {PARTNER_CHARS_MAX} characters."
        findings.fault("not_a_partner", "path.name", message)
    rules = Rules(*(_texts(fields, kind, findings) for kind in KINDS))
    if sum(len(rules.of(kind)) for kind in KINDS) > ROUTING_RULES_MAX:
        findings.fault("too_many", "", f"A partner may have at most {ROUTING_RULES_MAX} rules.")
    return findings.refusal() or PutPartner(origin, name, rules, idempotency_key, tuple(findings.cautions))


def _texts(fields: Fields, kind: str, findings: Findings) -> tuple[str, ...]:
    """The rules of a kind, each once. What is absent or null is none."""
    value = fields.value(kind)
    if value is None:
        return ()
    if not isinstance(value, list):
        findings.fault("not_a_list", kind, f"{kind} must be a list of strings.")
        return ()
    found = (_text(item, f"{kind}[{index}]", _CHARS_MAX[kind], findings) for index, item in enumerate(value))
    return tuple(dict.fromkeys(text for text in found if text is not None))


def _text(value: Any, at: str, chars_max: int, findings: Findings) -> str | None:
    """A rule. An integer is taken as its digits, as an order's sku is."""
    number = whole_number(value)
    if number is not None and 0 <= number <= ID_MAX:
        return str(number)
    text = tidy(value) if isinstance(value, str) else ""
    if not text:
        findings.fault("not_a_text", at, f"{at} must be a string that is not blank.")
    elif (fault := text_fault(text, chars_max)) is not None:
        findings.fault(fault[0], at, f"{at} {fault[1]}.")
    else:
        return text
    return None
