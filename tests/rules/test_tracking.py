"""What a tracking number tells, what of it a sender's own words overrule, and what is warned of."""

import pytest

from shipledger import tracking
from shipledger.check_digit import CheckResult
from shipledger.command import CreateFulfillment
from shipledger.fulfillment import Tracking
from shipledger.limits import TRACKING_URL_CHARS_MAX
from shipledger.outcome import Done
from shipledger.tracking import candidates, understood
from tests.rules.asking import Parcel, line
from tests.rules.desk import Desk, body, warnings

UPS = "1ZE356F8YW01937117"
UPS_WRONG = "1ZE356F8YW01937118"
UPS_PAGE = "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums="
FEDEX_PAGE = "https://www.fedex.com/apps/fedextrack/?tracknumbers="
PUROLATOR_PAGE = "https://www.purolator.com/en/shipping/tracker?searchValue="
GIVEN = "https://example.com/1"
VERIFIED, FAILED, NONE = CheckResult


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # the number alone
        ((UPS, None, None), Tracking(UPS, UPS_PAGE + UPS, "ups", VERIFIED)),
        (("1z e356 f8yw 0193 7117", None, None), Tracking("1z e356 f8yw 0193 7117", UPS_PAGE + UPS, "ups", VERIFIED)),
        ((UPS_WRONG, None, None), Tracking(UPS_WRONG, None, None, FAILED)),
        (("TBA000000000001", None, None), Tracking("TBA000000000001", None, "amazon", NONE)),
        (("RB123456785FR", None, None), Tracking("RB123456785FR", None, "post_fr", VERIFIED)),
        (("hello", None, None), Tracking("hello", None, None, NONE)),
        # a page wins, and the carrier is told all the same
        ((UPS, GIVEN, None), Tracking(UPS, GIVEN, "ups", VERIFIED)),
        (("hello", GIVEN, None), Tracking("hello", GIVEN, None, NONE)),
        # a carrier wins, as it is written, and has its own page
        ((UPS, None, "U.P.S."), Tracking(UPS, UPS_PAGE + UPS, "U.P.S.", VERIFIED)),
        ((UPS, None, "United Parcel Service"), Tracking(UPS, UPS_PAGE + UPS, "United Parcel Service", VERIFIED)),
        ((UPS_WRONG, None, "UPS"), Tracking(UPS_WRONG, UPS_PAGE + UPS_WRONG, "UPS", FAILED)),
        (
            ("a/b c?", None, "FedEx Ground"),
            Tracking("a/b c?", f"{FEDEX_PAGE}a%2Fb%20c%3F", "FedEx Ground", NONE),
        ),
        ((UPS, None, "FedEx"), Tracking(UPS, FEDEX_PAGE + UPS, "FedEx", NONE)),
        ((UPS, None, "Deutsche Post"), Tracking(UPS, None, "Deutsche Post", NONE)),
        (("RB123456785DE", None, "deutsche post"), Tracking("RB123456785DE", None, "deutsche post", VERIFIED)),
        ((UPS, GIVEN, "FedEx"), Tracking(UPS, GIVEN, "FedEx", NONE)),
        ((UPS, None, "Bike couriers"), Tracking(UPS, None, "Bike couriers", NONE)),
        ((UPS, GIVEN, "Bike couriers"), Tracking(UPS, GIVEN, "Bike couriers", NONE)),
        # a number in a barcode that the carrier's page does not take
        (("32971514560102447849175802862014", None, None),) * 2,
    ],
)
def test_what_was_given_wins_and_the_number_tells_the_rest(
    given: tuple[str, str | None, str | None], expected: Tracking | tuple[str, str | None, str | None]
) -> None:
    if isinstance(expected, tuple):
        expected = Tracking(given[0], None, "fedex", VERIFIED)
    assert understood(*given).tracking == expected


def test_a_given_carrier_chooses_among_the_candidates() -> None:
    number = next(n for n in map(str, range(320595463900, 320595473900)) if len(candidates(n)) == 2)
    assert {one.carrier.code for one in candidates(number)} == {"fedex", "purolator"}
    for carrier, page in (("FedEx", FEDEX_PAGE), ("purolator", PUROLATOR_PAGE)):
        assert understood(number, None, carrier).tracking == Tracking(number, page + number, carrier, VERIFIED)


def test_a_number_with_a_check_digit_that_is_right_comes_before_one_without() -> None:
    [first, second] = candidates("LX123456785CN")
    assert (first.carrier.code, first.check) == ("post_cn", VERIFIED)
    assert (second.carrier.code, second.check) == ("dhl", NONE)


def test_a_page_that_would_be_too_long_is_left_out() -> None:
    number = "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 255
    assert understood(number, None, "UPS").tracking.url is None
    url = understood("/" * 255, None, "UPS").tracking.url
    assert url is not None
    assert len(url) <= TRACKING_URL_CHARS_MAX


@pytest.mark.parametrize(
    ("number", "carrier", "expected"),
    [
        (UPS, None, []),
        ("TBA000000000001", None, []),
        (UPS_WRONG, None, ["tracking_check_failed"]),
        (UPS_WRONG, "UPS", ["tracking_check_failed"]),
        (UPS_WRONG, "FedEx", []),
        ("hello", None, ["tracking_format_unknown"]),
        ("hello", "UPS", []),
        ("hello", "Bike couriers", ["carrier_unknown"]),
        # two carriers' numbers look so, and are neither's: it may well be a third's
        ("320595463930", None, ["tracking_format_unknown"]),
        ("+49 30 1234567", None, ["tracking_looks_like_phone"]),
        ("+49/30/123-4567", None, ["tracking_looks_like_phone"]),
        ("(555) 234-5678", None, ["tracking_looks_like_phone"]),
        ("1-555-234-5678", None, ["tracking_looks_like_phone"]),
        ("030 12345678", None, ["tracking_looks_like_phone"]),
        ("+49", None, ["tracking_format_unknown"]),
        ("+12345678901234567", None, ["tracking_format_unknown"]),
        ("(055) 234-5678 x", None, ["tracking_format_unknown"]),
        # ten digits that DHL's rule verifies are DHL's
        ("3318810025", None, []),
    ],
)
def test_oddities_are_warned_of(number: str, carrier: str | None, expected: list[str]) -> None:
    assert [caution.code for caution in understood(number, None, carrier).cautions] == expected


def test_a_given_page_needs_no_known_carrier() -> None:
    assert understood(UPS, GIVEN, "Bike couriers").cautions == ()


# What the ledger knows besides.


@pytest.mark.parametrize(("number", "is_warned"), [("7", True), ("#7", True), ("A7", True), ("77", False)])
def test_an_orders_own_number_is_warned_of(desk: Desk, number: str, is_warned: bool) -> None:
    desk.order(7, line("A", 1), reference="A7" if number == "A7" else "#7")
    assert ("tracking_looks_like_order" in warnings(desk.ship((7, None), number=number))) is is_warned


def test_a_reference_is_an_orders_number_with_and_without_its_hash(desk: Desk) -> None:
    desk.order(7, line("A", 1), reference="#1001")
    assert warnings(desk.ship((7, None), number="1001")) == ["tracking_looks_like_order"]


def test_a_number_of_another_order_is_warned_of_also_within_a_batch(desk: Desk) -> None:
    desk.order(1, line("A", 1))
    desk.order(2, line("A", 1))
    first, second = desk.send(*(Parcel(((order_id, None),), number=UPS) for order_id in (1, 2)))
    assert (warnings(first), warnings(second)) == ([], ["tracking_number_on_another_order"])
    assert "Fulfillment 1 of another order, 1," in body(second)["warnings"][0]["message"]


def test_a_partner_is_told_of_its_own_parcels_of_other_orders_only(desk: Desk) -> None:
    for order_id in (1, 2, 3):
        desk.order(order_id, line("A", 1, "east"), line("A", 1, "west"))
    assert warnings(desk.ship((1, None), partner="east", number=UPS)) == []
    assert warnings(desk.ship((2, None), partner="west", number=UPS)) == []
    assert warnings(desk.ship((3, None), partner="west", number=UPS)) == ["tracking_number_on_another_order"]
    assert warnings(desk.ship((2, None), number=UPS)) == [
        "tracking_number_repeated",
        "tracking_number_on_another_order",
    ]


def test_the_orders_of_one_parcel_are_not_each_others_others(desk: Desk) -> None:
    desk.order(1, line("A", 1))
    desk.order(2, line("A", 1))
    assert warnings(desk.ship((1, None), (2, None), number=UPS)) == []


# Retries.


def test_a_retry_is_known_by_what_was_sent_whatever_is_understood_by_then(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.order(1, line("A", 1))
    first = desk.ship((1, None), number=UPS, key="k")
    assert body(first)["carrier"] == "ups"
    monkeypatch.setattr(tracking, "_MATCHES", {18: []})
    assert understood(UPS).tracking.carrier is None
    again = desk.ship((1, None), number=UPS, key="k")
    assert isinstance(again, Done)
    assert again.replayed
    assert body(again) == body(first)


def test_a_fingerprint_of_what_was_understood_is_found_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CreateFulfillment, "fingerprint", lambda command: repr(command.tracking).encode())
    with pytest.raises(AssertionError):
        test_a_retry_is_known_by_what_was_sent_whatever_is_understood_by_then(desk, monkeypatch)
