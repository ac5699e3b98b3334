"""Requests as real senders sent them: `<name>.bin`, its headers in `.request.yaml`, its content in `.json`."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from vedette.model.samples import SampleRuns
from vedette.wire.compression import Encoding, compress, decompress
from vedette.wire.remote_write import (
    HashKey,
    Version,
    WriteRequest,
    decode_write_request,
    encode_labels_v1,
    encode_metadata_v1,
    encode_v1,
    encode_v2,
    negotiate,
)

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("CONFORMANCE_DIR", ROOT / "../shared/conformance")) / "remote_write"
KEY = HashKey(1, 2)


def cases() -> list[Any]:
    found = sorted(FOLDER.glob("**/*.bin"))
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no *.bin in {FOLDER}"))]
    return [pytest.param(path, id=path.stem) for path in found]


def decode(path: Path) -> WriteRequest:
    headers = {
        name.lower(): str(value)
        for name, value in YAML(typ="safe").load(path.with_suffix(".request.yaml").read_text())["headers"].items()
    }
    kind = negotiate(
        headers.get("content-type", ""),
        headers.get("content-encoding", ""),
        headers.get("x-prometheus-remote-write-version", ""),
    )
    body = decompress(path.read_bytes(), kind.encoding, max_bytes=1 << 25)
    return decode_write_request(body, kind.version, key=KEY)


def expected_of(path: Path) -> dict[str, Any]:
    return json.loads(path.with_suffix(".json").read_text())


def content_of(request: WriteRequest) -> list[dict[str, Any]]:
    """The samples in the form of the .json files."""
    offsets = request.sample_offsets.tolist()
    return [
        {
            "labels": dict(request.labels(row)),
            "samples": [
                [plain(value), time]
                for value, time in zip(
                    request.values[offsets[row] : offsets[row + 1]].tolist(),
                    request.times[offsets[row] : offsets[row + 1]].tolist(),
                    strict=True,
                )
            ],
        }
        for row in range(request.series_count)
    ]


def plain(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return value


@pytest.mark.parametrize("path", cases())
def test_a_real_request_holds_what_its_sender_had(path: Path) -> None:
    expected = expected_of(path)

    request = decode(path)

    assert content_of(request) == [
        {"labels": series["labels"], "samples": series["samples"]} for series in expected.get("timeseries", [])
    ]
    found = [
        {"type": each.type.value, "metric": each.family, "help": each.help, "unit": each.unit}
        for each in request.family_metadata()
    ]
    assert found == expected.get("metadata", [])


@pytest.mark.parametrize("path", cases())
@pytest.mark.parametrize("version", Version)
def test_a_real_request_survives_being_sent_on(path: Path, version: Version) -> None:
    request = decode(path)
    labels = [request.labels(row) for row in range(request.series_count)]
    runs = SampleRuns(request.sample_offsets, request.times, request.values)
    match version:
        case Version.V1:
            body = encode_v1([encode_labels_v1(each) for each in labels], runs)
            body += encode_metadata_v1(request.family_metadata())
        case Version.V2:
            body = encode_v2(labels, runs)

    packed = compress(body, Encoding.SNAPPY)
    again = decode_write_request(decompress(packed, Encoding.SNAPPY, max_bytes=1 << 25), version, key=KEY)

    assert content_of(again) == content_of(request)
    assert again.values.view(np.uint64).tolist() == request.values.view(np.uint64).tolist()
    if version is Version.V1:
        assert again.family_metadata() == request.family_metadata()
