"""Names: one spelling for each, and nothing in them that a reader cannot see."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipledger.text import has_control_characters, has_hidden_characters, tidy


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  SKU-1\t\n", "SKU-1"),
        ("\u00a0\u3000SKU-1\u2003", "SKU-1"),
        ("two  words", "two  words"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\u212b", "\u00c5"),
        ("sku", "sku"),
        ("SKU", "SKU"),
        ("\uff21", "\uff21"),
        ("   ", ""),
    ],
    ids=ascii,
)
def test_a_name_is_trimmed_and_composed_and_nothing_else(text: str, name: str) -> None:
    assert tidy(text) == name


@given(st.text())
def test_a_tidy_name_stays_as_it_is(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_composed_and_decomposed_spellings_are_one_name(text: str) -> None:
    assert tidy(unicodedata.normalize("NFD", text)) == tidy(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("character", "is_hidden", "is_control"),
    [
        ("\x00", True, True),
        ("\n", True, True),
        ("\x7f", True, True),
        ("\x85", True, True),
        ("\ud800", True, True),
        ("\u200b", True, False),
        ("\u200d", True, False),
        ("\u202e", True, False),
        ("\u2066", True, False),
        ("\ufeff", True, False),
        ("\u2028", True, False),
        ("\U000e0041", True, False),
        (" ", False, False),
        ("\u00e9", False, False),
        ("\u0430", False, False),
        ("\U0001f600", False, False),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("neighbours", ["ab", "\u00e9\u00e9"], ids=["ascii", "other"])
def test_hidden_and_control_characters(character: str, is_hidden: bool, is_control: bool, neighbours: str) -> None:
    text = f"{neighbours[0]}{character}{neighbours[1]}"
    assert has_hidden_characters(text) is is_hidden
    assert has_control_characters(text) is is_control
