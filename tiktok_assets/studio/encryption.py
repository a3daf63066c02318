"""Encryption with ``TIKTOK_SESSION_KEY``. Does not belong here: what is encrypted, and where it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from tiktok_assets.failures import SessionUnreadable

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_NEW_KEY = 'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'


class WrongKey(Exception):
    """The content was encrypted with another key, or is damaged."""


def encrypted(content: bytes, key: SecretStr) -> bytes:
    """Raises SessionUnreadable where the package that encrypts is not installed."""
    return _fernet(key).encrypt(content)


def decrypted(content: bytes, key: SecretStr) -> bytes:
    """As ``encrypted``; raises WrongKey as well."""
    fernet = _fernet(key)
    from cryptography.fernet import InvalidToken

    try:
        return fernet.decrypt(content)
    except InvalidToken:
        raise WrongKey from None


def _fernet(key: SecretStr) -> Fernet:
    try:
        from cryptography.fernet import Fernet
    except ImportError:
        raise SessionUnreadable(
            "TIKTOK_SESSION_KEY is set, but the package that encrypts with it is not installed. Install it "
            f"(`uv pip install cryptography`), or unset the key: the saved login is then kept as plain text that only "
            f"this user can read. A new key: `{_NEW_KEY}`."
        ) from None
    return Fernet(key.get_secret_value().encode())
