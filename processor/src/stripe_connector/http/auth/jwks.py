"""The Merchant Center's public keys: cached, rotated, and kept while their host is down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendError

if TYPE_CHECKING:
    import jwt

_REFRESH_S = 600
_RETRY_S = 30
_FIRST_RETRY_S = 2
"""As long as no key is known, and so every request is refused."""

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_EC = {
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "P-521": frozenset({"ES512"}),
}

logger = logging.getLogger(__name__)


class VerificationKey(Struct, frozen=True):
    """A public key and the algorithms that it may verify."""

    kid: str | None
    key: jwt.PyJWK
    algorithms: frozenset[str]


class _KeySet(Struct, frozen=True):
    keys: list[msgspec.Raw]


class _PublicKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is common to the keys that we accept: not private, not for encryption (RFC 7517)."""

    kid: str | None = None
    alg: str | None = None
    use: Literal["sig"] | None = None
    d: UnsetType = UNSET


class _RsaKey(_PublicKey, frozen=True, tag_field="kty", tag="RSA"):
    n: Annotated[str, msgspec.Meta(min_length=342, max_length=1_366)]
    """2,048 bits at least, as the algorithms ask (RFC 7518, section 3.3), and 8,192 at most: the
    time to verify a signature grows with it."""
    e: Annotated[str, msgspec.Meta(max_length=16)]


class _EcKey(_PublicKey, frozen=True, tag_field="kty", tag="EC"):
    crv: str
    x: Annotated[str, msgspec.Meta(max_length=100)]
    y: Annotated[str, msgspec.Meta(max_length=100)]


class Jwks:
    """The keys behind `fetch`, which returns the JWKS document and raises BackendError.

    They are read again after ten minutes, and when a token names a key that is not among them,
    but not within half a minute of the last attempt, or two seconds while none is known: neither
    forged tokens nor a host that is down may cost a call per request.
    """

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] = ()
        self._read_at = 0.0
        self._tried_at = 0.0
        self._failure: BackendError | None = None
        """Why none is known, once that was tried."""
        self._refreshing = asyncio.Lock()

    async def key(self, kid: str | None) -> VerificationKey | None:
        """The key of that name; without a name, the only key there is.

        Raises BackendError when the keys cannot be had and none are known.
        """
        if not self._keys or self._age(self._read_at) >= _REFRESH_S:
            await self._refresh()
        found = self._find(kid)
        if found is None and self._age(self._tried_at) >= _RETRY_S:
            await self._refresh()
            found = self._find(kid)
        return found

    def _find(self, kid: str | None) -> VerificationKey | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == kid), None)

    def _age(self, moment: float) -> float:
        return self._clock.monotonic() - moment

    async def _refresh(self) -> None:
        asked_at = self._clock.monotonic()
        async with self._refreshing:
            wait = _RETRY_S if self._keys else _FIRST_RETRY_S
            if self._tried_at >= asked_at or self._age(self._tried_at) < wait:
                if self._keys:
                    return
                if self._failure is not None:
                    raise self._failure.with_traceback(None)
            self._tried_at = self._clock.monotonic()
            try:
                self._keys = _parse(await self._fetch())
            except BackendError as error:
                if not self._keys:
                    self._failure = error
                    raise
                logger.warning(
                    "JWKS host fails, the keys at hand stay in use",
                    extra={"fields": {"error": error.message, "detail": error.detail}},
                )
            else:
                self._read_at = self._clock.monotonic()


def _parse(document: bytes) -> tuple[VerificationKey, ...]:
    try:
        key_set = msgspec.json.decode(document, type=_KeySet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(str(error)) from error
    keys = tuple(key for jwk in key_set.keys if (key := _verification_key(jwk)) is not None)
    if not keys:
        raise _unusable("no key for signatures that we accept")
    return keys


def _verification_key(raw: msgspec.Raw) -> VerificationKey | None:
    """The key, or None if it is malformed or of a kind that we do not accept.

    One of them never stands in the way of the others.
    """
    import jwt  # not before it is needed: see http/auth/jwt.py

    try:
        jwk = msgspec.json.decode(raw, type=_RsaKey | _EcKey)
        algorithms = _RSA if isinstance(jwk, _RsaKey) else _EC.get(jwk.crv, frozenset())
        if jwk.alg is not None:
            algorithms &= {jwk.alg}
        if not algorithms:
            return None
        key = jwt.PyJWK(msgspec.to_builtins(jwk))
    except (ValueError, RecursionError, jwt.PyJWTError) as error:
        logger.info("A key of the JWKS is left out", extra={"fields": {"error": str(error)}})
        return None
    return VerificationKey(jwk.kid, key, algorithms)


def _unusable(detail: str) -> BackendError:
    return BackendError("The Merchant Center's keys could not be read.", detail=detail)
