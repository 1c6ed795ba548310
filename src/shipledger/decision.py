"""What becomes of a command, given the rows it touches and the time. No I/O, no clock, no database."""

from collections.abc import Callable, Mapping

from shipledger.command import (
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    Command,
    CreateFulfillment,
    CreateOrder,
    HoldOrder,
    ReleaseOrder,
    TakeOverFulfillment,
)
from shipledger.correcting import add_carrier_event, cancel_fulfillment, change_tracking
from shipledger.file_import import BeginImport, FinishImport, TakeBack, UndoImport
from shipledger.fulfilling import create_fulfillment
from shipledger.import_rules import decide_import
from shipledger.key import CreateKey, NoteKeyUse, RevokeKey, RotateKey
from shipledger.key_rules import create_key, note_key_use, revoke_key, rotate_key
from shipledger.order_intake import create_order
from shipledger.order_keeping import cancel_order, change_order, hold_order, release_order
from shipledger.outcome import Outcome
from shipledger.partner_rules import put_partner
from shipledger.routing import PutPartner
from shipledger.taking_over import take_over_fulfillment
from shipledger.timestamp import Microseconds
from shipledger.webhook import ChangeEndpoint, CreateEndpoint, DeleteEndpoint, RotateSecret
from shipledger.webhook_rules import decide_endpoint
from shipledger.working_set import WorkingSet

_RULES: Mapping[type[Command], Callable[..., Outcome]] = {
    CreateFulfillment: create_fulfillment,
    TakeOverFulfillment: take_over_fulfillment,
    ChangeTracking: change_tracking,
    CancelFulfillment: cancel_fulfillment,
    AddCarrierEvent: add_carrier_event,
    CreateOrder: create_order,
    ChangeOrder: change_order,
    CancelOrder: cancel_order,
    HoldOrder: hold_order,
    ReleaseOrder: release_order,
    CreateKey: create_key,
    RevokeKey: revoke_key,
    RotateKey: rotate_key,
    NoteKeyUse: note_key_use,
    PutPartner: put_partner,
    CreateEndpoint: decide_endpoint,
    ChangeEndpoint: decide_endpoint,
    DeleteEndpoint: decide_endpoint,
    RotateSecret: decide_endpoint,
    BeginImport: decide_import,
    FinishImport: decide_import,
    UndoImport: decide_import,
    TakeBack: decide_import,
}


def decide(command: Command, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Carry the command out on the working set, or refuse it and leave the working set as it was."""
    return _RULES[type(command)](command, working_set, now)
