"""The stage of bot's tests: the small company and the playground."""

from tests.bot.conftest import clock, company_file, company_template, company_url, playground, settings

__all__ = ["clock", "company_file", "company_template", "company_url", "playground", "settings"]
