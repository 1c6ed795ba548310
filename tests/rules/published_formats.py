"""The shared definitions of tracking numbers, read and applied as they are written: slow, and none of our code."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PublishedFormat:
    """One definition: its pattern, how its check digit is computed, and its published numbers."""

    courier: str
    name: str
    pattern: re.Pattern[str]
    validation: dict[str, Any]
    page: str | None
    countries: frozenset[str] | None
    valid: tuple[str, ...]
    invalid: tuple[str, ...]

    def accepts(self, number: str) -> bool:
        """Whether the number is one of this definition, by its pattern, its check digit and its countries."""
        found = self.pattern.fullmatch(number)
        if found is None:
            return False
        groups = {name: re.sub(r"\s", "", text or "") for name, text in found.groupdict().items()}
        if self.countries is not None and groups["CountryCode"] not in self.countries:
            return False
        return self._is_checked(groups)

    def _is_checked(self, groups: dict[str, str]) -> bool:
        checksum = self.validation.get("checksum")
        if checksum is None:
            return True
        serial = groups["SerialNumber"]
        prepend = self.validation.get("serial_number_format", {}).get("prepend_if")
        if prepend and re.match(prepend["matches_regex"], serial):
            serial = prepend["content"] + serial
        return _CHECKS[checksum["name"]](serial, groups["CheckDigit"], checksum)

    def carrier_of(self, number: str) -> str:
        """The short name that the carrier of one of its numbers has with us."""
        if self.countries is None:
            return self.courier
        country = "".join(number.split())[-2:]
        return {"US": "usps", "CA": "canada_post"}.get(country, f"post_{country.lower()}")


def _mod_10(serial: str, check: str, rule: dict[str, Any]) -> bool:
    total = 0
    for at, character in enumerate(reversed(serial) if rule.get("reverse") else serial):
        value = int(character) if character.isdigit() else (ord(character) - 3) % 10
        total += value * rule["odds_multiplier" if at % 2 else "evens_multiplier"]
    return (10 - total % 10) % 10 == int(check)


def _luhn(serial: str, check: str, _rule: dict[str, Any]) -> bool:
    total = 0
    for at, digit in enumerate(reversed(serial + check)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _weighted(serial: str, check: str, rule: dict[str, Any]) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(serial, rule["weightings"], strict=True))
    return bool(total % rule["modulo1"] % rule["modulo2"] == int(check))


def _postal(serial: str, check: str, rule: dict[str, Any]) -> bool:
    remainder = sum(int(digit) * weight for digit, weight in zip(serial, rule["weightings"], strict=True)) % 11
    return int(check) == (5 if remainder == 0 else 0 if remainder == 1 else 11 - remainder)


def _mod_37_36(serial: str, check: str, rule: dict[str, Any]) -> bool:
    alphabet, rest = rule["alphabet"], 36
    for character in serial:
        rest += alphabet.index(character)
        rest = 2 * (rest - 36 if rest > 36 else rest)
        rest = rest - 37 if rest > 36 else rest
    return bool(alphabet[(37 - rest) % 36] == check)


_CHECKS = {
    "mod10": _mod_10,
    "mod7": lambda serial, check, _rule: int(serial) % 7 == int(check),
    "luhn": _luhn,
    "sum_product_with_weightings_and_modulo": _weighted,
    "s10": _postal,
    "mod_37_36": _mod_37_36,
}


def published_formats(shared_data: Path) -> Iterator[PublishedFormat]:
    for path in sorted((shared_data / "tracking_numbers").glob("*.json")):
        courier = json.loads(path.read_text(encoding="utf-8"))
        for one in courier["tracking_numbers"]:
            pattern = "".join(one["regex"]).replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
            lookups = {more["name"]: more["lookup"] for more in one.get("additional", ())}
            must_exist = "exists" in one["validation"].get("additional", {})
            yield PublishedFormat(
                courier["courier_code"],
                one["name"],
                re.compile(f"(?:{pattern})\\s*"),
                one["validation"],
                one.get("tracking_url"),
                frozenset(entry["matches"] for entry in lookups["Courier"]) if must_exist else None,
                tuple(one["test_numbers"]["valid"]),
                tuple(one["test_numbers"]["invalid"]),
            )
