"""The table of carriers against the published definitions, and against numbers that are made to be slow."""

import random
import statistics
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import pytest

from shipledger.carriers import _USPS_SERVICES, CARRIERS, POSTAL_CHARS
from shipledger.check_digit import CheckResult
from shipledger.limits import TRACKING_NUMBER_CHARS_MAX
from shipledger.postal_services import POSTAL_SERVICES
from shipledger.tracking import candidates, understood
from shipledger.tracking_format import Format, Shape, shapes_of
from tests.rules.published_formats import PublishedFormat, published_formats

FIRST_MIN = 0.96
ALTERED_PER_NUMBER = 60
SECONDS_MAX = 0.01
"""Five hundred times what a number takes: what is beyond was searched, not compared."""


@pytest.fixture(scope="module")
def formats(shared_data: Path) -> list[PublishedFormat]:
    return list(published_formats(shared_data))


def codes(number: str) -> list[str]:
    return [candidate.carrier.code for candidate in candidates(number)]


def plain(number: str) -> str:
    return "".join(number.split())


def missed(formats: list[PublishedFormat]) -> list[str]:
    return [
        number for format_ in formats for number in format_.valid if format_.carrier_of(number) not in codes(number)
    ]


def told_apart(formats: list[PublishedFormat], numbers: Iterable[str]) -> list[str]:
    """Numbers that have other carriers here than the definitions give them."""
    return [
        number
        for number in numbers
        if set(codes(number)) != {format_.carrier_of(number) for format_ in formats if format_.accepts(number)}
    ]


def altered(formats: list[PublishedFormat]) -> list[str]:
    """Numbers much like the published ones: one character another, new digits, one more, one less."""
    dice = random.Random(1)
    found = []
    for number in {plain(number) for format_ in formats for number in format_.valid + format_.invalid}:
        for _ in range(ALTERED_PER_NUMBER):
            at, kept = dice.randrange(len(number)), dice.choice([2, 3, 8, 12, 17])
            digits = "".join(dice.choice(string.digits) if c.isdigit() else c for c in number[kept:])
            new = dice.choice(string.digits + string.ascii_uppercase)
            found += [number[:at] + new + number[at + 1 :], number[:kept] + digits]
        found += [number + dice.choice(string.digits), number[:-1], number[1:]]
    return [number for number in found if not is_taken_otherwise(number)]


def is_taken_otherwise(number: str) -> bool:
    """Where the definitions are not followed: OnTrac's letter counts for its value in each number; twenty digits are
    USPS's only behind the code of one of its services, which the definitions know and do not require.
    """
    is_no_service = len(number) == 20 and number.isdigit() and f"|{number[:2]}|" not in f"|{_USPS_SERVICES}|"
    return number.startswith(("C4", "D5")) or is_no_service


def test_a_serial_of_gs1_is_not_taken_for_a_number_of_usps() -> None:
    assert codes("00340434161094042557") == []


def test_every_published_number_is_found(formats: list[PublishedFormat]) -> None:
    assert missed(formats) == []


def test_nearly_every_published_number_is_found_first(formats: list[PublishedFormat]) -> None:
    numbers = [(format_.carrier_of(number), number) for format_ in formats for number in format_.valid]
    first = sum(codes(number)[0] == code for code, number in numbers)
    print(f"{first} of {len(numbers)} published numbers have their carrier first")
    assert first >= FIRST_MIN * len(numbers)


def test_every_number_that_its_definition_refuses_is_refused(formats: list[PublishedFormat]) -> None:
    refused = [(format_, number) for format_ in formats for number in format_.invalid]
    assert refused
    assert not any(format_.accepts(number) for format_, number in refused)
    assert told_apart(formats, [number for _, number in refused]) == []


def test_other_numbers_have_the_carriers_that_the_definitions_give_them(formats: list[PublishedFormat]) -> None:
    numbers = altered(formats)
    assert sum(bool(codes(number)) for number in numbers) > len(numbers) / 10
    assert told_apart(formats, numbers) == []


@pytest.mark.parametrize("result", [CheckResult.VERIFIED, CheckResult.FAILED])
def test_a_check_digit_that_is_not_looked_at_is_found_out(
    formats: list[PublishedFormat], monkeypatch: pytest.MonkeyPatch, result: CheckResult
) -> None:
    monkeypatch.setattr(Format, "check", lambda format_, text: result)
    assert told_apart(formats, altered(formats)[:2_000])


def test_a_structure_that_is_not_looked_at_is_found_out(
    formats: list[PublishedFormat], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shape, "fits", lambda shape, text: True)
    monkeypatch.setattr(Format, "check", lambda format_, text: CheckResult.NONE)
    assert told_apart(formats, altered(formats)[:2_000])


def test_pages_are_the_published_ones_with_the_number_in_them(formats: list[PublishedFormat]) -> None:
    for format_ in formats:
        for number in format_.valid:
            urls = {one.carrier.code: one.tracking_url for one in candidates(number)}
            page = format_.page and format_.page.replace("http:", "https:").replace("%s", quote(plain(number)))
            if format_.countries is None:
                assert urls[format_.courier] == page


def test_every_country_of_the_definitions_has_a_postal_service(formats: list[PublishedFormat]) -> None:
    [countries] = [format_.countries for format_ in formats if format_.countries is not None]
    assert POSTAL_SERVICES.keys() == countries


def test_the_table_is_sound() -> None:
    """Texts of one part have one length, check digits stand inside, pages have a place for the number, names differ."""
    for carrier in CARRIERS:
        assert carrier.page is None or (carrier.page.startswith("https://") and carrier.page.count("{}") == 1)
        for format_ in carrier.formats:
            for part in format_.structure.split(" "):
                assert len({len(text) for text in part.split("|")}) == 1, format_
            for shape in shapes_of(format_.structure):
                assert len(range(shape.length)[format_.checked_from : format_.check_at]) > 0
    assert len({carrier.code for carrier in CARRIERS}) == len(CARRIERS)
    assert POSTAL_CHARS == 13


# Numbers that are made to be slow.

NASTY = {
    "digits": "9" * 255,
    "letters": "A" * 255,
    "420 and digits": "420" + "9" * 252,
    "a GM number that goes on": "GM1" + "A" * 252,
    "a GM number that ends wrongly": "GM1" + "A" * 37 + "!",
    "spaces between": " ".join("9" * 128),
    "spaces, then a number": "1Z" + " " * 200 + "5R89390357567127",
    "the longest known": "GM1" + "A" * 38,
    "34 digits": "420" + "1" * 31,
    "22 digits": "9" * 22,
    "12 digits": "1" * 12,
    "wide digits": "\N{FULLWIDTH DIGIT ONE}" * 255,
    "wide spaces": "\u3000".join("9" * 120),
    "sharp s, which grows as a capital": "ß" * 255,
    "separators": "+" + "-./() " * 42,
    "percents": "%" * 255,
}


@pytest.mark.parametrize("number", NASTY.values(), ids=NASTY.keys())
def test_no_number_is_slow(number: str) -> None:
    assert len(number) <= TRACKING_NUMBER_CHARS_MAX
    assert seconds(lambda: understood(number)) < SECONDS_MAX
    assert seconds(lambda: understood(number, carrier="UPS")) < SECONDS_MAX


def seconds(work: Callable[[], object]) -> float:
    """The quickest of a few: what it takes when nothing else has the processor."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def test_the_speed_is_reported(formats: list[PublishedFormat]) -> None:
    dice = random.Random(2)
    texts = ["".join(dice.choices(string.printable[:95], k=dice.randint(1, 255))) for _ in range(1_000)]
    digits = ["".join(dice.choices(string.digits, k=dice.randint(8, 34))) for _ in range(1_000)]
    published = [number for format_ in formats for number in format_.valid]
    for name, numbers in (("published", published), ("random text", texts), ("random digits", digits)):
        taken = [seconds(lambda number=number: understood(number)) * 1e6 for number in numbers]  # type: ignore[misc]
        print(f"{name}: median {statistics.median(taken):.1f} us, slowest {max(taken):.1f} us a number")
    script = (
        "import time, urllib.parse, shipledger.fulfillment, shipledger.refusal;"
        "begun = time.process_time(); import shipledger.tracking; print(1e3 * (time.process_time() - begun))"
    )
    loaded = [float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(5)]
    print(f"the table loads in {min(loaded):.1f} ms")
