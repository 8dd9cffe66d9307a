"""A real Bolt app lives in the small Slack, over Socket Mode and over signed HTTP alike."""

from collections.abc import Callable

import pytest

from bot.playground.person import FailedError, shown
from bot.playground.server import Playground

BUTTON = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "more", "text": {"type": "plain_text", "text": "More"}, "value": "7"}],
}


def test_a_command_is_acked_and_answered_privately(playground: Playground, with_app: Callable) -> None:
    def register(app):
        @app.command("/kpi")
        async def kpi(ack, respond, command):
            await ack()
            await respond(f"asked: {command['text']}")

    with with_app(register):
        anna, ben = playground.as_user("anna"), playground.as_user("ben")
        assert anna.command("/kpi win rate @ben in #sales", channel="sales") < 3000
        answer = anna.wait_for("sales")
        assert (
            answer["text"] == f"asked: win rate <@{ben.id}|ben> in <#{playground.world.find_channel('sales').id}|sales>"
        )
        assert answer["ephemeral"]
        assert ben.messages("sales") == []
