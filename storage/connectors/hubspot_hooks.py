"""HubSpot's webhooks: genuine, fresh, and no more than a hint of which rows to read again."""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from storage.connectors.base import Hint, Knock, NotGenuineError
from storage.connectors.hubspot_records import contact_id

OLDEST = timedelta(minutes=5)
AHEAD = timedelta(minutes=1)
"""How far HubSpot's clock may be before ours."""
_OBJECTS = {
    "deal": "deal",
    "0-3": "deal",
    "company": "customer",
    "0-2": "customer",
    "contact": "contact",
    "0-1": "contact",
    "lead": "lead",
    "0-136": "lead",
}
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
"""HubSpot signs the address with these, and only these, decoded."""


def hints(knock: Knock, secret: SecretStr | None, now: datetime) -> list[Hint]:
    """The rows that a delivery speaks of.

    Raises `NotGenuineError` where the v3 signature is missing, wrong, older than five minutes or from the future;
    `ValueError` for a body that is no list of events.
    """
    _check(knock, secret, now)
    events = json.loads(knock.body)
    if not isinstance(events, list) or not all(isinstance(event, Mapping) for event in events):
        raise ValueError("not a list of events")
    return [hint for event in events for hint in _of_event(event)]


def signature(secret: str, method: str, url: str, body: bytes, timestamp: str) -> str:
    """The v3 signature of a request to `url`, address and query included."""
    address = re.sub("|".join(_DECODED), lambda found: _DECODED[found[0].upper()], url, flags=re.IGNORECASE)
    signed = method.encode() + address.encode() + body + timestamp.encode()
    return b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _check(knock: Knock, secret: SecretStr | None, now: datetime) -> None:
    if secret is None or not secret.get_secret_value():
        raise NotGenuineError("no client secret is known")
    timestamp = knock.headers.get("x-hubspot-request-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,14}", timestamp):
        raise NotGenuineError("no timestamp")
    sent = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(timestamp))
    if now - sent > OLDEST:
        raise NotGenuineError("too old")
    if sent - now > AHEAD:
        raise NotGenuineError("from the future")
    expected = signature(secret.get_secret_value(), knock.method, knock.url, knock.body, timestamp)
    said = knock.headers.get("x-hubspot-signature-v3", "")
    if not hmac.compare_digest(expected.encode(), said.encode()):
        raise NotGenuineError("the signature is wrong")


def _of_event(event: Mapping[str, Any]) -> Iterator[Hint]:
    subscription = str(event.get("subscriptionType", ""))
    # `eventId` alone is not unique; a delivery that is tried again differs in its attempt number only.
    told = [event.get(name) for name in ("eventId", "subscriptionId", "occurredAt", "portalId")]
    for object_, ext_id in _rows(event, subscription):
        said = contact_id(ext_id) if object_ == "contact" else ext_id
        # A contact stands for a lead where the account has no leads.
        named = "lead" if object_ == "contact" else object_
        yield Hint(":".join(map(str, [*told, subscription, named, said])), named, said)


def _rows(event: Mapping[str, Any], subscription: str) -> Iterator[tuple[str, str]]:
    """(object, id) of every row that an event concerns."""
    kind, _, happened = subscription.partition(".")
    if happened == "associationChange":
        ends = str(event.get("associationType", "")).lower().split("_to_")
        for end, name in zip(("from", "to"), [*ends, "", ""], strict=False):
            object_ = _OBJECTS.get(str(event.get(f"{end}ObjectTypeId", ""))) or _OBJECTS.get(
                name.removeprefix("primary_")
            )
            yield from _named(object_, [event.get(f"{end}ObjectId")])
        return
    object_ = _OBJECTS.get(str(event.get("objectTypeId", ""))) or _OBJECTS.get(kind)
    ids: Sequence[Any] = [event.get("objectId"), event.get("primaryObjectId"), event.get("newObjectId")]
    merged = event.get("mergedObjectIds")
    yield from _named(object_, [*ids, *(merged if isinstance(merged, list) else [])])


def _named(object_: str | None, ids: Sequence[Any]) -> Iterator[tuple[str, str]]:
    if object_ is None:
        return
    for each in dict.fromkeys(str(one) for one in ids if isinstance(one, (int, str)) and str(one)):
        yield object_, each
