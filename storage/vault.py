"""Secrets at rest: sealed with the first key of the settings, opened with any of them.

To change keys, put a new one in front and seal everything again (`storage.sources.reseal`); then the old one may go.
"""

from collections.abc import Sequence
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

Code = Literal["no_key", "bad_key", "sealed_with_another_key"]


class VaultError(Exception):
    """A secret cannot be sealed or opened; `code` says why. No key and no secret is ever part of it.

    `no_key`: the settings hold none. `bad_key`: one of them is no Fernet key. `sealed_with_another_key`: none of them
    opens this secret, or it was sealed for somebody else.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


class Vault:
    """Seals and opens texts with Fernet keys (32 bytes in URL-safe base64); without any it holds nothing.

    Raises `VaultError` for a key that is none.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise VaultError("bad_key") from None
        self._keys = MultiFernet(fernets) if fernets else None

    def seal(self, text: str) -> str:
        """The text, encrypted with the first key. Raises `VaultError` without a key."""
        return self._some().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text that was sealed with any of the keys. Raises `VaultError`."""
        try:
            return self._some().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise VaultError("sealed_with_another_key") from None

    def rotate(self, sealed: str) -> str:
        """The same text, sealed with the first key. Raises `VaultError`."""
        try:
            return self._some().rotate(sealed.encode()).decode()
        except InvalidToken:
            raise VaultError("sealed_with_another_key") from None

    def _some(self) -> MultiFernet:
        if self._keys is None:
            raise VaultError("no_key")
        return self._keys
