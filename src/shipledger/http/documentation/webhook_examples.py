"""The examples about webhooks: requests as they are sent, and what they are answered."""

from collections.abc import Mapping
from typing import Any

from shipledger.http import webhook_schemas as hooks

_MOMENT = "2024-04-30T12:00:00Z"
_WEBHOOK = {
    "id": 1,
    "url": "https://example.com/shipledger",
    "description": "The warehouse",
    "event_types": ["fulfillment.created"],
    "ordered": False,
    "partner": None,
    "enabled": True,
    "disabled_at": None,
    "disabled_because": None,
    "failing_since": None,
    "old_secret_signs_until": None,
    "created_at": _MOMENT,
}
_ATTEMPT = {
    "event_id": 42,
    "attempted_at": _MOMENT,
    "duration_ms": 87,
    "status": 200,
    "error": None,
    "answer": "thank you",
}

WEBHOOK_REQUESTS: Mapping[type[Any], dict[str, dict[str, Any]]] = {
    hooks.CreateWebhook: {
        "webhook": {
            "summary": "What is shipped",
            "value": {
                "url": "https://example.com/shipledger",
                "event_types": ["fulfillment.created"],
                "description": "The warehouse",
            },
        }
    },
    hooks.ChangeWebhook: {"enabled": {"summary": "Send what was held", "value": {"enabled": True}}},
    hooks.ReplayWebhook: {
        "event_ids": {"summary": "Some events", "value": {"event_ids": [41, 42]}},
        "range": {"summary": "Those between two", "value": {"after": 40, "before": 50}},
        "failed": {"summary": "All that was given up since", "value": {"failed_since": _MOMENT}},
    },
}
WEBHOOK_ANSWERS: Mapping[Any, Any] = {
    hooks.Webhook: _WEBHOOK,
    hooks.WebhookWithSecret: {**_WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    hooks.WebhookList: {"webhooks": [_WEBHOOK], "next_cursor": None},
    hooks.WebhookAttemptList: {"attempts": [_ATTEMPT], "next_cursor": None},
    hooks.Ping: {"taken": True, "status": 200, "error": None, "duration_ms": 87},
    hooks.Replayed: {"replayed": 2, "goes_on_after": None},
}
