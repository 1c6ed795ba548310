"""Sends parcels of a file to a serving ledger, many in a request, until each has its answer."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from shipledger.file_import import RowCounts
from shipledger.importing.order_sender import (
    PATIENCE_SECONDS,
    TIMEOUT_SECONDS,
    TOO_MANY,
    UNAVAILABLE,
    ServerAway,
    seconds_of,
)
from shipledger.importing.parcel import ParcelContent
from shipledger.importing.parcel_reasons import Said, said_of_code
from shipledger.limits import IMPORTED_PARCELS_MAX
from shipledger.past import past_document

LINES_A_REQUEST = 2_000
LINES_AN_EVENT = 8
OK, CREATED = 200, 201


class ParcelSender:
    """One connection that is kept. A parcel may be sent again whatever became of it before: the ledger knows it."""

    import_id: int | None = None

    def __init__(self, url: str, token: str) -> None:
        """`url` is where the server answers."""
        parts = urlsplit(url)
        self._server = f"{parts.hostname}:{parts.port}"
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def begin(self, file: str, content: str) -> None:
        """Begin an import, or go on with the one that the same file began. Raises ServerAway."""
        self.import_id = int(self._post("/v1/imports", {"file": file, "fingerprint": content})["id"])

    def parcels(self, parcels: Sequence[ParcelContent]) -> list[Said]:
        """For each parcel whether it is new, or the reason why it was not taken. Raises ServerAway."""
        said: list[Said] = []
        for part in parts(parcels, IMPORTED_PARCELS_MAX):
            body = {"fulfillments": [as_request(parcel) for parcel in part]}
            for result in self._post(f"/v1/imports/{self.import_id}/fulfillments", body)["results"]:
                code = result["code"]
                said.append(bool(result["is_new"]) if code is None else said_of_code(code))
        return said

    def finish(self, counts: RowCounts) -> None:
        """Tell what became of the rows. Raises ServerAway."""
        body = {
            "rows": counts.rows,
            "taken": counts.taken,
            "repeated": counts.repeated,
            "rejected": counts.rejected,
        }
        self._post(f"/v1/imports/{self.import_id}/finish", body)

    def undo(self, import_id: int) -> dict[str, Any]:
        """Take back some of what an import made; says how much is left. Raises ServerAway."""
        return self._post(f"/v1/imports/{import_id}/undo", {})

    def _post(self, path: str, value: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(value, ensure_ascii=False).encode()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._connection.request("POST", path, body, self._headers)
                response = self._connection.getresponse()
                status, answer = response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                wait, why = 0.2, f"it does not answer ({error!r})"
            else:
                if status in {OK, CREATED}:
                    found: dict[str, Any] = json.loads(answer)
                    return found
                if status not in {UNAVAILABLE, TOO_MANY}:
                    raise ServerAway(f"The server refuses the import ({status}): {_message(answer)}")
                wait, why = seconds_of(response.headers.get("Retry-After")), f"it answers {status}"
            if time.monotonic() + wait > deadline:
                raise ServerAway(f"The server at {self._server} takes no more fulfillments: {why}.")
            time.sleep(wait)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def as_request(parcel: ParcelContent) -> dict[str, Any]:
    """The body of `POST /v1/fulfillments` that means this parcel, with its past, if it has one."""
    tracking = parcel.tracking
    values = {"tracking_number": tracking.number, "tracking_url": tracking.url, "carrier": tracking.carrier}
    lines = [{"sku": line.sku, "quantity": line.quantity} for line in parcel.lines]
    given = {name: value for name, value in values.items() if value is not None}
    past = {} if parcel.past is None else {"past": past_document(parcel.past)}
    return {"order_id": parcel.order, "line_items": lines} | given | past


def parts(parcels: Sequence[ParcelContent], parcels_max: int) -> Iterator[list[ParcelContent]]:
    """Parcels that are handed on together: not too many, nor of too many lines."""
    part: list[ParcelContent] = []
    lines = 0
    for parcel in parcels:
        if part and (len(part) == parcels_max or lines + _lines_of(parcel) > LINES_A_REQUEST):
            yield part
            part, lines = [], 0
        part.append(parcel)
        lines += _lines_of(parcel)
    if part:
        yield part


def _lines_of(parcel: ParcelContent) -> int:
    """Its lines, and what happened to it on its way, which is as long as several."""
    timeline = () if parcel.past is None else parcel.past.timeline
    return len(parcel.lines) + LINES_AN_EVENT * len(timeline)


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
