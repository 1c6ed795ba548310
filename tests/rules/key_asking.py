"""Keys as tests ask for them."""

from typing import Any

from shipledger.key import PUBLIC_BYTES, SECRET_BYTES, CreateKey, Role, mint
from tests.rules.asking import origin


def create(number: int = 1, role: Role = Role.OPERATOR, partner: str | None = None, **rest: Any) -> CreateKey:
    """A key that differs from those of other numbers."""
    _, credential = mint(bytes([number]) * (PUBLIC_BYTES + SECRET_BYTES))
    asked: dict[str, Any] = {"name": f"key {number}", "scopes": None, "origin": origin(), **rest}
    return CreateKey(credential=credential, role=role, partner=partner, **asked)
