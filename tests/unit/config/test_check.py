from __future__ import annotations

from pathlib import Path

from vedette.config import check, load_text
from vedette.ingest.relabel import apply


def found(text: str, directory: Path) -> list[str]:
    return check(load_text(text, file=str(directory / "v.yml"), env={}).config, relabel=apply)


def test_files_that_are_not_there_are_named_with_their_option(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    text = (
        "rule_files: [none.yml, '*.rules']\n"
        "scrape_configs:\n- {job_name: j, authorization: {credentials_file: none}}\n"
        "- {job_name: k, bearer_token_file: there}\n"
        "http: {tls: {cert_file: cert.pem, key_file: there}}\n"
    )

    assert found(text, tmp_path) == [
        f'rule_files: "{tmp_path}/none.yml" does not point to an existing file',
        f'scrape_configs (job j): authorization.credentials_file: "{tmp_path}/none" does not point to an existing file',
        f'http: tls.cert_file: "{tmp_path}/cert.pem" does not point to an existing file',
    ]


def test_static_targets_are_checked_after_relabelling(tmp_path: Path) -> None:
    job = "scrape_configs:\n- job_name: j\n  static_configs: [{targets: ['http://a']}]\n  relabel_configs:\n"
    param = "  - {source_labels: [__address__], target_label: __param_target}\n"
    address = "  - {target_label: __address__, replacement: 'probe:9115'}\n"

    assert len(found(job + param, tmp_path)) == 1
    assert found(job + param + address, tmp_path) == []
