"""Which carrier a tracking number belongs to, where it can be followed, and what is odd about it."""

from urllib.parse import quote

from shipledger.carriers import CARRIERS, POSTAL_CHARS, Carrier, postal_carrier
from shipledger.check_digit import CheckResult
from shipledger.fulfillment import Tracking
from shipledger.limits import TRACKING_URL_CHARS_MAX
from shipledger.postal_services import POSTAL_SERVICES
from shipledger.refusal import Caution
from shipledger.tracking_format import Format, Shape, shapes_of
from shipledger.value import dataclass

Match = tuple[Carrier, Format, Shape]

AT = "tracking_number"
"""Where in a request the number is that cautions tell of."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A carrier whose numbers look like this one. `rarity` says how unlikely it is that this is by chance."""

    carrier: Carrier
    check: CheckResult
    tracking_url: str | None
    rarity: float


@dataclass(frozen=True, slots=True)
class Understood:
    """A parcel's tracking, completed by what its number tells, and what its sender should know of it."""

    tracking: Tracking
    cautions: tuple[Caution, ...] = ()


def candidates(number: str) -> list[Candidate]:
    """The carriers that a number may belong to, each once, the best first. One with a wrong check digit is none."""
    return _looked_up(number)[0]


def understood(number: str, url: str | None = None, carrier: str | None = None) -> Understood:
    """A tracking as its sender gave it (tidied and valid), completed from the number: what was given always wins.

    A carrier that is given and known chooses among the candidates, and has its page also where its numbers are not
    known. Nothing is refused for its look.
    """
    found, failed = _looked_up(number)
    if carrier is not None:
        return _of_given_carrier(Tracking(number, url, carrier), found, failed)
    if found:
        best = found[0]
        return Understood(Tracking(number, url or best.tracking_url, best.carrier.code, best.check))
    is_failed = len({one.code for one in failed}) == 1
    check = CheckResult.FAILED if is_failed else CheckResult.NONE
    if _is_like_a_phone_number(number):
        caution = Caution("tracking_looks_like_phone", AT, "This looks like a phone number.")
    elif is_failed:
        caution = _check_failed(failed[0])
    else:
        message = "No carrier known here gives numbers of this form. If it is right, name its carrier or tracking_url."
        caution = Caution("tracking_format_unknown", AT, message)
    return Understood(Tracking(number, url, None, check), (caution,))


def _of_given_carrier(given: Tracking, found: list[Candidate], failed: list[Carrier]) -> Understood:
    known = _known_carrier(given.carrier or "")
    if known is None:
        message = "This carrier is not known here, so that no tracking_url could be made; send it with the number."
        return Understood(given, () if given.url else (Caution("carrier_unknown", "carrier", message),))
    own = next((one for one in found if one.carrier.code == known.code), None)
    if own is not None:
        return Understood(Tracking(given.number, given.url or own.tracking_url, given.carrier, own.check))
    is_failed = any(one.code == known.code for one in failed)
    check = CheckResult.FAILED if is_failed else CheckResult.NONE
    url = given.url or _page(known, given.number)
    return Understood(Tracking(given.number, url, given.carrier, check), (_check_failed(known),) if is_failed else ())


def _check_failed(carrier: Carrier) -> Caution:
    message = f"This has the form of a number of {carrier.name}, and its check digit is wrong: it may be mistyped."
    return Caution("tracking_check_failed", AT, message)


def _looked_up(number: str) -> tuple[list[Candidate], list[Carrier]]:
    """The candidates, and the carriers whose numbers have this form and another check digit."""
    text = "".join(number.split())
    if not text or len(text) > _CHARS_MAX or not text.isascii():
        return [], []
    text = text.upper()
    found, failed = [], []
    for carrier, format_, shape in _that_may_fit(text):
        if not shape.fits(text):
            continue
        check = format_.check(text)
        if check is CheckResult.FAILED:
            failed.append(carrier)
            continue
        url = _page(carrier, text) if format_.is_followed else None
        # By chance one in ten check digits is right.
        found.append(Candidate(carrier, check, url, shape.rarity + (check is CheckResult.VERIFIED)))
    return found if len(found) < 2 else _ranked(found), failed  # noqa: PLR2004 - one needs no order


def _ranked(found: list[Candidate]) -> list[Candidate]:
    """Each carrier by its rarest format, the rarest first."""
    best: dict[str, Candidate] = {}
    for candidate in found:
        known = best.get(candidate.carrier.code)
        if known is None or candidate.rarity > known.rarity:
            best[candidate.carrier.code] = candidate
    return sorted(best.values(), key=lambda candidate: -candidate.rarity)


def _that_may_fit(text: str) -> list[Match]:
    """The formats whose numbers have this length and may begin so."""
    matches = _MATCHES.get((len(text), text[0]), [])
    if len(text) == POSTAL_CHARS and text[-2:] in POSTAL_SERVICES:
        return [*_matches_of(postal_carrier(text[-2:])), *matches]
    return matches


def _matches_of(carrier: Carrier) -> list[Match]:
    return [(carrier, format_, shape) for format_ in carrier.formats for shape in shapes_of(format_.structure)]


def _page(carrier: Carrier, number: str) -> str | None:
    """Where a carrier shows this number, if it has such a page."""
    if carrier.page is None:
        return None
    is_plain = number.isascii() and number.isalnum()
    url = carrier.page.replace("{}", number if is_plain else quote(number, safe=""))
    return url if len(url) <= TRACKING_URL_CHARS_MAX else None


def _known_carrier(name: str) -> Carrier | None:
    """The carrier that goes by this name or short name, however it is spelled."""
    plain = _plain(name)
    country = _POSTAL_NAMES.get(plain)
    return _NAMES.get(plain) or (postal_carrier(country) if country else None)


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _is_like_a_phone_number(number: str) -> bool:
    """Whether people write phone numbers so: +49 30 1234567, (555) 234-5678, 030 1234567."""
    digits = number.removeprefix("+").translate(_PHONE_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        return False
    if number.startswith("+"):
        return len(digits) in _WORLDWIDE_DIGITS
    american = digits.removeprefix("1")
    is_american = len(american) == _AMERICAN_DIGITS and american[0] not in "01" and american[3] not in "01"
    is_national = len(digits) in _NATIONAL_DIGITS and digits[0] == "0" and digits[1] != "0"
    return is_american or is_national


_WORLDWIDE_DIGITS = range(8, 16)
_AMERICAN_DIGITS = 10
_NATIONAL_DIGITS = range(10, 12)
_PHONE_SEPARATORS = str.maketrans("", "", " -./()")
_MATCHES: dict[tuple[int, str], list[Match]] = {}
"""By their length and their first character."""
for _carrier in CARRIERS:
    for _match in _matches_of(_carrier):
        for _first in _match[2].first_characters:
            _MATCHES.setdefault((_match[2].length, _first), []).append(_match)
_CHARS_MAX = max(length for length, _ in _MATCHES)
"""Longer numbers are of no carrier here."""
_NAMES = {_plain(name): carrier for carrier in CARRIERS for name in (carrier.code, carrier.name, *carrier.also_called)}
_POSTAL_NAMES = {
    _plain(name): country for country, service in POSTAL_SERVICES.items() for name in (service, f"post_{country}")
}
