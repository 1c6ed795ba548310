"""Texts that name things (skus, references, tracking numbers): one spelling for each, and no hidden characters."""

import unicodedata

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (zero-width characters, bidi overrides), surrogates, line and paragraph separators."""


def tidy(text: str) -> str:
    """The one spelling of a name: trimmed, and composed (Unicode NFC), so that NFD input finds what NFC stored."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def has_hidden_characters(text: str) -> bool:
    """Whether the text holds characters that a reader cannot see and that make two names look alike."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(character) in _HIDDEN_CATEGORIES for character in text)


def has_control_characters(text: str) -> bool:
    """Whether the text holds control characters. Prose (a title, a reason) may join emoji, but not ring a bell."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
