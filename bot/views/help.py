"""`/kpi help` and "how is this computed", built from the catalog and the commands alone."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from bot.blocks import Bold, Run, bullets, context, divider, header, paragraph
from bot.conversation import Block, Command, Reply
from bot.i18n import Language
from kpi.catalog import CATALOG
from kpi.declaration import Kpi, Reading, Target
from kpi.format import percent

EXAMPLES = {
    "en": (
        "win rate last month by team",
        "revenue this quarter vs last year",
        "average deal Q4 2017",
        "lead conversion by source since 1 January",
        "sales cycle median last 12 months monthly",
    ),
    "fr": (
        "taux de transformation mois dernier par équipe",
        "chiffre d'affaires ce trimestre vs an dernier",
        "panier moyen T4 2017",
        "conversion des leads par source depuis le 1er janvier",
        "cycle de vente médian 12 derniers mois par mois",
    ),
}


def help_reply(language: Language, commands: Iterable[Command]) -> Reply:
    """What can be asked and done; one screen."""
    _ = language._
    examples = EXAMPLES[language.code]
    # Asking comes first: it is what Vigie is for.
    ordered = sorted(commands, key=lambda command: command.words[0] != "ask")
    lines = [line for command in ordered for line in command.help(language)]
    blocks: list[Block] = [
        header(_("What you can ask")),
        paragraph(_("Type /kpi and your question, in English or in French, in any order:")),
        bullets([[Bold(f"/kpi {example}")] for example in examples]),
        divider(),
        paragraph(Bold(_("The KPIs"))),
        bullets([[Bold(_(kpi.name)), _(": "), _(kpi.description)] for kpi in CATALOG]),
        paragraph(Bold(_("The commands"))),
        bullets([[Bold(f"/kpi {typed}"), _(": "), does] for typed, does in lines]),
        context(
            _("Periods: last month, this quarter, 2017, 2017-Q4, week 34, last 90 days, since 1 March, from … to …"),
            _("Group with “by team”, “by rep”, “by source”; compare with “vs last year”; see a trend with “weekly”."),
            _("“/kpi help win rate” says how a KPI is computed."),
        ),
    ]
    text = _("Type /kpi and your question, for example: /kpi {example}", example=examples[0])
    return Reply(text, blocks)


def definition_blocks(kpi: Kpi, reading: Reading, language: Language) -> list[Block]:
    """What a KPI means in this reading, its formula, its other readings and its recommended target."""
    _ = language._
    formula = (
        _("{numerator} ÷ {denominator}", numerator=_(reading.numerator), denominator=_(reading.denominator))
        if reading.denominator
        else _(reading.numerator)
    )
    blocks = [
        header(_("How is this computed: {kpi}", kpi=_(kpi.name))),
        paragraph(_(kpi.description)),
        paragraph(*_used(kpi, reading, language), _(reading.description)),
        paragraph(Bold(_("Formula")), "\n", formula),
    ]
    others = [other for other in kpi.readings if other.key != reading.key]
    if others:
        blocks.append(paragraph(Bold(_("Other readings"))))
        blocks.append(bullets([_reading_line(other, language) for other in others]))
    targets = [target_sentence(target, language) for target in kpi.recommended if target.reading == reading.key]
    if targets:
        blocks.append(context(*targets))
    return blocks


def _used(kpi: Kpi, reading: Reading, language: Language) -> Sequence[Run]:
    """The reading's name, where the KPI has several."""
    if len(kpi.readings) < 2:
        return ()
    return Bold(language._("Reading used: {reading}", reading=language._(reading.name))), "\n"


def _reading_line(reading: Reading, language: Language) -> Sequence[str | Bold]:
    _ = language._
    words = (reading.words.fr if language.code == "fr" else reading.words.en) or (reading.key,)
    return (Bold(_(reading.name)), _(": "), _(reading.description), " ", _("(say “{word}”)", word=words[0]))


def target_sentence(target: Target, language: Language) -> str:
    """The recommended value in words."""
    _ = language._
    low = percent(Fraction(target.low), language.locale, digits=0)
    if target.high is not None:
        high = percent(Fraction(target.high), language.locale, digits=0)
        return _("Recommended: between {low} and {high}.", low=low, high=high)
    if target.segment is not None:
        return _("Recommended for {segment}: at least {low}.", segment=target.segment, low=low)
    return _("Recommended: at least {low}.", low=low)
