"""The database that the settings name, ready to use: what `vigie serve` and every other command begin with."""

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from bot.clock import Clock
from bot.settings import Settings, SettingsError
from kpi import buckets
from storage.database import open_engine
from storage.migrate import upgrade
from storage.workspaces import SINGLE, ensure_workspace


def open_database(settings: Settings, clock: Clock) -> Engine:
    """The database at its newest revision, the derived tables made, the workspace's row as the settings say.

    Raises `SettingsError` with one sentence where the database does not answer.
    """
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        upgrade(engine)
        buckets.ensure(engine)
    except OperationalError as error:
        shown = engine.url.render_as_string(hide_password=True)
        reason = (str(error.orig).splitlines() or [type(error.orig).__name__])[0]
        raise SettingsError(
            f"The database {shown} does not answer ({reason}): check VIGIE_DATABASE_URL, and that it is running"
        ) from None
    ensure_workspace(
        engine,
        SINGLE,
        now=clock.now(),
        time_zone=settings.timezone,
        currency=settings.currency,
        language=settings.language,
        fiscal_start_month=settings.fiscal_start_month,
        visibility=settings.visibility,
        on_currency=buckets.forget,
    )
    return engine
