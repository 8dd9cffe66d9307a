"""How a source gets connected: options, a live check, the first deals as understood, stages, a yes, and storing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import typer
from cryptography.fernet import Fernet
from pydantic import BaseModel

from bot.cli.connected import no_such_source
from bot.cli.options import OptionError, asked, checked, given
from bot.cli.preview import Seen, look, show_deals, show_stages
from bot.cli.stages import StageError, decided, edited
from bot.cli.starting import REFUSED, Started, agreed, refuse, say
from bot.views.sources import cause_sentence, source_name, trouble_sentence
from kpi.labels import moment
from storage import sources
from storage.connectors.base import Account, Declaration, DriftError, Opening, declarations
from storage.connectors.http import BudgetError, Client, CrmError, RefusedError, UnavailableError
from storage.database import reading, writing
from storage.vault import Vault, VaultError
from storage.workspaces import SINGLE, read_workspace


class NotConfirmed(Exception):  # noqa: N818 - a person's word, no fault
    """The person looked at it and said no."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line said."""

    source: str
    options: tuple[str, ...]
    stages: tuple[str, ...]
    yes: bool
    """Nothing may be asked."""


class Connecting:
    """One source, on its way into the database. What cannot be used is one sentence and the end."""

    def __init__(self, started: Started, wanted: Wanted) -> None:
        self._started, self._wanted = started, wanted
        self._console, self._words, self._now = started.console, started.words, started.clock.now()
        self._declaration = self._declared(wanted.source)
        self._title = source_name(self._declaration.source, self._words)
        self._vault = self._open_vault()
        with reading(started.engine) as connection:
            self._workspace = read_workspace(connection, SINGLE)
            self._before = sources.read(connection, SINGLE, self._declaration.source)
            self._decisions = sources.decisions(connection, SINGLE, self._declaration.source)

    def run(self) -> None:
        """The whole way; nothing is stored before the yes.

        Raises `NotConfirmed`, and `typer.Abort` where a question has no answer.
        """
        options = self._options()
        client = Client(self._declaration.limits(options))
        try:
            account = self._check(self._opening(options, client, {}))
            seen = self._understand(options, client)
        finally:
            client.close()
        if not self._wanted.yes and not agreed(self._words._("Store this and sync it from now on?"), self._words):
            say(self._console, self._words._("Nothing was stored."))
            raise NotConfirmed
        self._store(options, account, seen)

    def _declared(self, source: str) -> Declaration:
        known = {each.source: each for each in declarations()}
        if source.lower() not in known:
            refuse(self._console, no_such_source(source, known, self._words))
        return known[source.lower()]

    def _open_vault(self) -> Vault:
        keys = self._started.settings.vault_keys
        if not keys:
            sentence = self._words._(
                "VIGIE_KEYS is missing: it encrypts what you are about to give. Put this line, with a key made just "
                "now, into .env, and keep a copy of it apart from the backups of the database:"
            )
            refuse(self._console, f"{sentence}\nVIGIE_KEYS={Fernet.generate_key().decode()}")
        return Vault(keys)

    def _options(self) -> BaseModel:
        """What was said, what is asked, and what is kept of before."""
        model, words, kept = self._declaration.options, self._words, self._kept()
        try:
            said = given(self._wanted.options, model, typer.get_text_stream("stdin"), words)
            if self._wanted.yes:
                return checked(model, kept | said, words)
            return asked(self._console, model, said, kept, words)
        except OptionError as error:
            refuse(self._console, str(error))

    def _kept(self) -> dict[str, object]:
        if self._before is None:
            return {}
        try:
            return dict(sources.options_of(self._before, self._vault))
        except (VaultError, sources.OptionsError):
            # Sealed with a key that is gone, or for another version: what cannot be read is asked for again.
            return dict(self._before.options)

    def _opening(self, options: BaseModel, client: Client, decisions: Mapping[str, str]) -> Opening:
        zone, currency = self._workspace.zone, self._workspace.currency
        return Opening(
            options=options, client=client, currency=currency, now=self._now, zone=zone, stages=dict(decisions)
        )

    def _check(self, opening: Opening) -> Account:
        _ = self._words._
        try:
            with self._console.status(_("Asking {source}", source=self._title)):
                account = self._declaration.check(opening)
        except CrmError as error:
            self._refuse(error)
        told = [part for part in (account.currency, account.time_zone) if part]
        name = account.name + (f" ({', '.join(told)})" if told else "")
        say(self._console, _("{source} answers: {account}", source=self._title, account=name), "bold green")
        return account

    def _understand(self, options: BaseModel, client: Client) -> Seen:
        """Show the first deals and the stages, with the decisions of before and of now; let them be edited."""
        seen = self._look(self._opening(options, client, {}))
        try:
            self._decisions |= decided(self._wanted.stages, seen, self._words)
        except StageError as error:
            refuse(self._console, str(error))
        self._show_deals(seen, options, client)
        if not seen.stages:
            return seen
        show_stages(self._console, seen, self._decisions, self._title, self._words)
        if not self._wanted.yes:
            chosen = edited(self._console, seen, self._decisions, self._title, self._words)
            if chosen != self._decisions:
                self._decisions = chosen
                self._show_deals(seen, options, client)
        return seen

    def _show_deals(self, seen: Seen, options: BaseModel, client: Client) -> None:
        """The deals under these decisions; read again only where they differ from the CRM's own word."""
        _ = self._words._
        own = {stage.ext_id: stage.status for stage in seen.stages}
        if any(own.get(stage, status) != status for stage, status in self._decisions.items()):
            seen = self._look(self._opening(options, client, self._decisions))
        if not seen.deals:
            told = _(
                "{source} shows no deal to this account: if there are some, it lacks the right to see them.",
                source=self._title,
            )
            say(self._console, told, "yellow")
            return
        self._console.print()
        say(self._console, _("The first deals, as they are understood:"), "bold")
        show_deals(self._console, seen, self._workspace.zone, self._workspace.currency, self._words)
        self._console.print()

    def _look(self, opening: Opening) -> Seen:
        try:
            with self._console.status(self._words._("Reading the first deals")):
                return look(self._declaration.open(opening), opening.now)
        except DriftError as drift:
            say(self._console, trouble_sentence(drift.object, "drift", {"field": drift.field}, self._words), "red")
            if drift.__cause__ is not None:
                say(self._console, cause_sentence(drift, self._words), "dim")
            refuse(self._console, self._words._("Nothing was stored."))
        except CrmError as error:
            self._refuse(error)

    def _refuse(self, error: CrmError) -> NoReturn:
        _, source = self._words._, self._title
        match error:
            case RefusedError():
                told = _("{source} refuses what was given, or it lacks a right.", source=source)
            case BudgetError():
                when = moment(error.until, self._workspace.zone, self._words.locale)
                told = _("{source} grants no more requests until {when}.", source=source, when=when)
            case UnavailableError():
                told = _("{source} does not answer: check the address and the network, then try again.", source=source)
            case _:
                told = _("{source} answers in a way that Vigie does not know: check the address.", source=source)
        # Of a file, the cause says it all; of a CRM, it is a method, a path and a status.
        cause = cause_sentence(error, self._words)
        file = cause != str(error)
        say(self._console, f"{cause if file else told} {_('Nothing was stored.')}", "red")
        if not file:
            say(self._console, cause, "dim")
        raise typer.Exit(REFUSED)

    def _store(self, options: BaseModel, account: Account, seen: Seen) -> None:
        """One transaction: the source and every decision. A stage that is what its CRM says is nobody's decision."""
        _, console, source, now = self._words._, self._console, self._declaration.source, self._now
        own = {stage.ext_id: stage.status for stage in seen.stages}
        with writing(self._started.engine) as connection:
            sources.connect(connection, SINGLE, source, options, self._vault, account=account.name, now=now)
            for stage, status in self._decisions.items():
                word = None if own.get(stage) == status else status
                sources.decide_stage(connection, SINGLE, source, stage, word, now)
        say(console, _("{source} is connected.", source=self._title), "bold green")
        say(console, _("“vigie sync --source {code}” reads it now; “vigie serve” does so by itself.", code=source))
        address = self._started.settings.public_url
        if self._declaration.hints is not None and address is not None:
            # Where a CRM signs nothing, its address ends with a secret: it is shown here and nowhere else.
            secret = getattr(options, "webhook_secret", None)
            end = "" if secret is None else f"/{secret.get_secret_value()}"
            hooks = f"{address}/hooks/{source}{end}"
            say(console, _("Its webhooks, if you set them up, go to {address}.", address=hooks))
