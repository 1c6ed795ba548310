"""Who may come in. A ledger without keys is open, to this machine alone: a first try takes one command."""

import re

from shipledger.command import OPERATOR, Origin
from shipledger.http.answer import Refused, error
from shipledger.http.headers import Headers

_OWN_HOST = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_FORWARDED = (b"forwarded", b"x-forwarded-")


def admit_openly(headers: Headers, request_id: str) -> Origin:
    """Let a request of this machine in as the operator's. Raises Refused (403) for one that came from elsewhere.

    A browser on this machine may be made to send requests by a foreign page, under a foreign name that leads here
    (Host) or from a foreign page (Origin); a proxy may pass on requests of the whole world (Forwarded).
    """
    hosts = headers.get(b"host", [])
    if len(hosts) != 1 or not _OWN_HOST.fullmatch(hosts[0]):
        raise _forbidden("asks for another host than localhost")
    if any(name.startswith(_FORWARDED) for name in headers):
        raise _forbidden("was forwarded by a proxy")
    origins = headers.get(b"origin")
    if origins is not None and origins != [b"http://" + hosts[0]]:
        raise _forbidden("comes from a page of another origin")
    return Origin(account=OPERATOR, partner=None, actor="open", key_id=None, request_id=request_id)


def _forbidden(why: str) -> Refused:
    message = f"Without keys this server answers only its own machine, and this request {why}."
    return Refused(error(403, "Forbidden", message))
