"""Who asks: every command and every event says it."""

from shipledger.value import dataclass

OPERATOR = "operator"
"""The account of those who run the ledger. A partner's account is ``partner:`` and its name."""

_PARTNER = "partner:"


def account_of(partner: str | None) -> str:
    """The account of a partner, or, for None, the operator's."""
    return OPERATOR if partner is None else f"{_PARTNER}{partner}"


def partner_of(account: str) -> str | None:
    """The partner whose account it is, or None for the operator's."""
    return None if account == OPERATOR else account.removeprefix(_PARTNER)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks: the account that idempotency keys belong to, the partner (None: the operator), facts for the audit."""

    account: str
    partner: str | None
    actor: str
    key_id: int | None
    request_id: str
