"""The tree of a template. The text of a node is what messages quote.

Source: Go's `text/template/parse` (https://pkg.go.dev/text/template/parse).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vedette.lang.gotemplate.literals import quote
from vedette.lang.gotemplate.text import SPACES


@dataclass(slots=True, eq=False)
class Source:
    """A text with templates.

    Attributes:
        name: of the template or file that it was parsed as, for messages.
        text: the text.
    """

    name: str
    text: str

    def place(self, pos: int) -> str:
        """A position as messages name it: `name:line:column`, columns in bytes, the first line's from 0 or 1."""
        before = self.text[:pos]
        line_end = before.rfind("\n")
        column = len(before[line_end + 1 :].encode("utf-8", "surrogatepass"))
        return f"{self.name}:{before.count(chr(10)) + 1}:{column}"


@dataclass(slots=True, eq=False)
class Node:
    """Something in a template.

    Attributes:
        source: where it stands.
        pos: at which character.
    """

    source: Source
    pos: int


@dataclass(slots=True, eq=False)
class Text(Node):
    """Text that is written as it is."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True, eq=False)
class Dot(Node):
    """`.`: what the template is about."""

    def __str__(self) -> str:
        return "."


@dataclass(slots=True, eq=False)
class Nil(Node):
    """`nil`: nothing."""

    def __str__(self) -> str:
        return "nil"


@dataclass(slots=True, eq=False)
class Bool(Node):
    """`true` or `false`."""

    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(slots=True, eq=False)
class Number(Node):
    """A number, as everything that it could be.

    Attributes:
        text: as it was written.
        as_int: None if it does not fit an int64.
        as_uint: None if it does not fit a uint64.
        as_float: None if it is imaginary.
        as_complex: None unless it was written with an `i`.
    """

    text: str
    as_int: int | None = None
    as_uint: int | None = None
    as_float: float | None = None
    as_complex: complex | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True, eq=False)
class String(Node):
    """A string.

    Attributes:
        quoted: as it was written.
        text: what it stands for.
    """

    quoted: str
    text: str

    def __str__(self) -> str:
        return self.quoted


@dataclass(slots=True, eq=False)
class FieldChain(Node):
    """`.a.b`: fields, entries or methods, one behind another."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(slots=True, eq=False)
class Variable(Node):
    """`$x` or `$x.a.b`: the variable's name with its dollar sign, then fields."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(slots=True, eq=False)
class Identifier(Node):
    """The name of a function."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False)
class Chain(Node):
    """`(pipeline).a.b` or `function.a.b`."""

    of: Operand
    names: tuple[str, ...]

    def __str__(self) -> str:
        of = f"({self.of})" if isinstance(self.of, Pipeline) else str(self.of)
        return of + "".join(f".{name}" for name in self.names)


@dataclass(slots=True, eq=False)
class Command(Node):
    """Words: a function or a method with its arguments, or a value alone."""

    args: list[Operand] = field(default_factory=list["Operand"])

    def __str__(self) -> str:
        return " ".join(f"({arg})" if isinstance(arg, Pipeline) else str(arg) for arg in self.args)


@dataclass(slots=True, eq=False)
class Pipeline(Node):
    """Commands, each of which gets the result of the one before; variables get the last one's.

    Attributes:
        commands: the commands.
        variables: what is declared or assigned.
        assigns: whether the variables exist already.
    """

    commands: list[Command] = field(default_factory=list[Command])
    variables: list[Variable] = field(default_factory=list[Variable])
    assigns: bool = False

    def __str__(self) -> str:
        names = ", ".join(map(str, self.variables))
        mark = " = " if self.assigns else " := "
        return (names + mark if names else "") + " | ".join(map(str, self.commands))


Operand = Dot | Nil | Bool | Number | String | FieldChain | Variable | Identifier | Chain | Pipeline


@dataclass(slots=True, eq=False)
class Action(Node):
    """`{{pipeline}}`."""

    line: int
    pipe: Pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


@dataclass(slots=True, eq=False)
class Break(Node):
    """`{{break}}`."""

    line: int

    def __str__(self) -> str:
        return "{{break}}"


@dataclass(slots=True, eq=False)
class Continue(Node):
    """`{{continue}}`."""

    line: int

    def __str__(self) -> str:
        return "{{continue}}"


@dataclass(slots=True, eq=False)
class Nodes(Node):
    """One behind another."""

    nodes: list[Statement] = field(default_factory=list["Statement"])

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))

    def is_empty(self) -> bool:
        """Whether there is nothing but white space."""
        return all(isinstance(node, Text) and not node.text.strip(SPACES) for node in self.nodes)


@dataclass(slots=True, eq=False)
class Branch(Node):
    """`if`, `with` and `range`, with `else`.

    Attributes:
        line: where it begins.
        pipe: what decides.
        body: for what is true, or each element.
        otherwise: for all else; None without an `else`.
    """

    line: int
    pipe: Pipeline
    body: Nodes
    otherwise: Nodes | None

    def __str__(self) -> str:
        otherwise = f"{{{{else}}}}{self.otherwise}" if self.otherwise is not None else ""
        return f"{{{{{self.word} {self.pipe}}}}}{self.body}{otherwise}{{{{end}}}}"

    @property
    def word(self) -> str:
        """Its keyword."""
        return type(self).__name__.lower()


@dataclass(slots=True, eq=False)
class If(Branch):
    """`{{if pipeline}}`."""

    __str__ = Branch.__str__


@dataclass(slots=True, eq=False)
class With(Branch):
    """`{{with pipeline}}`."""

    __str__ = Branch.__str__


@dataclass(slots=True, eq=False)
class Range(Branch):
    """`{{range pipeline}}`."""

    __str__ = Branch.__str__


@dataclass(slots=True, eq=False)
class Invoke(Node):
    """`{{template "name" pipeline}}`."""

    line: int
    name: str
    pipe: Pipeline | None

    def __str__(self) -> str:
        pipe = f" {self.pipe}" if self.pipe is not None else ""
        return f"{{{{template {quote(self.name)}{pipe}}}}}"


def invocations(nodes: Nodes) -> Iterator[Invoke]:
    """All uses of other templates."""
    waiting = [nodes]
    while waiting:
        for node in waiting.pop().nodes:
            if isinstance(node, Invoke):
                yield node
            elif isinstance(node, Branch):
                waiting.append(node.body)
                if node.otherwise is not None:
                    waiting.append(node.otherwise)


Statement = Text | Action | Break | Continue | If | With | Range | Invoke
