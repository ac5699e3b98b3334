from __future__ import annotations

import pytest

from vedette.model.errors import UnavailableError
from vedette.store.engine.processor import check_processor

MODERN = "flags\t\t: fpu sse4_2 popcnt pclmulqdq avx avx2 bmi1 bmi2 fma f16c abm movbe\n"


def test_a_modern_processor_passes() -> None:
    check_processor(f"processor\t: 0\n{MODERN}", "x86_64")


def test_an_old_processor_is_refused_by_the_names_of_what_it_lacks() -> None:
    old = MODERN.replace(" avx2 bmi1 bmi2 fma", "")

    with pytest.raises(UnavailableError, match=r"this one lacks avx2, bmi1, bmi2, fma\. Run on a newer machine"):
        check_processor(old, "x86_64")


def test_an_old_arm_processor_is_refused_too() -> None:
    with pytest.raises(UnavailableError, match="lacks aes, atomics, asimddp"):
        check_processor("Features\t: fp asimd evtstrm crc32 cpuid\n", "aarch64")


@pytest.mark.parametrize(
    ("cpuinfo", "machine"),
    [
        pytest.param("", "x86_64", id="no information"),
        pytest.param("flags: sse\n", "riscv64", id="a machine nobody knows about"),
    ],
)
def test_what_cannot_be_judged_is_let_through(cpuinfo: str, machine: str) -> None:
    check_processor(cpuinfo, machine)
