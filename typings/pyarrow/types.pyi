"""Questions about Arrow types."""

from . import DataType

def is_dictionary(t: DataType) -> bool: ...
