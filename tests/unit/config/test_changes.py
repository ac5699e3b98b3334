from __future__ import annotations

from vedette.config import Config, changed_jobs, changed_sections, fingerprint, load_text, targets_changed

BEFORE = """
global: {scrape_interval: 15s}
scrape_configs:
- {job_name: a, basic_auth: {username: u, password: p}}
- {job_name: b, scrape_interval: 30s}
- {job_name: c}
"""


def config(text: str) -> Config:
    return load_text(text, file="v.yml", env={}).config


def test_the_same_text_read_twice_changes_nothing() -> None:
    assert changed_sections(config(BEFORE), config(BEFORE)) == frozenset()
    assert changed_jobs(config(BEFORE), config(BEFORE)).unchanged == ("a", "b", "c")


def test_comments_and_the_order_of_jobs_leave_jobs_unchanged() -> None:
    after = (
        "# new\nglobal: {scrape_interval: 15s}\nscrape_configs: [{job_name: c}, {job_name: b, scrape_interval: 30s}]\n"
    )

    changes = changed_jobs(config(BEFORE), config(after))

    assert (changes.removed, changes.unchanged, changes.changed) == (("a",), ("b", "c"), ())


def test_a_changed_global_changes_only_the_jobs_that_follow_it() -> None:
    changes = changed_jobs(config(BEFORE), config(BEFORE.replace("15s", "20s")))

    assert (changes.changed, changes.unchanged) == (("a", "c"), ("b",))


def test_a_changed_secret_changes_its_job() -> None:
    after = config(BEFORE.replace("password: p", "password: q"))

    assert changed_jobs(config(BEFORE), after).changed == ("a",)
    assert fingerprint(config(BEFORE).jobs[0]) != fingerprint(after.jobs[0])


def test_sections_are_compared_one_by_one() -> None:
    assert changed_sections(config(BEFORE), config(BEFORE + "query: {timeout: 1m}\n")) == {"query"}


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert fingerprint(config("query: {timeout: 1m}\n").query) == "adf08060e417d4299ee73aa80c005067"


def test_metric_relabelling_does_not_change_targets() -> None:
    (before,) = config("scrape_configs: [{job_name: a}]").jobs
    (after,) = config("scrape_configs: [{job_name: a, metric_relabel_configs: [{action: labeldrop, regex: x}]}]").jobs
    (moved,) = config("scrape_configs: [{job_name: a, metrics_path: /x}]").jobs

    assert before != after
    assert not targets_changed(before, after)
    assert targets_changed(before, moved)


def test_settings_are_frozen_and_hashable() -> None:
    assert hash(config(BEFORE)) == hash(config(BEFORE))
