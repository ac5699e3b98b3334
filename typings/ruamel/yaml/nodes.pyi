# A part of ruamel.yaml, as far as Vedette uses it.

from ruamel.yaml.error import StringMark

class Node:
    tag: str
    anchor: str | None
    start_mark: StringMark

class ScalarNode(Node):
    value: str
    style: str | None

class SequenceNode(Node):
    value: list[Node]

class MappingNode(Node):
    value: list[tuple[Node, Node]]
