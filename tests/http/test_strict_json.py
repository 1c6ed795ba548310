"""What a body may hold, where a fault is said to be, and that the fast reader never differs from the strict one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipledger.http import strict_json
from shipledger.http.strict_json import DEPTH_MAX, INTEGER_DIGITS_MAX, JSONFault, decode

PUBLISHED_EXAMPLE = b"""{
    "order_id": 450789469,
    "line_items": [
      {
        "sku": "RPBF24-1941",
        "quantity": 1,
      }
    ],
    "tracking_number": "1ZE356F8YW01937117"
}"""
HUGE_INTEGER = b"7" * (INTEGER_DIGITS_MAX + 1)
SURROGATE_AS_UTF8 = b"\xed\xa0\x80"


def fault_of(body: bytes) -> str:
    with pytest.raises(JSONFault) as caught:
        decode(body)
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 1.5, true, false, null, "x", {}]}', {"a": [1, 1.5, True, False, None, "x", {}]}),
        (b" \t\r\n[ ] ", []),
        (b"42", 42),
        (b'"x"', "x"),
        (b"null", None),
        (b'{"a": 1.0}', {"a": 1.0}),
        (b'{"url": "https://example.com:8443/"}', {"url": "https://example.com:8443/"}),
        (b'{"a": {"a": 1}, "b": {"a": 1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        (b"[9223372036854775808]", [2**63]),
        (b"[-18446744073709551617]", [-(2**64) - 1]),
        (HUGE_INTEGER[1:], int(HUGE_INTEGER[1:])),
        (b'[":", -' + HUGE_INTEGER[1:] + b"]", [":", -int(HUGE_INTEGER[1:])]),
        (b"1e-400", 0.0),
        (b'"\\u0000\\u001f"', "\x00\x1f"),
        (b'"\x7f"', "\x7f"),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('"\N{GRINNING FACE}"'.encode(), "\N{GRINNING FACE}"),
        (b'"\\\\ud800 \\ud83d\\ude00"', "\\ud800 \N{GRINNING FACE}"),
        (b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, json.loads("[" * DEPTH_MAX + "]" * DEPTH_MAX)),
    ],
)
def test_reads(body: bytes, value: object) -> None:
    assert repr(decode(body)) == repr(value)


@pytest.mark.parametrize(
    ("body", "place", "advice"),
    [
        (b"", "line 1, column 1", "empty"),
        (b" \r\n\t", "line 1, column 1", "empty"),
        (b'{\n "order_id": 45', "line 2, column 16", "ends too soon"),
        (b'{"a": ', "line 1, column 7", "ends too soon"),
        (b'{"a": "b', "line 1, column 7", "never closed"),
        (b'{"a": 1}\n{"a": 1}', "line 2, column 1", "one document"),
        (b'{"a": 1} // note', "line 1, column 10", "comments"),
        (b'{"a": /* note */ 1}', "line 1, column 7", "comments"),
        (b'# note\n{"a": 1}', "line 1, column 1", "comments"),
        (b"{'a': 1}", "line 1, column 2", "double quotes"),
        (b"{\"a\": 'b'}", "line 1, column 7", "double quotes"),
        (b"{a: 1}", "line 1, column 2", "double quotes"),
        (b'{"a" 1}', "line 1, column 6", "colon"),
        (b'{"a": 1 "b": 2}', "line 1, column 9", "comma"),
        (b'{\n "a": 1,\n "a": 2}', "line 3, column 2", "twice"),
        (b'{"a": {"b": 1, "\\u0062": 1}}', "line 1, column 16", "twice"),
        (b'[{"a:": 1, "b": 2}, {"b": {"c": 1}, "b": 2}]', "line 1, column 37", "twice"),
        (b'{"a": NaN}', "line 1, column 7", "NaN"),
        (b"[1, Infinity]", "line 1, column 5", "Infinity"),
        (b'["-Infinity", -Infinity]', "line 1, column 15", "Infinity"),
        (b"NaNoseconds", "line 1, column 1", "NaN"),
        (b'{"a": 1e400}', "line 1, column 7", "too large"),
        (b'{"a": -1e400}', "line 1, column 7", "too large"),
        (b'{"a": ' + HUGE_INTEGER + b"}", "line 1, column 7", "too large"),
        (b'{"a": -' + HUGE_INTEGER + b"}", "line 1, column 7", "too large"),
        (b'{"a": ' + b"7" * 5_000 + b"}", "line 1, column 7", "too large"),
        (b"\xef\xbb\xbf{}", "line 1, column 1", "byte order mark"),
        ("{}".encode("utf-16"), "line 1, column 1", "UTF-16"),
        ("{}".encode("utf-16-le"), "line 1, column 1", "UTF-16"),
        ("{}".encode("utf-16-be"), "line 1, column 1", "UTF-16"),
        ("{}".encode("utf-32"), "line 1, column 1", "UTF-16"),
        ("{}".encode("utf-32-be"), "line 1, column 1", "UTF-16"),
        ('{\n"ä": "'.encode() + b'\xff"}', "line 2, column 7", "not UTF-8"),
        (b'{"a": "' + SURROGATE_AS_UTF8 + b'"}', "line 1, column 8", "not UTF-8"),
        (b'"\xc0\x80"', "line 1, column 2", "not UTF-8"),
        (b'["ok", "\\ud800"]', "line 1, column 8", "surrogate"),
        (b'"\\ude00\\ud83d"', "line 1, column 1", "surrogate"),
        (b'{"\\ud800\\u0041": 1}', "line 1, column 2", "surrogate"),
        (b'{"a": "x\x01"}', "line 1, column 9", "control character"),
        (b'{"a": "x\n"}', "line 1, column 9", "control character"),
        (b'"\\x"', "line 1, column 2", "escape"),
        (b'"\\u12"', "line 1, column 3", "hexadecimal"),
        (b"[" * 100_000 + b"]" * 100_000, "line 1, column 65", "nested"),
        (b'{"a":' * 100_000, "line 1, column 321", "nested"),
        (b"[[], " + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX + b"]", "line 1, column 69", "nested"),
        (b'{"a": 01}', "line 1, column 8", "comma"),
        (b"\x0c{}", "line 1, column 1", "value"),
    ],
)
def test_refuses_and_says_where(body: bytes, place: str, advice: str) -> None:
    message = fault_of(body)
    assert f"{place}: " in message
    assert advice in message


def test_repeats_nothing_of_the_body() -> None:
    for body in (b'{"<script>": 1, "<script>": 2}', b"<script>", b'{"a": "<script>', b'{"a": 1} <script>'):
        assert "script" not in fault_of(body)


def test_reads_the_published_example_with_its_trailing_comma() -> None:
    assert decode(PUBLISHED_EXAMPLE) == {
        "order_id": 450789469,
        "line_items": [{"sku": "RPBF24-1941", "quantity": 1}],
        "tracking_number": "1ZE356F8YW01937117",
    }


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[1,]", [1]),
        (b"[1 , \n]", [1]),
        (b'{"a": [{},],}', {"a": [{}]}),
        (b'[",]", ",}",]', [",]", ",}"]),
        (b'["\\",]",]', ['",]']),
    ],
)
def test_reads_trailing_commas_outside_strings(body: bytes, value: object) -> None:
    assert decode(body) == value


@pytest.mark.parametrize("body", [b"[,]", b"{,}", b"[ ,\n]", b"[1,,]", b'{"a":,}', b'{"a",}', b"[1],", b",", b"[[,],]"])
def test_refuses_commas_that_end_nothing(body: bytes) -> None:
    assert "line 1, column" in fault_of(body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a": [1,],\n "b": [1,,]}', "line 2, column 10"),
        (b'{"a": [1,],\n "a": [2,],\n}', "line 2, column 2"),
        (b'[[1,],\n  "\\ud800",]', "line 2, column 3"),
        (b"[[1,],\n 1e400,]", "line 2, column 2"),
        (b'[[1,], "\\ud800"]', "line 1, column 8"),
    ],
)
def test_places_keep_after_trailing_commas(body: bytes, place: str) -> None:
    assert f"{place}: " in fault_of(body)


def test_depth_is_the_same_for_both_readers() -> None:
    for depth, is_read in ((DEPTH_MAX, True), (DEPTH_MAX + 1, False)):
        for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
            assert outcome(strict_json._decode_fast, body)[0] is is_read
            assert outcome(strict_json._decode_strictly, body)[0] is is_read


def test_time_grows_no_faster_than_a_hostile_body() -> None:
    for body in (b'"' + b'\\"' * 500_000, b"[" + b", " * 500_000, b"[1," + b" " * 1_000_000, b'{"a' * 300_000):
        fault_of(body)  # a backtracking search would run into the timeout


# The fast reader against the strict one


def outcome(read: object, body: bytes) -> tuple[bool, str]:
    """Whether `read` accepts the body, and the value; repr tells 1 from 1.0 and from true."""
    assert callable(read)
    try:
        return True, repr(read(body))
    except (ValueError, RecursionError):
        return False, ""


LITERALS = (
    *(
        "null",
        "true",
        "NaN",
        "-Infinity",
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1e5",
        "1E+2",
        "01",
        "1.",
        "-",
        ".5",
        "1e400",
        "1e-400",
    ),
    *(
        "9223372036854775808",
        "1" * INTEGER_DIGITS_MAX,
        "1" * (INTEGER_DIGITS_MAX + 1),
        "1" * 5_000,
        "0.1000000000000000055",
    ),
)
STRINGS = (
    *('""', '"a"', '"a:b"', '":"', '"\\u0061"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '"\\u0000"'),
    *('"\x01"', '"\x7f"', '"\n"', '"ä"', '"\u2028"', '"\\x"', '"\\/"', "'a'", '"', '"\\"', '"\ufeff"'),
)
PUNCTUATION = ("[", "]", "{", "}", ":", ",", ",]", ",}", '{"a":', '"a":', " ", "\n", "\x0c", "\xa0", "\ufeff", "//")

plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.integers(min_value=10 ** (INTEGER_DIGITS_MAX - 1), max_value=10 ** (INTEGER_DIGITS_MAX + 1)),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=3), values, max_size=4),
    max_leaves=12,
)
valid_bodies = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(),
    plain_values,
    st.booleans(),
    st.sampled_from([None, 1]),
)
jumbles = st.lists(st.sampled_from(LITERALS + STRINGS + PUNCTUATION), max_size=12).map(
    lambda parts: "".join(parts).encode()
)
objects_with_repeated_names = st.lists(
    st.tuples(st.sampled_from(['"a"', '"\\u0061"', '"b"', '"a:b"']), st.sampled_from(LITERALS + STRINGS)), max_size=4
).map(lambda members: ("{" + ",".join(f"{name}:{value}" for name, value in members) + "}").encode())


@st.composite
def mutated_bodies(draw: st.DrawFn) -> bytes:
    """A valid body in which a few bytes were replaced, removed or put in."""
    body = draw(valid_bodies)
    insertions = st.binary(max_size=2) | st.sampled_from(LITERALS + STRINGS + PUNCTUATION).map(str.encode)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        body = body[:start] + draw(insertions) + body[start + draw(st.integers(0, 2)) :]
    return body


@given(valid_bodies | jumbles | objects_with_repeated_names | mutated_bodies() | st.binary(max_size=12))
def test_both_readers_agree(body: bytes) -> None:
    strict = outcome(strict_json._decode_strictly, body)
    fast = outcome(strict_json._decode_fast, body)
    assert outcome(decode, body) == strict
    assert fast in (strict, (False, ""))
    # Only a colon in a string or a trailing comma may send a good body down the slow path.
    has_trailing_comma = any(b"," + space + end in body for space in (b"", b" ", b"\n") for end in (b"]", b"}"))
    if strict[0] and not has_trailing_comma and body.count(b":") == strict_json._count_names(decode(body), DEPTH_MAX):
        assert fast == strict


@given(valid_bodies)
def test_every_valid_body_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    try:
        expected = repr(json.loads(body))
        value = repr(decode(body))
    except JSONFault as fault:
        assert "too large" in fault.message or "surrogate" in fault.message  # noqa: PT017 - either outcome is right
    else:
        assert value == expected
