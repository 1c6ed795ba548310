"""The rules of routing rules: each belongs to one partner."""

from shipledger.document import partner_document, with_warnings
from shipledger.event import EventType
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.routing import KINDS, Partner, PutPartner
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet


def put_partner(command: PutPartner, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Give a partner these rules, unless another has one of them. The same rules again change nothing.

    It is the operator's to say: another's rules do not exist for a partner, nor do its own.
    """
    if command.origin.partner is not None:
        return Refusal(Reason.NOT_FOUND)
    taken = [
        Detail("rule_taken", f"{kind}[{index}]", f"Partner {holder} has this rule; take it from there first.")
        for kind in KINDS
        for index, rule in enumerate(command.rules.of(kind))
        if (holder := working_set.routing.holder_of(kind, rule)) not in (None, command.name)
    ]
    if taken:
        return Refusal(Reason.RULE_TAKEN, tuple(taken))
    known = working_set.partners.get(command.name)
    if known is not None and known.rules == command.rules:
        return Done(with_warnings(partner_document(known), command.cautions), is_new=False)
    partner = Partner(command.name, command.rules, now)
    working_set.put_partner(partner)
    document = partner_document(partner)
    working_set.add_administrative_event(command.origin, EventType.PARTNER_CHANGED, document, now)
    return Done(with_warnings(document, command.cautions))
