"""Bearer tokens: made once and shown once; of each only a digest is kept, and compared in constant time.

A token reads `ckp_<id>_<secret>`. The secret has 256 random bits, so a plain digest cannot be guessed back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from warehouse.operations.token import TokenRow

_TOKEN = re.compile(r"ckp_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = hashlib.sha256(b"nobody").hexdigest()


def new_token() -> tuple[str, str, str]:
    """Return a new token: its id, the text its owner gets, and the digest that is kept."""
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return token_id, f"ckp_{token_id}_{secret}", digest_of(secret)


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_token(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a token's text."""
    found = _TOKEN.fullmatch(text.strip())
    return (found[1], found[2]) if found else None


def holds(row: TokenRow | None, secret: str) -> bool:
    """Tell whether a secret is the one of a token that holds; an unknown token takes as long as a known one."""
    is_same = hmac.compare_digest(row.digest if row else _NOBODY, digest_of(secret))
    return is_same and row is not None and row.revoked_at is None
