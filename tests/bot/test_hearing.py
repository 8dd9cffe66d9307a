"""A command's words, from Slack's spelling of them to what the person typed."""

import pytest

from bot.hearing import as_typed


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("revenue Lune &amp; Fils", "revenue Lune & Fils"),
        ("revenue  Étoile &lt;SARL&gt; ", "revenue Étoile <SARL>"),
        ("&amp;lt;", "&lt;"),
        ("link <@U1|anna> <mailto:anna@example.com|anna@example.com>", "link <@U1|anna> anna@example.com"),
        ("digest add <#C1|sales>", "digest add <#C1|sales>"),
        ("revenue <http://exemple.fr|exemple.fr>", "revenue exemple.fr"),
        ("", ""),
    ],
)
def test_what_slack_escapes_is_read_as_it_was_typed(sent: str, typed: str) -> None:
    assert as_typed(sent) == typed
