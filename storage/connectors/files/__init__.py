"""CSV and Excel files as a source: loaded by hand, or a place that is watched and read again when it changes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
from pydantic import AfterValidator, BaseModel, Field

from storage.connectors.base import Account, Declaration, Opening, Walk
from storage.connectors.http import Limits

if TYPE_CHECKING:
    from storage.connectors.base import Connector


def _place(said: str) -> str:
    """An https address, or an absolute path."""
    said = said.strip()
    if "://" in said:
        url = httpx.URL(said)
        if url.scheme != "https" or not url.host or url.userinfo:
            raise ValueError("an address must begin with https:// and hold no password")
        return said
    return _path(said)


def _path(said: str) -> str:
    if not said.strip():
        raise ValueError("a folder, a file, a pattern of files or an https address is missing")
    return str(Path(said.strip()).expanduser().absolute())


class Options(BaseModel):
    place: Annotated[str, AfterValidator(_place)] = Field(
        description="A folder, a file, a pattern such as exports/*.csv, or the https address of a file"
    )
    mapping: Annotated[str, AfterValidator(lambda said: _path(said) if said.strip() else "")] = Field(
        default="", description="The path of a mapping file (TOML), if the headers do not say enough"
    )
    whole: bool = Field(
        default=False,
        description="yes: the files always hold everything, and a row that they no longer hold was deleted",
    )


WALKS = tuple(
    Walk(object=name)
    for name in ("rate", "person", "product", "customer", "lead", "deal", "contract", "purchase", "spend")
)
"""In the order of `fields.OBJECTS`: what rows name comes before them."""


def _limits(options: Any) -> Limits:
    address = httpx.URL(options.place) if "://" in options.place else None
    return Limits(base_url=f"https://{address.host}" if address else "https://files.invalid")


# Reading tables needs libraries that nothing else needs: they are loaded when files are.


def _open(opening: Opening) -> "Connector":
    from storage.connectors.files.watched import Watched

    return Watched(opening)


def _check(opening: Opening) -> Account:
    from storage.connectors.files.watched import Watched

    return Watched(opening).account()


CONNECTOR = Declaration(
    source="files",
    title="Files",
    options=Options,
    walks=WALKS,
    limits=_limits,
    open=_open,
    check=_check,
)
