"""From a request that uploads a file to what is said of the file, and the file itself as it comes."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.requests import ClientDisconnect

from shipledger.http.answer import Refused, refusal_answer, refused
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.parameters import require_known_parameters
from shipledger.http.upload_desk import Upload
from shipledger.limits import IMPORT_FILE_NAME_CHARS_MAX, UPLOAD_BYTES_MAX
from shipledger.text import tidy
from shipledger.validity import text_fault

FILE_TYPES = {
    "text/csv": ".csv",
    "application/x-ndjson": ".ndjson",
    "application/json": ".json",
    "application/octet-stream": "",
}
"""The media types of files, and what the name of a file ends in that comes without one."""
PARAMETERS = {
    "map": {
        "type": "string",
        "minLength": 1,
        "description": "field=column: read a field from this column instead of the one recognised; field= alone reads"
        " it from none. May be given several times, or hold several with commas between.",
    },
    "timezone": {
        "type": "string",
        "minLength": 1,
        "description": "The zone of dates without one; by default that of the server.",
    },
    "filename": {
        "type": "string",
        "minLength": 1,
        "maxLength": IMPORT_FILE_NAME_CHARS_MAX,
        "description": "What the file is called, which is shown. .ndjson and .jsonl say that each line is an object.",
    },
}
_REPEATABLE = frozenset({"map"})
_BEFORE_NEXT_FIELD = re.compile(r",(?=\s*[a-z_]+\s*=)")
SEND_A_FILE = f"Send the file itself as the body, with a Content-Type of {', '.join(FILE_TYPES)}."
TOO_LARGE = f"A file may have {UPLOAD_BYTES_MAX} bytes; shipledger import fulfillments takes larger ones."
_CLOSE = [(b"connection", b"close")]


def read_upload(call: Call) -> Upload:
    """What a request says of its file. Raises Refused (400, 415)."""
    require_known_parameters(call, frozenset(PARAMETERS), _REPEATABLE)
    suffix = FILE_TYPES[_media_type(call)]
    query, findings = call.request.query_params, Findings()
    file = tidy(query.get("filename", f"upload{suffix}"))
    fault = text_fault(file, IMPORT_FILE_NAME_CHARS_MAX)
    if not file or fault is not None:
        message = f"filename {fault[1] if fault else 'must not be blank'}."
        findings.fault(fault[0] if fault else "blank", "query.filename", message)
    zone = query.get("timezone", str(call.services.zone))
    if not _is_zone(zone):
        message = "timezone must be a time zone's name, e.g. UTC or Europe/Berlin."
        findings.fault("timezone_invalid", "query.timezone", message)
    refusal = findings.refusal()
    if refusal is not None:
        raise Refused(refusal_answer(refusal))
    maps = tuple(part for text in query.getlist("map") for part in _BEFORE_NEXT_FIELD.split(text))
    named = Path(file).suffix.lower()
    return Upload(file, named if named in {".csv", ".json", ".jsonl", ".ndjson"} else suffix, maps, zone)


def _media_type(call: Call) -> str:
    given = b",".join(call.headers.get(b"content-type", [b"application/octet-stream"]))
    media_type = given.decode("latin-1").partition(";")[0].strip().lower()
    if media_type not in FILE_TYPES or b"content-encoding" in call.headers:
        raise refused(415, SEND_A_FILE)
    return media_type


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


async def receive_file(call: Call, path: Path) -> None:
    """Write the body to a file as it comes. Raises Refused (413) as soon as it is too large, and ClientDisconnect."""
    lengths = call.headers.get(b"content-length", ())
    size = max((int(length[:20]) for length in lengths if length.isdigit()), default=0)
    is_more = size <= UPLOAD_BYTES_MAX
    if is_more:
        size = 0
    with path.open("xb") as file:
        while is_more:
            part = await call.request.receive()
            if part["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = part.get("body", b"")
            size += len(chunk)
            file.write(chunk)
            is_more = part.get("more_body", False) and size <= UPLOAD_BYTES_MAX
    if size > UPLOAD_BYTES_MAX:
        raise refused(413, TOO_LARGE, headers=_CLOSE)
