"""What all settings have in common: a class per section, frozen, its options documented where they stand.

A class's fields are the keys of its YAML mapping, and the text below a field is its documentation, for
the reference and for editors. pydantic checks each field; `problems` states the rules between fields.
Unknown keys are errors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Final, NamedTuple, Self

from pydantic import ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

PROBLEM: Final = "vedette_problem"
"""The type of the errors that state their own problem and remedy."""
UNKNOWN: Final = "unexpected_keyword_argument"
"""pydantic's name for an option that a class does not have."""
VALUE: Final = "vedette_value"
"""Likewise, for a value that its option does not take; the option's name is still to be added."""


class Problem(NamedTuple):
    """One thing that is wrong with some settings.

    Attributes:
        path: keys and indexes from the settings to the place.
        text: what is wrong.
        remedy: how to mend it; may be empty.
    """

    path: tuple[str | int, ...]
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A section of the configuration."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def problems(self) -> Iterable[Problem]:
        """What is wrong although each option by itself is valid."""
        return ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        raise_problems(self.problems())
        return self


def wrong(text: str, remedy: str = "") -> PydanticCustomError:
    """The error for the validator of a value to raise."""
    return PydanticCustomError(VALUE, "{problem}", {"problem": text, "remedy": remedy})


def failure(problem: Problem) -> InitErrorDetails:
    """A problem in pydantic's form."""
    context = {"problem": problem.text, "remedy": problem.remedy}
    return InitErrorDetails(type=PydanticCustomError(PROBLEM, "{problem}", context), loc=problem.path, input=None)


def unknown_option(key: str, remedy: str) -> InitErrorDetails:
    """An option that is not known to who reads options without a class."""
    return InitErrorDetails(type=PydanticCustomError(UNKNOWN, "{remedy}", {"remedy": remedy}), loc=(key,), input=None)


def raise_problems(problems: Iterable[Problem]) -> None:
    """Report problems to pydantic, all of them."""
    details = [failure(problem) for problem in problems]
    if details:
        raise ValidationError.from_exception_data("settings", details)


def details_of(exc: ValidationError, path: tuple[str | int, ...] = ()) -> list[InitErrorDetails]:
    """The errors of a nested validation, to be reported below `path`."""
    return [
        InitErrorDetails(
            # Our own messages are in the context; of pydantic's only the type is read later on.
            type=PydanticCustomError(_literal(error["type"]), "{problem}", error.get("ctx") or {"problem": ""}),
            loc=(*path, *error["loc"]),
            input=error["input"],
        )
        for error in exc.errors(include_url=False)
    ]


def ordered_fields(kind: type[Settings]) -> list[Field[Any]]:
    """The fields of a class, its own before those of its ancestors."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    names = [name for one in kind.__mro__ for name in vars(one).get("__annotations__", ()) if name in fields]
    return [fields[name] for name in dict.fromkeys(names)]


def _literal(text: str) -> Any:
    """Say that a text is literal. Pydantic asks for literal strings, to keep people from formatting them."""
    return text
