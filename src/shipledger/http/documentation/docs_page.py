"""The pages that a browser gets: the API to read, and where to go next. They need neither scripts nor the internet."""

import base64
import hashlib
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shipledger import limits
from shipledger.http.documentation.docs_view import DocumentView, curl

Page = tuple[bytes, list[tuple[bytes, bytes]]]
"""The bytes of a page and its headers."""

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(?<=[\s\[])(-?\d+(?:\.\d+)?)\b')
_WORLD_OF_A_PAGE = "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'"
_TO_DO = {
    400: "Mend the request; its details name every fault. It may be sent again under the same key.",
    401: "Send a key that is valid; ask the operator for one.",
    403: "Use a key with the scope; without any key, ask from the server's own machine.",
    404: "Look at the id or the reference.",
    405: "Use a method that Allow names.",
    409: "Look at the order or the fulfillment first; sending it again changes nothing.",
    413: "Send less at a time.",
    415: "Send the header that the message prints.",
    422: "Use a new key for a new request.",
    429: "Wait as long as Retry-After says, then send the same request again.",
    500: "Send the same request again, with the same key.",
    503: "Wait as long as Retry-After says, then send the same request again.",
}


def docs_page(document: dict[str, Any]) -> Page:
    """The API as a page to read, made from its OpenAPI document."""
    view = DocumentView(document)
    groups = view.groups()
    errors = [(status, title, message, _TO_DO.get(int(status), "")) for status, title, message in view.errors()]
    return _page(
        "docs.html.jinja", document, view, groups=groups, objects=view.objects(), errors=errors, limits=_limits()
    )


def welcome_page(document: dict[str, Any]) -> Page:
    """Where to go next."""
    view = DocumentView(document)
    command = next(
        (o.commands[0].text for _, group in view.groups() for o in group if o.commands and o.method == "POST"),
        curl(view.base_url + "/healthz"),
    )
    return _page("welcome.html.jinja", document, view, command=command)


def _page(template: str, document: dict[str, Any], view: DocumentView, **values: Any) -> Page:
    environment = Environment(
        loader=PackageLoader("shipledger.http.documentation", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": _code, "prose": _prose, "slug": _slug}
    style = Markup(environment.get_template("page.css").render())  # noqa: S704 - a file of ours
    info = document["info"]
    page = environment.get_template(template).render(info=info, base_url=view.base_url, style=style, **values)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = _WORLD_OF_A_PAGE.format(digest) + "; frame-ancestors 'none'"
    return page.encode(), [(b"content-security-policy", policy.encode()), (b"referrer-policy", b"no-referrer")]


def _code(text: str) -> Markup:
    """JSON, or a command that holds some, in colours."""
    pieces, end = [], 0
    for token in _TOKEN.finditer(text):
        kind = "k" if token[2] else "s" if token[1] else "l" if token[3] else "n"
        coloured = Markup('<span class="{}">{}</span>{}').format(kind, token[1] or token[0], token[2] or "")
        pieces += [escape(text[end : token.start()]), coloured]
        end = token.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _prose(text: str) -> Markup:
    """A sentence in which backticks set off code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(text.split("`"))
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _limits() -> list[tuple[str, str]]:
    kibibyte = 1024
    return [
        ("Body of a request", f"{limits.BODY_BYTES_MAX // kibibyte // kibibyte} MiB"),
        ("Lines in one request, all its orders together", f"{limits.LINES_MAX:,}"),
        ("Quantity of a line, and of one sku in a request", f"{limits.QUANTITY_MAX:,}"),
        ("sku", f"{limits.SKU_CHARS_MAX} characters"),
        ("tracking_number", f"{limits.TRACKING_NUMBER_CHARS_MAX} characters"),
        ("tracking_url", f"{limits.TRACKING_URL_CHARS_MAX:,} characters"),
        ("reference, title, channel, carrier", f"{limits.REFERENCE_CHARS_MAX} characters"),
        ("metadata and shipping_address", f"{limits.METADATA_BYTES_MAX // kibibyte} KiB of JSON each"),
        ("Idempotency-Key", f"1 to {limits.IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters"),
        ("Rows on a page", f"1 to {limits.PAGE_MAX}, {limits.PAGE_DEFAULT} unless you say"),
        ("Fulfillments shown inside an order", f"the newest {limits.ORDER_FULFILLMENTS_SHOWN_MAX}"),
    ]
