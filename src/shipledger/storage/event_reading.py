"""The feed as it is read: by the operator as it was written, by a partner as far as it is told."""

from collections import defaultdict

from shipledger.fulfillment import FulfilledLine
from shipledger.partner_view import Partner, event_told_to, is_of_fulfillment
from shipledger.storage.port import FeedGap, FeedPage, PlacedEvent
from shipledger.storage.rows import Row, event_document
from shipledger.storage.snapshot import Snapshot


def events_after(ledger: Snapshot, place: int, limit: int, partner: Partner) -> list[PlacedEvent]:
    """What happened after a place in the feed."""
    if partner is None:
        return [PlacedEvent(row[0], event_document(row[1:])) for row in ledger.query("load_events", place, limit)]
    return told_to_partner(ledger, list(ledger.query("load_partner_events", partner, place, limit)), partner)


def feed_after(ledger: Snapshot, event_id: int, limit: int, partner: Partner) -> FeedPage | FeedGap:
    """What happened after an event. One that a partner is not told of is as unknown to it as one that never was."""
    removed = next((place for (place,) in ledger.query("feed_removed")), 0)
    place = removed
    if event_id:
        found = [place for (place,) in ledger.query("event_place", event_id)]
        if not found or not is_told(ledger, found[0], partner):
            return FeedGap(None)
        place = found[0]
        if place < removed:
            oldest = events_after(ledger, removed, 1, partner)
            return FeedGap(oldest[0].document["id"] if oldest else 0)
    events = [placed.document for placed in events_after(ledger, place, limit, partner)]
    return FeedPage(events, events[-1]["id"] if events else event_id)


def is_told(ledger: Snapshot, place: int, partner: Partner) -> bool:
    """Whether the event at a place in the feed is for a partner to know of."""
    if partner is None:
        return True
    return [row[0] for row in ledger.query("load_partner_events", partner, place - 1, 1)] == [place]


def told_to_partner(ledger: Snapshot, rows: list[Row], partner: str) -> list[PlacedEvent]:
    """Events as a partner is told of them. What a fulfillment holds of its lines never changes: it is read beside."""
    events = [(row[0], event_document(row[1:])) for row in rows]
    ids = [event["data"]["id"] for _, event in events if is_of_fulfillment(event)]
    contents: defaultdict[int, list[FulfilledLine]] = defaultdict(list)
    for id_, *line in ledger.query("load_fulfillment_lines", ids) if ids else ():
        contents[id_].append(FulfilledLine(*line))
    return [
        PlacedEvent(place, event_told_to(partner, event, contents.get(event["data"]["id"], ())))
        for place, event in events
    ]
