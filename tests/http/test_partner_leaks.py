"""Nothing that a partner is answered tells of another: not a byte, on any route, whatever the other has there."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from shipledger import fulfilling
from shipledger.share import share_of
from shipledger.storage import event_reading, loading, reading, webhook_reading
from tests.http.partner_worlds import (
    ABSENT,
    MARKERS,
    NUMBER,
    SHARED,
    ZENITHS,
    Answer,
    all_answers,
    ask,
    record,
    world,
)
from tests.serving import Engine


def answers_of(engine: Engine, *, with_others: bool) -> dict[str, Answer]:
    """What acme is answered in one of the two worlds."""

    async def run() -> dict[str, Answer]:
        with world(engine.new_database()) as place:
            await record(place, with_others=with_others)
            return await all_answers(place, "acme")

    return asyncio.run(run())


def assert_nothing_leaks(engine: Engine) -> dict[str, Answer]:
    """Returns what was answered where acme shares the ledger."""
    shared, alone = (answers_of(engine, with_others=with_others) for with_others in (True, False))
    for asked, answer in shared.items():
        told = repr(answer).lower().encode()
        assert not [marker for marker in MARKERS if marker in told], f"{asked} tells of another: {answer}"
    differing = [asked for asked, answer in shared.items() if answer != alone.get(asked)]
    assert shared.keys() == alone.keys()
    assert not differing, f"{differing[0]}: {shared[differing[0]]} against {alone[differing[0]]}"
    for asked, answer in shared.items():
        twin = shared.get(asked.replace(str(ZENITHS), str(ABSENT)), answer)
        assert answer == twin, f"{asked} is not answered as what never was: {answer}"
    return shared


@pytest.mark.on_both_databases
def test_no_answer_tells_of_another_partner(engine: Engine) -> None:
    answers = assert_nothing_leaks(engine)
    by_status: dict[int, list[str]] = {}
    for asked, (status, _, _) in answers.items():
        by_status.setdefault(status, []).append(asked)
    assert {200, 400, 403, 404} <= by_status.keys()
    assert 500 not in by_status, by_status[500]
    assert len(answers) > 200, "every route, id and filter was asked"
    documents = [json.loads(answers[f"GET /v1/orders/{SHARED} null"][2]), json.loads(answers["a replay"][2])]
    assert documents[0]["totals"]["ordered"] == 16
    assert documents[1]["tracking_number"] == NUMBER


def test_what_is_the_operator_s_is_closed_to_a_partner(engine: Engine) -> None:
    answers = answers_of(engine, with_others=True)
    for path in ("orders", "partners", "keys", "audit", "reports/late"):
        asked = "POST /v1/orders {}" if path == "orders" else f"GET /v1/{path} null"
        assert answers[asked][0] == 403, asked


def test_what_there_is_of_another_is_missing_with_the_same_bytes(engine: Engine) -> None:
    answers = answers_of(engine, with_others=True)
    for path in ("/v1/orders/{}", "/v1/fulfillments/{}"):
        theirs, none = (answers[f"GET {path.format(id_)} null"] for id_ in ("2002", "9999"))
        assert theirs == none
        assert theirs[0] == 404
    assert answers["GET /v1/fulfillments/1 null"] == answers["GET /v1/fulfillments/11 null"], "zenith's, and none"


def test_a_cursor_is_of_no_use_to_another(engine: Engine) -> None:
    async def run() -> list[Answer]:
        with world(engine.new_database()) as place:
            await record(place, with_others=True)
            application = place.application()
            page = await ask(application, "zenith", "GET", "/v1/orders?limit=1")
            url = f"/v1/orders?cursor={json.loads(page[2])['next_cursor']}"
            return [await ask(application, partner, "GET", url) for partner in ("zenith", "acme", None)]

    assert [status for status, _, _ in asyncio.run(run())] == [200, 400, 400]


# Negative controls: each place that knows of partners, without its predicate.


def without_partner(name: str, place: type[Any] = reading.LedgerReading) -> Callable[[pytest.MonkeyPatch], None]:
    """A question of the reading side that forgets who asks."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        asked = getattr(place, name)
        monkeypatch.setattr(place, name, lambda self, *given: asked(self, *given[:-1], None))

    return patch


def without(place: Any, name: str, broken: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(place, name, broken)


BROKEN = {
    "an order": without_partner("order"),
    "a list of orders": without_partner("orders"),
    "a fulfillment": without_partner("fulfillment"),
    "a list of fulfillments": without_partner("fulfillments"),
    "the nearest sku": without_partner("skus"),
    "the feed": without_partner("feed"),
    "receivers": without_partner("endpoints", webhook_reading.WebhookReading),
    "an order's lines": without(loading, "order_seen_by", lambda partner, order: order),
    "a parcel's lines": without(reading, "fulfillment_seen_by", lambda partner, made: made),
    "an event's data": without(event_reading, "event_told_to", lambda partner, event, contents: event),
    "which orders a parcel may be of": without(fulfilling, "_is_visible", lambda order, partner: True),
    "whose lines are filled": without(fulfilling, "share_of", lambda order, asked, _: share_of(order, asked, None)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_missing_predicate_is_caught(engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    BROKEN[what](monkeypatch)
    with pytest.raises(AssertionError):
        assert_nothing_leaks(engine)
