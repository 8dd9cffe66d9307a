"""Secrets at rest."""

import pytest
from cryptography.fernet import Fernet

from storage.vault import Vault, VaultError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_was_sealed_is_opened_word_for_word() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("clé très secrète")
    assert vault.open(sealed) == "clé très secrète"
    assert "secr" not in sealed


def test_a_new_first_key_seals_and_the_old_one_still_opens() -> None:
    both = Vault([NEW, OLD])
    assert both.open(Vault([OLD]).seal("token")) == "token"
    assert Vault([NEW]).open(both.seal("token")) == "token"


def test_a_rotated_secret_no_longer_needs_the_old_key() -> None:
    rotated = Vault([NEW, OLD]).rotate(Vault([OLD]).seal("token"))
    assert Vault([NEW]).open(rotated) == "token"


@pytest.mark.parametrize(
    "text",
    ["", "not sealed", Fernet(OLD).encrypt(b"token").decode(), "é"],
    ids=["nothing", "not sealed", "sealed with another key", "not ASCII"],
)
def test_what_none_of_the_keys_opens_says_so(text: str) -> None:
    for ask in (Vault([NEW]).open, Vault([NEW]).rotate):
        with pytest.raises(VaultError) as error:
            ask(text)
        assert error.value.code == "sealed_with_another_key"


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(VaultError) as error:
        Vault([]).seal("token")
    assert error.value.code == "no_key"


@pytest.mark.parametrize("key", ["", "short", "x" * 44, "é" * 44])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(VaultError) as error:
        Vault([NEW, key])
    assert error.value.code == "bad_key"
    assert NEW not in repr(error.value)


def test_the_vault_shows_neither_keys_nor_secrets() -> None:
    assert NEW not in repr(Vault([NEW]))
    assert NEW not in str(vars(Vault([NEW])))
