"""The check digits of tracking numbers: for each rule, the last character that belongs to what stands before it.

Texts are ASCII digits, where a rule says so capital letters too. What each rule was made for stands in `carriers.py`.
"""

from collections.abc import Callable
from enum import StrEnum


class CheckResult(StrEnum):
    """What a number's check digit says of it; none where no format of it has one."""

    VERIFIED = "verified"
    FAILED = "failed"
    NONE = "none"


CheckRule = Callable[[str], str]
"""The check digit of a text."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_UPS_VALUES = bytes.maketrans(
    _ALPHABET.encode(),
    bytes(value if character.isdigit() else (value + 2) % 10 for character, value in _VALUES.items()),
)
"""Letters count as if they went on from 2: A is 2, H is 9, I is 0."""
_POSTAL_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def remainder_of_seven(digits: str) -> str:
    """What the number leaves when it is divided by 7."""
    return str(int(digits) % 7)


def gs1(digits: str) -> str:
    """From the right each second digit, the last one first, counts three times; the sum is filled up to tens."""
    total = 3 * sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def gs1_after_91(digits: str) -> str:
    """GS1 over the digits with the application identifier 91 before them, which labels may leave out."""
    return gs1(digits if digits.startswith("91") else f"91{digits}")


def luhn(digits: str) -> str:
    """From the right each second digit, the last one first, is doubled; the sum of all digits is filled up to tens."""
    total = sum(int(digit) for digit in digits[-2::-2])
    total += sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::-2])
    return str(-total % 10)


def every_second_doubled(text: str) -> str:
    """From the left each second character counts twice; letters have values; the sum is filled up to tens."""
    values = text.encode().translate(_UPS_VALUES)
    return str(-(sum(values[::2]) + 2 * sum(values[1::2])) % 10)


def weighted_one_three_seven(digits: str) -> str:
    """From the right digits weigh 1, 3, 7, 1, 3, 7 and so on; the sum's remainder of 11, its last digit."""
    values = [int(digit) for digit in reversed(digits)]
    total = sum(values[::3]) + 3 * sum(values[1::3]) + 7 * sum(values[2::3])
    return str(total % 11 % 10)


def postal(digits: str) -> str:
    """The Universal Postal Union's rule (S10) for eight digits: weighted, and eleven less the remainder of 11."""
    total = sum(weight * int(digit) for weight, digit in zip(_POSTAL_WEIGHTS, digits, strict=True))
    check = 11 - total % 11
    return str({10: 0, 11: 5}.get(check, check))


def mod_37_36(text: str) -> str:
    """ISO 7064, MOD 37,36, for digits and letters; the check character may be a letter."""
    product = 36
    for character in text:
        product = (product + _VALUES[character]) % 36 or 36
        product = product * 2 % 37
    return _ALPHABET[(37 - product) % 36]
