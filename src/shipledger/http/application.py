"""The ASGI application: finds the route, lets the request in, reads its body, calls the handler, sends the answer."""

import difflib
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from starlette.requests import ClientDisconnect
from starlette.routing import Route as StarletteRoute
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from shipledger.command import Origin
from shipledger.http.answer import Answer, Refused, error, fault_answer, refused, server_error
from shipledger.http.body import read_json, receive_body, require_json_type
from shipledger.http.call import Call, Services
from shipledger.http.gate import Gate
from shipledger.http.headers import Headers, gather
from shipledger.http.route import ANY_KEY, PUBLIC, Route
from shipledger.outcome import Fault, Unavailable

log = logging.getLogger("shipledger.http")


class Application:
    """Serves a route table."""

    def __init__(self, routes: Iterable[Route], services: Services, gate: Gate) -> None:
        routes = list(routes)
        self._places = _places(routes)
        self.request_ids: Iterator[str] = map(
            "{}{:x}".format, itertools.repeat(secrets.token_hex(6)), itertools.count()
        )
        self._services = services
        self._gate = gate
        self._by_path = {
            path: _Place(methods, self._serve) for path, methods in self._places.items() if "{" not in path
        }
        with_parameters = [
            StarletteRoute(path, _Place(methods, self._serve)) for path, methods in self._places.items() if "{" in path
        ]
        self.direct_routes = {
            path.encode(): methods["POST"]
            for path, methods in self._places.items()
            if "{" not in path and "POST" in methods and methods["POST"].takes_one_object
        }
        """The routes that may be answered below ASGI: those that take a POST of one JSON object, by their URLs."""
        self._router = Router(with_parameters, redirect_slashes=False, default=self._serve_nothing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            path = scope["path"] = path[:-1]
        # Paths without parameters, the busiest among them, need no search.
        await (self._by_path.get(path) or self._router)(scope, receive, send)

    async def _serve(
        self, route: Route | None, methods: dict[str, Route], scope: Scope, receive: Receive, send: Send
    ) -> None:
        request_id = next(self.request_ids)
        answer = await self.answer(route, methods, scope, gather(scope["headers"]), receive, request_id)
        if answer is not None:
            await answer.send(send, request_id)

    async def answer(
        self,
        route: Route | None,
        methods: Mapping[str, Route],
        scope: Scope,
        headers: Headers,
        receive: Receive,
        request_id: str,
        body: bytes | None = None,
    ) -> Answer | None:
        """The answer of a route, None standing for a method that the path lacks; None where the client has left.

        `body` is that of a request that came whole.
        """
        origin: Origin | None = None
        try:
            origin = self._gate.admit(headers, request_id, _scope(route, methods))
            if route is None:
                raise _method_not_allowed(methods)
            call = Call(scope, receive, headers, self._services, origin)
            if route.takes_one_object:
                media_type = require_json_type(headers)
                if body is None:
                    body = await receive_body(headers, receive)
                is_left_out = route.is_body_optional and not body
                call.body = {} if is_left_out else read_json(media_type, body, route.read_body)
            answer = await route.handler(call)
        except Refused as no:
            answer = no.answer
        except ClientDisconnect:
            return None
        except Fault as fault:
            if not isinstance(fault, Unavailable):
                log.exception("request %s failed", request_id)
            answer = fault_answer(fault)
        except Exception:
            log.exception("request %s failed", request_id)
            answer = server_error()
        if origin is not None:
            answer.headers += self._gate.rate_headers(origin)
        return answer

    async def _serve_nothing(self, scope: Scope, _receive: Receive, send: Send) -> None:
        request_id = next(self.request_ids)
        try:
            self._gate.admit(gather(scope["headers"]), request_id, ANY_KEY)
            answer = self._not_found(scope)
        except Refused as no:
            answer = no.answer
        await answer.send(send, request_id)

    def _not_found(self, scope: Scope) -> Answer:
        near = difflib.get_close_matches(scope["path"][:256].lower(), self._places, n=1, cutoff=0.5)
        place = near[0] if near else "/v1/fulfillments"
        what = f"{' or '.join(sorted(self._places[place]))} {place}"
        return error(
            404, "Not Found", f"There is nothing at this path; did you mean {what}? GET /docs lists every path."
        )


class _Place:
    """The methods of one path, as an ASGI application."""

    def __init__(self, methods: dict[str, Route], serve: Callable[..., Awaitable[None]]) -> None:
        self._methods = methods
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._serve(self._methods.get(method), self._methods, scope, receive, send)


def _places(routes: list[Route]) -> dict[str, dict[str, Route]]:
    """The routes by path, then by method."""
    places: dict[str, dict[str, Route]] = {}
    for route in routes:
        for path in (route.path, *route.aliases):
            places.setdefault(path, {})[route.method] = route
    return places


def _scope(route: Route | None, methods: Mapping[str, Route]) -> str:
    """What a key must hold. A method that a path does not have tells nothing to whoever may not ask for the others."""
    if route is not None:
        return route.scope
    return PUBLIC if all(other.scope == PUBLIC for other in methods.values()) else ANY_KEY


def _method_not_allowed(methods: Mapping[str, Route]) -> Refused:
    allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
    allow = [(b"allow", ", ".join(allowed).encode())]
    return refused(405, f"This path takes {' or '.join(allowed)}.", headers=allow)
