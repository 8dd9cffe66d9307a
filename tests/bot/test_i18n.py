from bot.i18n import language


def test_a_count_in_a_sentence_is_written_as_its_readers_write_it() -> None:
    assert language("fr").n("{count} other, not shown.", "{count} others, not shown.", 1536).startswith("1\u202f536")
    assert language("en").n("{count} row", "{count} rows", 1536) == "1,536 rows"


def test_an_unknown_language_is_english_and_a_slack_locale_is_understood() -> None:
    assert language("fr-CA").code == "fr"
    assert language("tlh").code == "en"
    assert language(None).code == "en"
