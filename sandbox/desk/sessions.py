"""Who is signed in at the desk: a signed cookie names a session that lives on the server."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict, deque
from http import HTTPStatus
from typing import TypeVar

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sandbox.desk.operations import Operation, Wish
from sandbox.desk.tokens import Identity

T = TypeVar("T")

COOKIE = "desk"
_PATH = "/desk"
_KEPT_S = 12 * 3600
_MOST_SESSIONS = 200
_MOST_REMEMBERED = 200
_MOST_CALLS = 40


class MadeCall(Struct, frozen=True):
    """One call that was made in a person's name."""

    at: float
    """Unix seconds."""
    identity: str
    call: str
    answer: str


class Session:
    """One signed-in person, the two identities that act for them, and what these have done."""

    def __init__(self, key: str, merchant_center: Identity, checkout: Identity) -> None:
        self.key = key
        self.merchant_center = merchant_center
        self.checkout = checkout
        self.calls: deque[MadeCall] = deque(maxlen=_MOST_CALLS)
        """Oldest first."""
        self._operations: OrderedDict[str, Operation] = OrderedDict()
        self._proposals: OrderedDict[str, Wish] = OrderedDict()
        self._spent: OrderedDict[str, None] = OrderedDict()

    def remember(self, operation: Operation) -> None:
        """Keep the outcome of an operation, for the page after it and every reload of that."""
        _put(self._operations, operation.key, operation)

    def operation(self, key: str) -> Operation | None:
        return self._operations.get(key)

    def propose(self, wish: Wish) -> None:
        """Keep an operation that has to be confirmed before it is requested."""
        _put(self._proposals, wish.key, wish)

    def proposal(self, key: str) -> Wish | None:
        return self._proposals.get(key)

    def first_time(self, key: str) -> bool:
        """Whether a form is sent for the first time; a double click sends the same key again."""
        if key in self._spent:
            return False
        _put(self._spent, key, None)
        return True


class Sessions:
    """All sessions of this process; another process knows none of them."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def open(
        self, response: Response, merchant_center: Identity, checkout: Identity, *, secure: bool
    ) -> Session:
        """A new session under a new key; the old key is worth nothing."""
        session = Session(secrets.token_urlsafe(24), merchant_center, checkout)
        _put(self._sessions, session.key, session, _MOST_SESSIONS)
        self._set(response, session.key, secure=secure)
        return session

    def of(self, request: Request) -> Session | None:
        """The session that the cookie names, if it is one of ours and still open."""
        key = self._key(request)
        return None if key is None else self._sessions.get(key)

    def close(self, request: Request, response: Response) -> None:
        key = self._key(request)
        if key is not None:
            self._sessions.pop(key, None)
        response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="strict")

    def visitor(self, request: Request) -> str:
        """The key in the cookie, or a new one for who has none: it opens nothing."""
        return self._key(request) or secrets.token_urlsafe(24)

    def greet(self, response: Response, key: str, *, secure: bool) -> None:
        """Give a visitor a key, so that the sign-in form can be bound to their browser."""
        self._set(response, key, secure=secure)

    def token(self, key: str) -> str:
        """What every form of a session carries, and no other site can know."""
        return self._sign("form", key)

    def check(self, request: Request, fields: dict[str, str]) -> None:
        """Raises HTTPException 403 for a form that the desk did not give to this browser."""
        key = self._key(request)
        expected = "" if key is None else self.token(key)
        if not expected or not hmac.compare_digest(expected, fields.get("csrf", "")):
            raise HTTPException(
                HTTPStatus.FORBIDDEN, "This form is not from this session. Load the page again."
            )

    def _key(self, request: Request) -> str | None:
        key, _, signature = request.cookies.get(COOKIE, "").partition(".")
        genuine = hmac.compare_digest(signature.encode(), self._sign("cookie", key).encode())
        return key if genuine else None

    def _set(self, response: Response, key: str, *, secure: bool) -> None:
        response.set_cookie(
            COOKIE,
            f"{key}.{self._sign('cookie', key)}",
            max_age=_KEPT_S,
            path=_PATH,
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def _sign(self, purpose: str, key: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{key}".encode(), hashlib.sha256).hexdigest()


def _put(kept: OrderedDict[str, T], key: str, value: T, most: int = _MOST_REMEMBERED) -> None:
    """Add to what is remembered; the oldest is forgotten."""
    kept[key] = value
    while len(kept) > most:
        kept.popitem(last=False)
