# The part of llvmlite's builder of intermediate code that Vedette uses.

from typing import Any

class IntType:
    def __init__(self, bits: int) -> None: ...
    def as_pointer(self) -> Any: ...

class Constant:
    def __init__(self, typ: IntType, constant: int) -> None: ...
