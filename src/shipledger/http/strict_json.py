"""JSON as RFC 8259 has it, read so that no two readers of one body can disagree about it.

Refused, although Python's own reader accepts them: duplicate names, NaN and Infinity, numbers beyond a double,
integers of thousands of digits, lone surrogates, UTF-16 and deep nesting. The one leniency is a comma before a
closing bracket, because the published example carries one.
"""

import codecs
import json
import math
import re
from collections.abc import Callable, Collection
from functools import partial

import msgspec

DEPTH_MAX = 64
"""Objects and arrays that may be open at once."""

INTEGER_DIGITS_MAX = 400
"""Digits of an integer: below 640, the lowest limit of an interpreter, and far above any field's own limit."""

_INTEGER_LIMIT = 10**INTEGER_DIGITS_MAX
_COUNTS_NOTHING = frozenset({str, float, bool, type(None)})
_SPACE = " \t\r\n"

# Every quantifier is possessive, so that a hostile body costs one pass. An unclosed string runs to the end.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TOKEN = re.compile(_STRING + r'|[\[\]{}:,]|[^\s\[\]{}:,"]++', re.DOTALL)
_LONE_COMMA, _TRAILING_COMMA = rf"[\[{{,][{_SPACE}]*+,", rf",(?=[{_SPACE}]*+[\]}}])"
_MENDABLE = re.compile(f"{_STRING}|{_LONE_COMMA}|{_TRAILING_COMMA}", re.DOTALL)

_TOO_DEEP = f"more than {DEPTH_MAX} objects and arrays are nested in each other; send a flatter document"
_HUGE_NUMBER = "this number is too large; send a smaller one, or a string"

_ADVICE_BY_CHARACTER = {
    "'": "strings and names are written in double quotes, not in single ones",
    "/": "comments are not JSON; remove them",
    "#": "comments are not JSON; remove them",
}
_ADVICE_BY_FAULT = {
    "Expecting value": "a value is expected here; strings need double quotes, and no comma stands alone",
    "Expecting property name enclosed in double quotes": "a name in double quotes is expected here",
    "Expecting ':' delimiter": "a colon is expected here, between a name and its value",
    "Expecting ',' delimiter": "a comma or a closing bracket is expected here",
    "Unterminated string starting at": "the string that begins here is never closed; add the double quote",
    "Invalid control character at": "a string holds a raw control character; write it as an escape, such as \\n or \\t",
    "Invalid \\escape": "this is no escape that JSON knows; write a backslash itself as \\\\",
    "Invalid \\uXXXX escape": "four hexadecimal digits are expected after \\u",
    "Extra data": "the document has already ended here; send one document in a request",
}


class JSONFault(ValueError):
    """The body is refused. `message` names line and column, says what to mend, and repeats nothing of the body."""

    def __init__(self, line: int, column: int, advice: str) -> None:
        self.message = f"The body cannot be read as JSON: line {line}, column {column}: {advice}."
        super().__init__(self.message)


class _Refusal(ValueError):
    """JSON that is well formed and still refused; `find` gives the position in the text, which a hook is not told."""

    def __init__(self, advice: str, find: Callable[[str], int]) -> None:
        super().__init__(advice)
        self.advice = advice
        self.find = find


def decode(body: bytes) -> object:
    """Return the value that `body` holds. Raises JSONFault, and nothing else."""
    try:
        return _decode_fast(body)
    except (ValueError, RecursionError):
        return _decode_strictly(body)


def _decode_fast(body: bytes) -> object:
    """Decode a body that the strict reader is sure to read alike. Raises ValueError or RecursionError for any other."""
    value: object = _fast_reader.decode(body)
    # msgspec keeps the last of two equal names; when no colon is left over, there was no second one.
    if _count_names(value, DEPTH_MAX) != body.count(b":"):
        raise ValueError("a name may occur twice")
    return value


def _count_names(value: object, levels_left: int) -> int:
    """Count the names in all objects of `value`. Raises ValueError for one too deep, or an integer too long."""
    items: Collection[object]
    if isinstance(value, dict):
        count, items = len(value), value.values()
    elif isinstance(value, list):
        count, items = 0, value
    elif isinstance(value, int) and not -_INTEGER_LIMIT < value < _INTEGER_LIMIT:
        raise ValueError(_HUGE_NUMBER)
    else:
        return 0
    if not levels_left:
        raise _Refusal(_TOO_DEEP, _find_too_deep)
    for item in items:
        if type(item) not in _COUNTS_NOTHING:
            count += _count_names(item, levels_left - 1)
    return count


def _decode_strictly(body: bytes) -> object:
    """Decode with the standard library's reader and every refusal that it lacks. Raises JSONFault."""
    text = _text(body)
    try:
        return _read(text)
    except json.JSONDecodeError:
        mended = _MENDABLE.sub(_blank_out_trailing_comma, text)
    try:
        return _read(mended)
    except json.JSONDecodeError as error:
        raise _fault(mended, error.pos, _advice(error)) from None


def _text(body: bytes) -> str:
    """Decode UTF-8 that begins with JSON itself. Raises JSONFault."""
    if body.startswith(codecs.BOM_UTF8):
        raise JSONFault(1, 1, "the body begins with a byte order mark; send UTF-8 without it")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in body[:4]:
        raise JSONFault(1, 1, "the body is UTF-16 or UTF-32; send it as UTF-8")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start].decode()
        raise _fault(before, len(before), "this byte is not UTF-8; send the body as UTF-8") from None
    if not text.strip(_SPACE):
        raise JSONFault(1, 1, "the body is empty; send a JSON document")
    return text


def _read(text: str) -> object:
    """Read `text` strictly. Raises json.JSONDecodeError for what is not JSON, JSONFault for what is refused."""
    try:
        value: object = _strict_reader.decode(text)
        _refuse_lone_surrogates(text)
        _count_names(value, DEPTH_MAX)
    except RecursionError:
        raise _fault(text, _find_too_deep(text), _TOO_DEEP) from None
    except _Refusal as refusal:
        raise _fault(text, refusal.find(text), refusal.advice) from None
    return value


def _blank_out_trailing_comma(match: re.Match[str]) -> str:
    """Replace a trailing comma by a space, so that every other character keeps its place."""
    return " " if match[0] == "," else match[0]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object. Raises _Refusal when a name occurs twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refusal("this name occurs twice in the same object; keep one of them", _find_duplicate_name)
    return members


def _integer(literal: str) -> int:
    """Read an integer. Raises _Refusal when it has too many digits."""
    if len(literal.lstrip("-")) > INTEGER_DIGITS_MAX:
        raise _Refusal(_HUGE_NUMBER, partial(_find_literal, literal))
    return int(literal)


def _float(literal: str) -> float:
    """Read a number with a fraction or an exponent. Raises _Refusal when no double holds it."""
    number = float(literal)
    if math.isinf(number):
        raise _Refusal(_HUGE_NUMBER, partial(_find_literal, literal))
    return number


def _constant(literal: str) -> object:
    """Raise _Refusal for NaN, Infinity and -Infinity."""
    raise _Refusal("NaN and Infinity are not JSON; send a number or null", partial(_find_literal, literal))


def _refuse_lone_surrogates(text: str) -> None:
    """Raise JSONFault for half a surrogate pair; only an escape can bring one into valid UTF-8."""
    if "\\u" not in text:
        return
    for match in _TOKEN.finditer(text):
        if "\\u" in match[0] and _SURROGATE.search(json.loads(match[0])):
            raise _fault(text, match.start(), "half a surrogate pair; send both halves, or plain UTF-8")


# The finders search a text of which the reader has accepted everything before the place in question.


def _find_literal(literal: str, text: str) -> int:
    """Return the position of the first number or constant that begins with `literal`."""
    return next((match.start() for match in _TOKEN.finditer(text) if match[0].startswith(literal)), 0)


def _find_too_deep(text: str) -> int:
    """Return the position of the bracket that opens one level too many."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                return match.start()
        elif match[0] in "]}":
            depth -= 1
    return 0


def _find_duplicate_name(text: str) -> int:
    """Return the position of the first name that its object already has."""
    names_by_level: list[set[object]] = []
    latest, position = "", 0
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part in "[{":
            names_by_level.append(set())
        elif part in "]}":
            names_by_level.pop()
        elif part == ":":
            name = json.loads(latest)
            if name in names_by_level[-1]:
                return position
            names_by_level[-1].add(name)
        latest, position = part, match.start()
    return 0


def _advice(error: json.JSONDecodeError) -> str:
    """Say how to mend what the standard library's reader met."""
    if error.pos >= len(error.doc.rstrip(_SPACE)):
        return "the document ends too soon; a bracket or a value is missing"
    by_character = _ADVICE_BY_CHARACTER.get(error.doc[error.pos])
    return by_character or _ADVICE_BY_FAULT.get(error.msg, "this is not JSON")


def _fault(text: str, position: int, advice: str) -> JSONFault:
    """Make the fault for a position in `text`; lines and columns count from 1, columns in characters."""
    line_start = text.rfind("\n", 0, position) + 1
    return JSONFault(text.count("\n", 0, position) + 1, position - line_start + 1, advice)


_fast_reader = msgspec.json.Decoder()
_strict_reader = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
