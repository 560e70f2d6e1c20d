"""The fields of requests by which use cases' refusals of a value are answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from stripe_connector.payments.asked import ImpossibleValue

Fields = Mapping[type[ImpossibleValue], str]
"""By the kind of refusal, the dotted path of the field that held the value."""


@contextmanager
def named_by(fields: Fields) -> Iterator[None]:
    """Raise refusals of a value as ones that name its field, where the request has one for it."""
    try:
        yield
    except ImpossibleValue as error:
        field = fields.get(type(error))
        if field is None:
            raise
        raise error.of_field(field) from error
