"""Webhooks go out into the world, and inside only where the operator says so."""

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest

from shipledger.outbox.address_guard import AddressGuard, read_networks
from shipledger.outbox.sender import Message, Sender
from tests.outbox.receiver import Receiver, receiving

LOOPBACK = (
    "127.0.0.1",
    "127.1",
    "127.0.0.2",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "127.0.0.1.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
)
INSIDE = (
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00::1]",
    "[fec0::1]",
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
    "192.0.2.1",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "router",
    "printer.local",
    "metadata.google.internal",
)
WORLD = (
    "https://example.com/hook",
    "http://example.com:8080/a?b=c#d",
    "https://xn--bcher-kva.example",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/x",
    "https://172.32.0.1/",
    "https://100.128.0.1/",
    "https://[::ffff:8.8.8.8]/",
)
NO_URLS = (
    "",
    "example.com",
    "//example.com",
    "ftp://example.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "gopher://example.com",
    "https://",
    "https:///path",
    "https://user@example.com",
    "https://user:password@example.com",
    "https://@example.com",
    "https://example.com:0",
    "https://example.com:99999",
    "https://example.com:port",
    "https://exa mple.com",
    "https://example.com\\@127.0.0.1",
    "https://example.com/\r\nX: y",
    "https://bücher.example",
    "https://[::1",
    "https://[example.com]",
)


@pytest.mark.parametrize("host", LOOPBACK + INSIDE)
def test_what_is_inside_is_refused(host: str) -> None:
    guard = AddressGuard()
    for url in (f"http://{host}/hook", f"https://{host}:8443", f"HTTP://{host}"):
        assert guard.url_fault(url), url


@pytest.mark.parametrize("url", WORLD)
def test_what_is_outside_is_taken(url: str) -> None:
    assert AddressGuard().url_fault(url) is None


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_url_for_webhooks_is_refused(url: str) -> None:
    assert AddressGuard().url_fault(url)
    assert AddressGuard(read_networks("0.0.0.0/0, ::/0")).url_fault(url)


def test_the_operator_may_allow_networks_inside_and_no_others() -> None:
    guard = AddressGuard(read_networks("10.1.0.0/16, ::1/128,"))
    assert guard.allows(ip_address("10.1.2.3"))
    assert guard.allows(ip_address("::ffff:10.1.2.3"))
    assert guard.allows(ip_address("::1"))
    assert not guard.allows(ip_address("10.2.0.1"))
    assert not guard.allows(ip_address("127.0.0.1"))
    assert guard.url_fault("http://receiver:8080/") is None, "names of the inside are looked up, then judged"
    for text in ("10.1.0.0/33", "10.1.0.1/16", "somewhere"):
        with pytest.raises(ValueError, match=text):
            read_networks(text)


def attempts(guard: AddressGuard, *urls: str) -> list[Any]:
    async def send_all() -> list[Any]:
        sender = Sender(guard, "test", lambda: 0, seconds_max=5)
        try:
            return [await sender.send(Message("1", url, b"{}", [b"secret"])) for url in urls]
        finally:
            await sender.close()

    return asyncio.run(send_all())


def test_no_spelling_of_loopback_is_ever_connected_to() -> None:
    with receiving() as receiver:
        urls = [f"http://{host}:{receiver.port}/hook" for host in LOOPBACK]
        found = attempts(AddressGuard(), *urls)
        assert not receiver.received
        assert all(attempt.status is None and attempt.error for attempt in found)


def test_control_without_the_guard_loopback_is_connected_to() -> None:
    with receiving() as receiver:
        guard = AddressGuard(read_networks("0.0.0.0/0, ::/0"))
        found = attempts(guard, *(f"http://{host}:{receiver.port}/hook" for host in LOOPBACK))
        assert sum(attempt.status == 200 for attempt in found) > len(LOOPBACK) / 3, "the test could see a connection"


class Rebinding:
    """A name that leads to the world when it is asked for first, and inside from then on."""

    def __init__(self) -> None:
        self.asked = 0

    async def look_up(self, host: str, port: int) -> list[Any]:
        self.asked += 1
        address = "8.8.8.8" if self.asked == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_name_that_is_bound_anew_never_leads_inside(is_guarded: bool) -> None:
    guard = AddressGuard() if is_guarded else AddressGuard(read_networks("127.0.0.0/8"))

    async def send(receiver: Receiver) -> Any:
        sender = Sender(guard, "test", lambda: 0, seconds_max=5)
        name = Rebinding()
        sender._connections._look_up = name.look_up  # type: ignore[method-assign]
        url = f"http://rebinding.example:{receiver.port}/hook"
        assert guard.url_fault(url) is None
        ((*_, (looked_up, _)),) = await name.look_up("rebinding.example", receiver.port)
        assert guard.found_fault([looked_up]) is None, "it was fine when it was registered"
        try:
            return await sender.send(Message("1", url, b"{}", [b"secret"]))
        finally:
            await sender.close()

    with receiving() as receiver:
        attempt = asyncio.run(send(receiver))
        assert bool(receiver.received) is not is_guarded, "the control, without a guard, is connected to"
        if is_guarded:
            assert attempt.error == "the name leads to an address that webhooks may not be sent to"
