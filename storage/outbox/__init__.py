"""The outbox: letters are written in the transaction of their cause, then claimed, posted and settled one by one.

Letters are claimed by whoever gets their channel's lease, and the claim is committed before the first byte leaves; so a
row in `sending` says "perhaps posted". Whatever ends without a clear answer becomes `unknown` and is settled by Slack's
own record before it is ever posted again. Edits in place may be repeated: they are idempotent.

Two clocks: an occurrence is due by the caller's; who holds a letter, and when one that was put off may be taken again,
goes by the database's clock alone, which all replicas share.
"""

from storage.outbox.claiming import claim
from storage.outbox.letters import (
    CATCH_UP,
    LATE,
    LEASE_SECONDS,
    LOOK_AFTER_SECONDS,
    UNPOSTED,
    Letter,
    Outcome,
    dead,
    doubtful,
    later,
    letter_id,
    put_off,
    sent,
    skipped,
    stopped,
)
from storage.outbox.putting import Revived, doubt, put, revive, withdraw
from storage.outbox.settling import edit_again, heard, release, settle
from storage.outbox.standing import HELD, Lot, is_sent, last_sent, lots

__all__ = [
    "CATCH_UP",
    "HELD",
    "LATE",
    "LEASE_SECONDS",
    "LOOK_AFTER_SECONDS",
    "UNPOSTED",
    "Letter",
    "Lot",
    "Outcome",
    "Revived",
    "claim",
    "dead",
    "doubt",
    "doubtful",
    "edit_again",
    "heard",
    "is_sent",
    "last_sent",
    "later",
    "letter_id",
    "lots",
    "put",
    "put_off",
    "release",
    "revive",
    "sent",
    "settle",
    "skipped",
    "stopped",
    "withdraw",
]
