"""The feed of events: every change once, in one order that never skips. A reader may wait for what comes next."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipledger.http.answer import Answer, Refused, json_answer, refused
from shipledger.http.call import Call
from shipledger.http.parameters import require_known_parameters
from shipledger.limits import EVENTS_WAIT_SECONDS_MAX, ID_MAX, PAGE_DEFAULT, PAGE_MAX
from shipledger.storage.port import FeedGap, FeedPage

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "after": {
        "type": "integer",
        "minimum": 0,
        "maximum": ID_MAX,
        "description": "The id of the last event that you have, or next_cursor. Without it, or 0: from the beginning.",
    },
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": PAGE_MAX,
        "default": PAGE_DEFAULT,
        "description": "How many events are answered at most.",
    },
    "wait": {
        "type": "integer",
        "minimum": 0,
        "maximum": EVENTS_WAIT_SECONDS_MAX,
        "default": 0,
        "description": "How many seconds the answer may wait for an event where there is none yet.",
    },
}
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Asked:
    after: int
    limit: int
    wait: int


async def list_(call: Call) -> Answer:
    """What happened after an event."""
    asked, watch = _asked(call), call.services.watch
    deadline = time.monotonic() + asked.wait
    while True:
        mark = watch.mark()
        page = await _read(call, asked)
        seconds = deadline - time.monotonic()
        if page.events or seconds <= 0 or watch.is_closed:
            return json_answer({"events": page.events, "next_cursor": str(page.last_id)})
        await watch.changed(mark, seconds)


async def _read(call: Call, asked: _Asked) -> FeedPage:
    found = await call.read(call.services.reading.feed, asked.after, asked.limit, call.origin.partner)
    if isinstance(found, FeedPage):
        return found
    raise _gap(found)


def _gap(gap: FeedGap) -> Refused:
    if gap.oldest_id is None:
        message = "after names no event of this ledger; begin again without it."
        return refused(400, message, code="event_unknown", at="query.after")
    oldest = f"the oldest event that is kept is {gap.oldest_id}" if gap.oldest_id else "no event is, for now"
    message = f"What happened after this event is no longer kept; {oldest}. Without after, the feed begins there."
    body = {"error": "Gone", "message": message, "oldest": gap.oldest_id}
    return Refused(json_answer(body, 410))


def _asked(call: Call) -> _Asked:
    require_known_parameters(call, frozenset(PARAMETERS))
    return _Asked(**{name: _number(call, name) for name in PARAMETERS})


def _number(call: Call, name: str) -> int:
    schema = PARAMETERS[name]
    text = call.request.query_params.get(name)
    if text is None:
        return int(schema.get("default", 0))
    if _NUMBER.fullmatch(text) and schema["minimum"] <= int(text) <= schema["maximum"]:
        return int(text)
    message = f"{name} must be from {schema['minimum']} to {schema['maximum']}."
    raise refused(400, message, code=f"{name}_invalid", at=f"query.{name}")
