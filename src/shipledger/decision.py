"""What becomes of a command, given the rows it touches and the time. No I/O, no clock, no database."""

from shipledger.command import Command, CreateFulfillment, CreateOrder
from shipledger.fulfilling import create_fulfillment
from shipledger.key import CreateKey, NoteKeyUse, RevokeKey, RotateKey
from shipledger.key_rules import create_key, note_key_use, revoke_key, rotate_key
from shipledger.order_intake import create_order
from shipledger.outcome import Outcome
from shipledger.partner_rules import put_partner
from shipledger.routing import PutPartner
from shipledger.timestamp import Microseconds
from shipledger.webhook import ChangeEndpoint, CreateEndpoint, DeleteEndpoint, RotateSecret
from shipledger.webhook_rules import decide_endpoint
from shipledger.working_set import WorkingSet


def decide(command: Command, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Carry the command out on the working set, or refuse it and leave the working set as it was."""
    match command:
        case CreateFulfillment():
            return create_fulfillment(command, working_set, now)
        case CreateOrder():
            return create_order(command, working_set, now)
        case CreateKey():
            return create_key(command, working_set, now)
        case RevokeKey():
            return revoke_key(command, working_set, now)
        case RotateKey():
            return rotate_key(command, working_set, now)
        case PutPartner():
            return put_partner(command, working_set, now)
        case NoteKeyUse():
            return note_key_use(command, working_set)
        case CreateEndpoint() | ChangeEndpoint() | DeleteEndpoint() | RotateSecret():
            return decide_endpoint(command, working_set, now)
