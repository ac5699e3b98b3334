# A part of ruamel.yaml, as far as Vedette uses it.

from collections.abc import Iterator
from typing import Any, TextIO

from ruamel.yaml.events import Event
from ruamel.yaml.nodes import Node

class YAML:
    default_flow_style: bool | None
    allow_unicode: bool
    width: int
    sort_base_mapping_type_on_output: bool
    def __init__(self, *, typ: str = ..., pure: bool = ...) -> None: ...
    def compose(self, stream: str) -> Node | None: ...
    def dump(self, data: Any, stream: TextIO) -> None: ...
    def load(self, stream: str) -> Any: ...
    def parse(self, stream: str) -> Iterator[Event]: ...
