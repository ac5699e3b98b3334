"""Templates that use each other."""

from __future__ import annotations

import pytest

from vedette.lang.gotemplate import (
    Budget,
    Function,
    Limits,
    MissingKey,
    TemplateExecutionError,
    TemplateSet,
    TemplateSyntaxError,
    missing_key_of,
    parse,
)


def test_a_later_file_replaces_the_templates_of_an_earlier_one() -> None:
    among = TemplateSet({})
    among.parse("first", '{{define "a"}}old{{end}}{{define "b"}}kept{{end}}')

    among.parse("second", '{{define "a"}}new{{end}}')

    assert among.parse("text", '{{template "a"}} {{template "b"}}').execute(None) == "new kept"


def test_a_definition_with_nothing_in_it_replaces_nothing() -> None:
    among = TemplateSet({})
    among.parse("first", '{{define "a"}}old{{end}}')

    among.parse("second", '{{define "a"}} \n {{end}}')

    assert among.template("a").execute(None) == "old"


def test_a_clone_does_not_change_the_set_it_comes_from() -> None:
    among = TemplateSet({})
    among.parse("first", '{{define "a"}}old{{end}}')

    among.clone().parse("second", '{{define "a"}}new{{end}}')

    assert among.template("a").execute(None) == "old"


def test_a_set_is_as_it_was_after_a_text_that_cannot_be_read() -> None:
    among = TemplateSet({})

    with pytest.raises(TemplateSyntaxError):
        among.parse("first", '{{define "a"}}x{{end}}{{')

    assert among.names() == frozenset()


def test_a_template_that_does_not_exist_is_named() -> None:
    with pytest.raises(TemplateExecutionError, match='no template "a" in the set'):
        TemplateSet({}).template("a")


def test_missing_templates_are_found_through_those_that_use_them() -> None:
    among = TemplateSet({})
    among.parse(
        "file", '{{define "a"}}{{if .}}{{range .}}{{template "gone"}}{{end}}{{else}}{{template "a"}}{{end}}{{end}}'
    )

    assert among.parse("text", '{{template "a"}}').missing() == {"gone"}


def test_functions_of_one_execution_stand_instead_of_those_of_the_set() -> None:
    template = parse("t", "{{name}}", {"name": Function(lambda: "nobody")})

    assert template.execute(None, functions={"name": Function(lambda: "anna")}) == "anna"
    assert template.execute(None) == "nobody"


def test_executions_within_each_other_share_their_limits() -> None:
    template = parse("t", "12345", {})
    budget = Budget(Limits(output_bytes=8))

    template.execute_within(budget, None)

    with pytest.raises(TemplateExecutionError, match="more than 8 bytes"):
        template.execute_within(budget, None)


def test_the_last_option_counts_and_an_unknown_one_is_refused() -> None:
    assert missing_key_of(["missingkey=error", "missingkey=zero"]) is MissingKey.ZERO
    with pytest.raises(ValueError, match="unrecognized option: missingkey=no"):
        missing_key_of(["missingkey=no"])
