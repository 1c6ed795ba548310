"""What the fields of requests and answers about webhooks mean: see `field_notes`."""

from collections.abc import Mapping

_NEXT = {"next_cursor": "Send it as cursor for the next page; null on the last."}
_WEBHOOK = {
    "url": "Where events are sent: http or https, on a public address.",
    "event_types": "Which types are sent; * stands for all, also for those of later versions.",
    "description": "Anything of yours.",
    "ordered": "Whether an event of an order waits until those before it were taken.",
    "partner": "Whose it is; null: the operator's.",
    "enabled": "Whether anything is sent. What happens meanwhile is held for 30 days.",
    "disabled_at": "Since when nothing is sent; null where it is.",
    "disabled_because": "by_hand, gone (it answered 410) or failing (it took nothing for five days).",
    "failing_since": "Since when it took nothing; null where it took the last one.",
    "old_secret_signs_until": "Until when the replaced secret signs beside the new one.",
    "created_at": "When it was registered, in UTC.",
    "warnings": "Only where there is something to know.",
}
_NEW_WEBHOOK = {
    **{name: _WEBHOOK[name] for name in ("url", "description", "ordered")},
    "event_types": "Which types are sent. Omitted: all, also those of later versions.",
}
WEBHOOK_NOTES: Mapping[str, Mapping[str, str]] = {
    "CreateWebhook": _NEW_WEBHOOK,
    "ChangeWebhook": {**_NEW_WEBHOOK, "event_types": _WEBHOOK["event_types"], "enabled": _WEBHOOK["enabled"]},
    "Webhook": _WEBHOOK,
    "WebhookWithSecret": {**_WEBHOOK, "secret": "By which the receiver knows messages for ours. Shown this once."},
    "WebhookList": _NEXT,
    "WebhookAttempt": {
        "event_id": "The event that was told of, and the webhook-id of the message.",
        "attempted_at": "When, in UTC.",
        "duration_ms": "How long it took until the answer came, or did not.",
        "status": "The answer's status; null where there was no answer.",
        "error": "Why there was no answer.",
        "answer": "The answer's first kilobyte. For operators only.",
    },
    "WebhookAttemptList": _NEXT,
    "Ping": {
        "taken": "Whether the receiver took it: its answer was 2xx.",
        "status": "The answer's status; null where there was no answer.",
        "error": "Why there was no answer.",
        "duration_ms": "How long it took until the answer came, or did not.",
    },
    "ReplayWebhook": {
        "event_ids": "These events.",
        "after": "All that happened after this event; 0: from the first on.",
        "before": "Of those, the ones before this event.",
        "failed_since": "All that was given up since this moment.",
    },
    "Replayed": {
        "replayed": "How many are sent again: those of them that the receiver is told of.",
        "goes_on_after": "Where there are more than fit, the event to go on after; else null.",
    },
}
