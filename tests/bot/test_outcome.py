"""What each of Slack's answers means for a letter: every documented one, and what networks make of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.jobs.posting import STOP_SECONDS, settlement
from bot.outcome import PLAINER, Later, Outcome, Refused, Sent, Unclear, judge
from storage import outbox

DOCUMENTED = json.loads((Path(__file__).parents[1] / "data" / "slack" / "errors.json").read_text())

STOPPED = """
    accesslimited account_inactive deprecated_endpoint ekm_access_denied enterprise_is_restricted invalid_auth
    method_deprecated missing_scope not_allowed_token_type not_authed org_login_required team_access_not_granted
    team_added_to_org team_not_found token_expired token_revoked two_factor_setup_required
"""
LATER = "external_channel_migrating streaming_state_conflict"
PUT_OFF = "message_limit_exceeded rate_limited ratelimited"
UNCLEAR = "fatal_error internal_error request_timeout service_unavailable update_failed"
OTHER_FORM = """
    block_mismatch blocked_file_type file_deleted file_is_deleted file_not_found file_share_limit_reached
    invalid_attachments invalid_blocks invalid_blocks_format max_file_sharing_exceeded missing_file_data
    msg_blocks_too_long slack_connect_blocked_file_type slack_connect_file_link_sharing_blocked
    slack_connect_file_upload_sharing_blocked unable_to_share_files
"""
FOR_GOOD = """
    access_denied as_user_not_supported attachment_payload_limit_exceeded cannot_reply_to_message
    cant_broadcast_message cant_update_message channel_not_found draft_already_deleted draft_already_sent
    draft_has_conflict draft_not_found duplicate_channel_not_found duplicate_message_not_found edit_window_closed
    invalid_arg_name invalid_arguments invalid_array_arg invalid_charset invalid_form_data invalid_metadata_format
    invalid_metadata_schema invalid_post_type is_archived is_inactive markdown_text_conflict message_not_found
    messages_tab_disabled metadata_must_be_sent_from_app metadata_too_large missing_post_type msg_too_long
    no_dual_broadcast_content_update no_permission no_text not_in_channel posting_to_channel_denied restricted_action
    restricted_action_non_threadable_channel restricted_action_read_only_channel restricted_action_thread_locked
    restricted_action_thread_only_channel slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
    slack_connect_lists_sharing_blocked too_many_attachments too_many_contact_cards
"""
TABLE = {
    **dict.fromkeys(STOPPED.split(), "stopped"),
    **dict.fromkeys(LATER.split(), "later"),
    **dict.fromkeys(PUT_OFF.split(), "put_off"),
    **dict.fromkeys(UNCLEAR.split(), "unclear"),
    **dict.fromkeys(OTHER_FORM.split(), "other_form"),
    **dict.fromkeys(FOR_GOOD.split(), "for_good"),
}


def a_letter(**more: Any) -> outbox.Letter:
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    values: dict[str, Any] = dict.fromkeys(
        ("chart", "edits", "edits_ts", "thread", "thread_ts", "unposted", "owner"),
    )
    values |= {"workspace_id": "W1", "id": "L1", "kind": "digest", "channel_id": "C1", "payload": {"text": "x"}}
    values |= {"attempts": 1, "token": "t", "due_at": now, "created_at": now, "doubtful": False, "late": False}
    return outbox.Letter(**(values | more))


def kind_of(outcome: Outcome) -> str:
    if isinstance(outcome, Refused) and outcome.code in PLAINER:
        return "other_form"
    settled = settlement(a_letter(), outcome)
    if settled.stop:
        assert (settled.stop, settled.state, settled.channel_rest) == (STOP_SECONDS, "pending", 0)
        return "stopped"
    if settled.cost:
        return "put_off"
    return {"pending": "later", "unknown": "unclear", "dead": "for_good", "sent": "sent"}[settled.state]


def test_the_table_holds_every_documented_error_and_no_other() -> None:
    documented = {*DOCUMENTED["every"], *(error for errors in DOCUMENTED["methods"].values() for error in errors)}
    assert set(TABLE) == documented


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_documented_error_means_one_thing_for_a_letter(code: str) -> None:
    assert kind_of(judge(200, {}, {"ok": False, "error": code})) == TABLE[code]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"ok": True, "ts": "17.1"}, "sent"),
        (200, {"ok": True}, "unclear"),
        (200, '{"ok": true, "ts": "17.', "unclear"),
        (200, "Received a response in a non-JSON format: <html>", "unclear"),
        (403, {"ok": False, "error": "Received a response in a non-JSON format: <html>"}, "unclear"),
        (408, "", "unclear"),
        (500, {"ok": False, "error": "channel_not_found"}, "unclear"),
        (502, "<html>", "unclear"),
        (503, {"ok": False, "error": "service_unavailable"}, "unclear"),
        (429, {"ok": False, "error": "ratelimited"}, "put_off"),
        (429, "", "put_off"),
        (200, {"ok": False, "error": "a_word_that_slack_has_never_said"}, "for_good"),
    ],
)
def test_an_answer_that_is_no_plain_error_is_believed_only_as_far_as_it_is_clear(
    status: int, body: Any, kind: str
) -> None:
    assert kind_of(judge(status, {}, body)) == kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": ["30"]}, 30),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "-5"}, 1),
        ({"Retry-After": "2.5"}, 2.5),
        ({}, 10),
        ({"Retry-After": ""}, 10),
        ({"Retry-After": "soon"}, 10),
        ({"Retry-After": "nan"}, 10),
        ({"Retry-After": "inf"}, 10),
        ({"Retry-After": "86400"}, 3600),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:45 GMT", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"}, 45),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:45 GMT", "date": ["Mon, 23 Nov 2026 09:00:44 -0000"]}, 1),
        ({"Retry-After": "Mon, 23 Nov 2026 08:00:00 GMT", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"}, 1),
        ({"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}, 1),
    ],
)
def test_how_long_slack_wants_to_be_left_alone_is_read_in_every_way_that_http_says_it(
    headers: dict[str, Any], seconds: float
) -> None:
    assert judge(429, headers, "") == Later(seconds, "rate_limited")


def test_an_unclear_edit_is_made_again_and_one_of_a_message_that_is_gone_is_left() -> None:
    edit = a_letter(edits="L0", edits_ts="17.1")
    assert settlement(edit, Unclear("deadline")).state == "pending"
    assert settlement(edit, Sent({"ok": True})).ts == "17.1"
    gone = settlement(edit, Refused("message_not_found"))
    assert (gone.state, gone.error) == ("skipped", "unposted: message_not_found")
