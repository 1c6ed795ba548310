"""The carriers whose numbers are known: their names, their pages, and what their numbers look like.

The facts are those of the tracking number definitions by Jeff Keen and contributors (MIT licence, copyright 2017 Jeff
Keen; docs/tracking.md has its text), restated: the table and its notation are this project's own.
"""

from dataclasses import dataclass
from functools import cache

from shipledger.check_digit import (
    every_second_doubled,
    gs1,
    gs1_after_91,
    luhn,
    mod_37_36,
    postal,
    remainder_of_seven,
    weighted_one_three_seven,
)
from shipledger.postal_services import POSTAL_SERVICES
from shipledger.tracking_format import Format


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who carries parcels. `code` is its short name; in `page`, where a parcel is followed, {} stands for its number.

    Formats that look alike are told apart by how rare they are; of equals the one of the earlier carrier comes first.
    """

    code: str
    name: str
    page: str | None
    formats: tuple[Format, ...]
    also_called: tuple[str, ...] = ()


_UPS = Carrier(
    "ups",
    "UPS",
    "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums={}",
    (
        Format("1Z either:15 digits:1", every_second_doubled, checked_from=2),
        Format("A|H|J|K|T|V digits:10", every_second_doubled, checked_from=1),
    ),
    ("UPS Ground", "United Parcel Service"),
)

_USPS_SERVICES = "01|02|03|04|05|06|07|08|14|21|22|23|24|25|26|34|50|56|73|82|83|85"
"""What a number of twenty digits may begin with: GS1's serials, which begin with 00, are checked alike."""

# A label may begin with 420 and the receiver's zip code of 5 or 9 digits; then the number proper follows.
_USPS = Carrier(
    "usps",
    "United States Postal Service",
    "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    (
        Format(f"{_USPS_SERVICES} digits:18", gs1),
        Format(f"{_USPS_SERVICES} digits:18", gs1_after_91),
        Format("420 digits:25", gs1_after_91, checked_from=8),
        Format("420 digits:29", gs1_after_91, checked_from=12),
        *(
            Format(f"{label}{number}", gs1, checked_from=routed)
            for number in (
                "91 digits:20",
                "92 digits:3 9 digits:16",
                "93 digits:3 0|1|2|3|4|5|6|7|8 digits:16",
                "94 digits:20",
                "95 digits:20",
            )
            for label, routed in (("", 0), ("420 digits:5 ", 8), ("420 digits:9 ", 12))
        ),
        *(
            Format(f"{label}{number}", gs1, checked_from=routed)
            for number in (
                "92 digits:3 9 digits:20",
                "93 digits:3 0|1|2|3|4|5|6|7|8 digits:20",
                "94 digits:24",
                "95 digits:24",
            )
            for label, routed in (("", 0), ("420 digits:5 ", 8))
        ),
        Format("94 digits:3 9 digits:24", gs1),
    ),
    ("USPS", "US Postal Service"),
)

_FEDEX = Carrier(
    "fedex",
    "FedEx",
    "https://www.fedex.com/apps/fedextrack/?tracknumbers={}",
    (
        Format("digits:12", weighted_one_three_seven),
        Format("digits:15", gs1),
        Format("digits:18", gs1, checked_from=2),
        Format("96 digits:20", gs1, checked_from=7),
        Format("0|1|2|3|4|5|6|7|8 digits:33", weighted_one_three_seven, checked_from=-14),
        Format("96 digits:32", weighted_one_three_seven, checked_from=-14),
        Format("3 digits:31", weighted_one_three_seven, checked_from=16, check_at=27, is_followed=False),
    ),
    ("FedEx Express", "FedEx Ground", "Federal Express"),
)

_DHL = Carrier(
    "dhl",
    "DHL",
    "https://www.dhl.com/en/express/tracking.html?brand=DHL&AWB={}",
    (
        Format("digits:10-11", remainder_of_seven),
        Format("J letters:2 digits:9-10"),
        Format("J letters:3 digits:9-10"),
        Format("GM|LX|RX|UV|CN|SG|TH|IN|HK|MY digits:1 either:9-38"),
        Format("digits:14"),
    ),
    ("DHL Express", "DHL eCommerce"),
)

_DPD = Carrier(
    "dpd",
    "DPD",
    "https://www.dpdgroup.com/nl/mydpd/my-parcels/track?lang=en&parcelNumber={}",
    (Format("digits:27 either:1", mod_37_36), Format("digits:14 either:1", mod_37_36)),
)

_AMAZON = Carrier(
    "amazon",
    "Amazon",
    None,
    (Format("TBA|TBC|TBM digits:12"), Format("A|F|C digits:10")),
    ("Amazon Logistics",),
)

_CANADA_POST = Carrier(
    "canada_post",
    "Canada Post",
    "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}",
    (Format("digits:16", gs1),),
)

_PUROLATOR = Carrier(
    "purolator",
    "Purolator",
    "https://www.purolator.com/en/shipping/tracker?searchValue={}",
    (Format("0|1|2|3|4|5 digits:11", luhn), Format("letters:3 digits:9")),
)

_CANPAR = Carrier(
    "canpar",
    "Canpar",
    "https://www.canpar.com/en/track/tracking.jsp?reference={}&locale=en",
    (Format("C|D|K|L|S|U|X|Z digits:21"),),
)

_ONTRAC = Carrier(
    "ontrac",
    "OnTrac",
    "https://www.ontrac.com/tracking/?number={}",
    (Format("C|D digits:14", every_second_doubled),),
)

_LASERSHIP = Carrier(
    "lasership",
    "LaserShip",
    None,
    (
        Format("LA|LI|LE|LH|LN|LX 1|2|3 digits:7"),
        Format("1LS71|1LS72 digits:10"),
        Format("1LS71|1LS72 digits:2 011|012|013|014 digits:6 -1"),
        Format("1LSCX either:10"),
    ),
)

_OLD_DOMINION = Carrier(
    "old_dominion",
    "Old Dominion Freight Line",
    "https://www.odfl.com/us/en/tools/trace-track-ltl-freight/trace.html?proNumbers={}",
    (Format("777|778|072|780 digits:8", luhn), Format("80 digits:9", luhn)),
    ("Old Dominion", "ODFL"),
)

_SPEE_DEE = Carrier(
    "speedee",
    "Spee-Dee Delivery",
    "https://www.speedeedelivery.com/track/?tracking={}",
    (Format("SP digits:18"),),
)

_LANDMARK = Carrier(
    "landmark",
    "Landmark Global",
    "https://track.landmarkglobal.com/?search={}",
    (Format("LTN digits:8 N1"),),
)

_GOFO = Carrier(
    "gofo",
    "GOFO Express",
    "https://www.gofoexpress.com/tracking.html?searchID={}",
    (Format("GFUS digits:14"),),
    ("GOFO",),
)

_YODEL = Carrier(
    "yodel", "Yodel", "https://www.yodel.co.uk/tracking/{}", (Format("JJD digits:16"), Format("JD digits:16"))
)

_YUNEXPRESS = Carrier(
    "yunexpress",
    "YunExpress",
    "https://www.yuntrack.com/parcelTracking?id={}",
    (Format("YT digits:16"),),
)

CARRIERS = (
    _UPS,
    _USPS,
    _FEDEX,
    _DHL,
    _DPD,
    _AMAZON,
    _CANADA_POST,
    _PUROLATOR,
    _CANPAR,
    _ONTRAC,
    _LASERSHIP,
    _OLD_DOMINION,
    _SPEE_DEE,
    _LANDMARK,
    _GOFO,
    _YODEL,
    _YUNEXPRESS,
)

POSTAL_CHARS = 13
"""The length of an international postal number: two letters, nine digits, the sender's country."""
_POSTAL_PAGES = {"US": _USPS, "CA": _CANADA_POST}
"""Countries whose postal service is among the carriers above."""


@cache
def postal_carrier(country: str) -> Carrier:
    """The postal service of a country (ISO 3166, two letters) that has one in the table, with its one format."""
    known = _POSTAL_PAGES.get(country)
    code, name, page = (
        (known.code, known.name, known.page) if known else (f"post_{country.lower()}", POSTAL_SERVICES[country], None)
    )
    return Carrier(code, name, page, (Format(f"letters:2 digits:9 {country}", postal, checked_from=2, check_at=-3),))
