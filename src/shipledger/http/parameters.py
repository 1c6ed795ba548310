"""What a request says beside its body: path, query and headers."""

import difflib
import re

from shipledger.http.answer import Refused, refusal_answer, refused
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.limits import ID_MAX, IDEMPOTENCY_KEY_CHARS_MAX
from shipledger.refusal import Reason, Refusal

_ID = re.compile(r"\d{1,19}", re.ASCII)
TRUE_OR_FALSE = {"true": True, "1": True, "false": False, "0": False}


def path_id(call: Call, missing: Reason) -> int:
    """The id in the path. Raises Refused (404) for what cannot be one."""
    text: str = call.request.path_params["id"]
    if _ID.fullmatch(text) and int(text) <= ID_MAX:
        return int(text)
    raise not_found(missing)


def not_found(missing: Reason) -> Refused:
    """What is answered where there is no such thing."""
    return Refused(refusal_answer(Refusal(missing)))


def require_known_parameters(call: Call, known: frozenset[str], repeatable: frozenset[str] = frozenset()) -> None:
    """Raise Refused (400) for a query parameter that the route does not know, or that is given twice and may not be."""
    if not call.scope["query_string"]:
        return
    seen = set()
    for name, _ in call.request.query_params.multi_items():
        if name not in known:
            near = difflib.get_close_matches(name[:64].lower(), sorted(known), n=1)
            known_ones = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known)) or 'none'}."
            message = f"The query holds a parameter that is not known; {known_ones}"
            raise refused(400, message, code="unknown_parameter", at="query")
        if name in seen and name not in repeatable:
            raise refused(400, f"{name} is given twice in the query.", code="given_twice", at=f"query.{name}")
        seen.add(name)


def dry_run(call: Call, findings: Findings) -> bool:
    """Whether the request only asks what would be created."""
    return is_asked_for(call, "dry_run", findings)


def is_asked_for(call: Call, name: str, findings: Findings) -> bool:
    """A parameter that is true or false; false where it is absent."""
    if not call.scope["query_string"]:
        return False
    text = call.request.query_params.get(name, "false")
    if text not in TRUE_OR_FALSE:
        findings.fault("not_true_or_false", f"query.{name}", f"{name} must be true or false.")
    return TRUE_OR_FALSE.get(text, False)


def idempotency_key(call: Call, findings: Findings) -> str | None:
    """The Idempotency-Key, bare or quoted."""
    given = call.headers.get(b"idempotency-key")
    if not given:
        return None
    if len(given) > 1:
        findings.fault("given_twice", "Idempotency-Key", "Idempotency-Key is given twice.")
        return None
    return read_key(given[0].decode("latin-1"), "Idempotency-Key", findings)


def read_key(text: str, at: str, findings: Findings) -> str | None:
    """The idempotency key that a text at this place of the request holds."""
    key = text.strip(" \t")
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if 0 < len(key) <= IDEMPOTENCY_KEY_CHARS_MAX and key.isascii() and key.isprintable():
        return key
    message = f"{at} must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters."
    findings.fault("idempotency_key_invalid", at, message)
    return None
