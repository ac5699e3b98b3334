from __future__ import annotations

import pytest

from vedette.cli.exit_codes import ExitCode
from vedette.cli.failures import CommandError, failures_of, rendered
from vedette.client import AnswerError, ExpressionError, UnreachableError
from vedette.model.errors import ConfigError, ConfigErrors, Location, Span, StorageError


def shown(error: Exception) -> list[str]:
    assert not isinstance(error, BaseExceptionGroup)
    return [line for failure in failures_of(error) for line in rendered(failure).plain.split("\n")]  # pyright: ignore[reportArgumentType]


def test_errors_of_a_file_have_their_line_quoted_with_a_mark_under_the_column() -> None:
    at = Location("vedette.yml", 14, 9, "    listen: nowhere")
    errors = ConfigErrors(
        [
            ConfigError(at=at, problem="no address", remedy="Write host:port."),
            ConfigError(at=Location("x.yml"), problem="p"),
        ]
    )

    assert shown(errors) == [
        "vedette.yml:14:9: error: no address",
        "  14 |     listen: nowhere",
        "     |         ^",
        "Write host:port.",
        "x.yml: error: p",
    ]


def test_a_tab_before_the_place_does_not_move_the_mark() -> None:
    error = ConfigError(at=Location("f", 1, 2, "\tx"), problem="p")

    assert shown(error)[1:] == ["  1 |  x", "    |  ^"]


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        pytest.param("up{", 3, ["  up{", "     ^"], id="behind the end"),
        pytest.param("a +\nb +", 6, ["  a +", "  b +", "    ^"], id="on the second line"),
        pytest.param("日本)", 2, ["  日本)", "      ^"], id="behind wide characters"),
        pytest.param("a\x1b[31m)", 6, ["  a [31m)", "        ^"], id="behind what would move the cursor"),
        pytest.param("a\nb", 0, ["  a", "  ^"], id="what follows the place is left out"),
    ],
)
def test_an_expression_is_pointed_at(expression: str, start: int, expected: list[str]) -> None:
    error = ExpressionError("p", expression=expression, span=Span(start, start + 1))

    assert shown(error) == ["error: p", *expected]


def test_without_a_place_the_whole_expression_is_quoted() -> None:
    assert shown(ExpressionError("p", expression="a\nb", span=None)) == ["error: p", "  a", "  b"]


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (UnreachableError("p"), "unreachable", ExitCode.UNREACHABLE),
        (CommandError("p", exit_code=ExitCode.USAGE), "failed", ExitCode.USAGE),
        (AnswerError("p", status=422, kind="execution", detail="p", retry_after_s=None), "execution", ExitCode.NO),
        (StorageError("p"), "failed", ExitCode.NO),
    ],
)
def test_each_kind_of_error_has_its_word_and_exit_code(error: Exception, kind: str, code: ExitCode) -> None:
    (failure,) = failures_of(error)  # pyright: ignore[reportArgumentType]

    assert (failure.kind, failure.exit_code, failure.problem) == (kind, code, "p")
