"""The database that the settings name, ready to use: what `vigie serve` and every other command begin with."""

from sqlalchemy import Engine

from bot.clock import Clock
from bot.settings import Settings
from storage.database import open_engine
from storage.migrate import upgrade
from storage.workspaces import SINGLE, ensure_workspace


def open_database(settings: Settings, clock: Clock) -> Engine:
    """The database at its newest revision, with the workspace's row as the settings say."""
    engine = open_engine(settings.database_url.get_secret_value())
    upgrade(engine)
    ensure_workspace(
        engine,
        SINGLE,
        now=clock.now(),
        time_zone=settings.timezone,
        currency=settings.currency,
        language=settings.language,
        fiscal_start_month=settings.fiscal_start_month,
        visibility=settings.visibility,
    )
    return engine
