"""The audit trail: every change, who made it and when, with which key and which request."""

from shipledger.event import EventType
from shipledger.http.answer import Answer
from shipledger.http.call import Call
from shipledger.http.listing import ListSpec, answer_list, choice_filter, id_filter, range_filters, text_filter
from shipledger.storage.port import AuditFilter

LIST = ListSpec(
    "audit",
    {
        "type": choice_filter("type", "Changes of this type.", EventType),
        "order_id": id_filter("order_id", "Changes of this order."),
        "key_id": id_filter("key_id", "Changes made with this key."),
        "actor": text_filter("actor", "Changes made by this actor: the name of a key, host, open or import."),
        "request_id": text_filter("request_id", "Changes made by the request with this X-Request-Id."),
        **range_filters("created_at", "Made"),
    },
    AuditFilter,
)


async def list_(call: Call) -> Answer:
    """Changes, newest first."""
    return await answer_list(call, LIST, call.services.reading.audit)
