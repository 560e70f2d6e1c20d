"""How often one client address may show a credential that turns out to be wrong.

Whether a session id or an access token is good only a backend knows, so each guess costs a call.
Past the limit an address has to wait before any backend is called. Only failures are counted:
any number of callers may share an address. And a credential that has passed here before is asked
about in any case, so that a neighbour who guesses holds up newcomers alone, for seconds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from starlette.requests import Request

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendError, BackendUnavailable, Forbidden, Unauthenticated
from stripe_connector.http.rate_limit import CAPACITY, Shares, client_address


class Failures:
    """Failed authentications of each client address, for all routes together."""

    def __init__(
        self, per_minute: int, clock: Clock, *, trusted_proxies: int, capacity: int = CAPACITY
    ) -> None:
        """`per_minute` 0 limits nothing."""
        self._limits = per_minute > 0
        self._trusted_proxies = trusted_proxies
        self._shares = Shares(per_minute, clock, capacity)
        self._capacity = capacity
        self._asked: set[Hashable] = set()
        """What a backend is being asked about: requests that wait for one answer count once."""
        self._passed: dict[Hashable, None] = {}
        """What was good when last asked about."""

    @contextmanager
    def attempt(self, request: Request, credential: Hashable) -> Iterator[None]:
        """Around the check of a credential; raises TooManyRequests before it.

        What is under way counts as a failure until it has passed: many at once are no way around.
        `credential` is kept in memory: a hash of what must not be read there.
        """
        if not self._limits:
            yield
            return
        client = client_address(request, self._trusted_proxies)
        counted = credential not in self._passed and credential not in self._asked
        if counted:
            self._shares.take(client)
            self._asked.add(credential)
        try:
            yield
        except BaseException as error:
            if isinstance(error, Unauthenticated | Forbidden):
                self._passed.pop(credential, None)
            if counted and not _is_failure(error):
                self._shares.give_back(client)
            raise
        finally:
            if counted:
                self._asked.discard(credential)
        if counted:
            self._shares.give_back(client)
            if len(self._passed) >= self._capacity:
                del self._passed[next(iter(self._passed))]
            self._passed[credential] = None


def _is_failure(error: BaseException) -> bool:
    """Whether an address answers for it, as opposed to a backend that is down or slow."""
    match error:
        case BackendUnavailable():
            return False
        case Unauthenticated() | Forbidden() | BackendError():
            return True
        case _:
            return False
