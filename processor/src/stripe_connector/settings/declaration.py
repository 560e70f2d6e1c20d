"""How a variable is declared: a dataclass field that carries its parser and its meaning.

The field's name in upper case is the variable's name. The helpers are typed as the value that
the parser returns, so the type checker compares every parser with its field's annotation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar, cast

T = TypeVar("T")
Absent = TypeVar("Absent")

Parser = Callable[[str], T]
"""Turns text into a value; raises ValueError with one or more phrases such as "must be ..."."""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable."""

    name: str = ""
    """Known once the field has its name."""
    parse: Parser[object]
    meaning: str
    required: bool = False
    default: str | None = None
    """The default as it would be written in the environment; None where there is none."""
    absent: object = None
    """The value when the variable is not set and has no default."""
    secret: bool = False
    alias: str | None = None
    """Another name under which it is read when it is not set under its own."""
    may_be_blank: bool = False
    """Whether a blank value has a meaning; otherwise it counts as not set."""

    @property
    def attribute(self) -> str:
        """The attribute that holds the parsed value."""
        return self.name.lower()

    def find(self, environ: Mapping[str, str]) -> tuple[str, str | None]:
        """The name under which it is set, and its text without surrounding white space."""
        for name in filter(None, (self.name, self.alias)):
            text = _unquoted(environ.get(name, "").strip())
            if text or (self.may_be_blank and name in environ):
                return name, text
        return self.name, self.default


def _unquoted(text: str) -> str:
    """Without the single quotes of an .env file, which `docker run --env-file` passes on."""
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == "'" else text


def required(parse: Parser[T], meaning: str, *, secret: bool = False) -> T:
    """A variable without which the processor does not start."""
    return cast("T", _field(Variable(parse=parse, meaning=meaning, required=True, secret=secret)))


def defaulted(parse: Parser[T], default: str, meaning: str, *, alias: str | None = None) -> T:
    """A variable that has a value when it is not set."""
    return cast("T", _field(Variable(parse=parse, meaning=meaning, default=default, alias=alias)))


def optional(
    parse: Parser[T],
    meaning: str,
    *,
    absent: Absent,
    secret: bool = False,
    may_be_blank: bool = False,
) -> T | Absent:
    """A variable that may be left out; `absent` then stands for it."""
    variable = Variable(
        parse=parse, meaning=meaning, absent=absent, secret=secret, may_be_blank=may_be_blank
    )
    return cast("T | Absent", _field(variable))


def _field(variable: Variable) -> object:
    # Secrets stay out of the generated repr, and so out of logs and tracebacks.
    return field(repr=not variable.secret, metadata={"variable": variable})


def declared_variables(group: type) -> Iterator[Variable]:
    """The variables that a group of settings declares, in their order."""
    for each in fields(group):
        variable: Variable = each.metadata["variable"]
        yield replace(variable, name=each.name.upper())
