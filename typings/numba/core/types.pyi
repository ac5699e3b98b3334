# Numba's types, as far as Vedette names them; calling one makes a signature that returns it.

from typing import Any

def uint64(*arguments: Any) -> Any: ...

int64: Any

def void(*arguments: Any) -> Any: ...
