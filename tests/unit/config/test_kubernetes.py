from __future__ import annotations

import pytest

from vedette.config.discovery.kubernetes import is_label_selector


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("app=web", True),
        ("app==web,tier!=db", True),
        ("app in (a, b),tier notin (c)", True),
        ("example.com/name", True),
        ("!app", True),
        ("n>5", True),
        ("app=", True),
        ("app in a", False),
        ("=web", False),
        ("app=a b", False),
        ("a,,b", False),
    ],
)
def test_label_selectors_are_those_that_kubernetes_understands(text: str, valid: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_label_selector(text) is valid
