from __future__ import annotations

import pytest

from vedette.lang.promql.functions import FUNCTIONS, Function


@pytest.mark.parametrize("function", [pytest.param(function, id=name) for name, function in FUNCTIONS.items()])
def test_a_function_s_help_is_one_short_sentence(function: Function) -> None:
    assert function.help.endswith(".")
    assert len(function.help) < 120
    assert function.signature.startswith(f"{function.name}(")
    assert function.signature.endswith(f" {function.return_type}")


@pytest.mark.parametrize(
    ("name", "signature", "fewest", "most"),
    [
        ("rate", "rate(v matrix) vector", 1, 1),
        ("time", "time() scalar", 0, 0),
        ("round", "round(v vector, [to_nearest scalar]) vector", 1, 2),
        ("hour", "hour([v vector]) vector", 0, 1),
        ("label_join", "label_join(v vector, dst string, separator string, [src string, ...]) vector", 3, None),
    ],
)
def test_a_function_knows_how_many_arguments_it_takes(name: str, signature: str, fewest: int, most: int | None) -> None:
    function = FUNCTIONS[name]

    assert (function.signature, function.min_args, function.max_args) == (signature, fewest, most)
