"""From the JSON of `/v1/webhooks` to commands."""

import difflib
from typing import Any

from shipledger.event import EventType
from shipledger.http.call import Call
from shipledger.http.fields import Fields, Findings
from shipledger.http.lookalikes import Vocabulary
from shipledger.limits import WEBHOOK_DESCRIPTION_CHARS_MAX, WEBHOOK_URL_CHARS_MAX
from shipledger.refusal import Refusal
from shipledger.webhook import ALL_TYPES, ChangeEndpoint, CreateEndpoint, EndpointChanges, Sealed

_ANSWERED = frozenset(
    {
        "id", "secret", "partner", "disabled_at", "disabled_because", "failing_since", "old_secret_signs_until",
        "created_at", "warnings",
    }
)  # fmt: skip
_MEANT = {"events": "event_types", "types": "event_types", "topics": "event_types", "topic": "event_types"}
_MEANT |= {"endpoint": "url", "callback": "url", "callbackurl": "url", "address": "url", "uri": "url"}
NEW = Vocabulary(frozenset({"url", "event_types", "description", "ordered"}), _ANSWERED | {"enabled"}, _MEANT)
CHANGE = Vocabulary(
    NEW.fields | {"enabled"}, _ANSWERED, {**_MEANT, "active": "enabled", "disabled": "enabled", "status": "enabled"}
)
TELLABLE = tuple(str(kind) for kind in EventType if kind.startswith(("order.", "fulfillment.")))
"""The types of events that are in the feed."""


async def read_create_endpoint(call: Call, findings: Findings, sealed: Sealed) -> CreateEndpoint | Refusal:
    """The command that a request means."""
    fields = Fields(call.body, NEW, findings)
    url = await _url(fields, findings, call, required=True)
    types = _event_types(fields, findings) or (ALL_TYPES,)
    description = fields.text("description", WEBHOOK_DESCRIPTION_CHARS_MAX, prose=True)
    is_ordered = _flag(fields, findings, "ordered")
    return findings.refusal() or CreateEndpoint(
        call.origin, url or "", description, types, bool(is_ordered), sealed, tuple(findings.cautions)
    )


async def read_change_endpoint(call: Call, findings: Findings, endpoint_id: int) -> ChangeEndpoint | Refusal:
    """The command that a request means. What it does not name stays as it is."""
    fields = Fields(call.body, CHANGE, findings)
    description = fields.text("description", WEBHOOK_DESCRIPTION_CHARS_MAX, prose=True)
    if fields.value("description") is not None and description is None:
        description = ""
    changes = EndpointChanges(
        url=await _url(fields, findings, call),
        description=description,
        event_types=_event_types(fields, findings),
        is_ordered=_flag(fields, findings, "ordered"),
        is_enabled=_flag(fields, findings, "enabled"),
    )
    return findings.refusal() or ChangeEndpoint(call.origin, endpoint_id, changes, tuple(findings.cautions))


async def _url(fields: Fields, findings: Findings, call: Call, *, required: bool = False) -> str | None:
    url = fields.text("url", WEBHOOK_URL_CHARS_MAX, required=required)
    fault = None if url is None else await call.services.webhooks.url_fault(url)
    if fault is not None:
        findings.fault("url_not_allowed", "url", f"url {fault}.")
    return url


def _event_types(fields: Fields, findings: Findings) -> tuple[str, ...] | None:
    """The types asked for, each once; one star stands for all. None where they are omitted."""
    value = fields.value("event_types")
    if value is None:
        return None
    if not isinstance(value, list) or not value or len(value) > len(TELLABLE) + 1:
        known = ", ".join(TELLABLE)
        findings.fault("not_event_types", "event_types", f"event_types must be a list of some of {known}, or omitted.")
        return None
    for index, name in enumerate(value):
        if not isinstance(name, str) or name not in {ALL_TYPES, *TELLABLE}:
            findings.fault("not_an_event_type", f"event_types[{index}]", _unknown_type(index, name))
    types = tuple(dict.fromkeys(str(name) for name in value))
    return (ALL_TYPES,) if ALL_TYPES in types else types


def _unknown_type(index: int, name: Any) -> str:
    near = difflib.get_close_matches(name[:64].lower(), TELLABLE, n=1) if isinstance(name, str) else []
    advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(TELLABLE)}."
    return f"event_types[{index}] is no type of event; {advice}"


def _flag(fields: Fields, findings: Findings, name: str) -> bool | None:
    value = fields.value(name)
    if value is None or isinstance(value, bool):
        return value
    findings.fault("not_true_or_false", name, f"{name} must be true or false.")
    return None
