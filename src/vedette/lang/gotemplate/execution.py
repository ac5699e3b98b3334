"""Execute a template: walk its tree with some data, and write what it says.

Source: Go's `text/template/exec.go`; the messages are the same. What an execution may use is bounded (`limits`), and
all that it reaches are the values it was given (`values`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from enum import Enum, StrEnum
from typing import Any, Final, cast

from vedette.lang.gotemplate.builtins import BUILTINS, printable
from vedette.lang.gotemplate.errors import FunctionError, LimitError, TemplateExecutionError
from vedette.lang.gotemplate.kinds import ANY, VALUE, Function, Functions, GoType, Kind
from vedette.lang.gotemplate.limits import Budget, Limits
from vedette.lang.gotemplate.literals import quote
from vedette.lang.gotemplate.nodes import (
    Action,
    Bool,
    Break,
    Chain,
    Command,
    Continue,
    Dot,
    FieldChain,
    Identifier,
    If,
    Invoke,
    Nil,
    Node,
    Nodes,
    Number,
    Operand,
    Pipeline,
    Range,
    String,
    Text,
    Variable,
    With,
)
from vedette.lang.gotemplate.printing import sprint
from vedette.lang.gotemplate.text import byte_length, joined
from vedette.lang.gotemplate.values import (
    Boxed,
    Typed,
    entries_of,
    entry,
    indirect,
    items_of,
    payload,
    truth,
    type_of,
    unboxed,
    zero,
)


class MissingKey(StrEnum):
    """What an entry is that a map does not have."""

    DEFAULT = "default"
    ZERO = "zero"
    ERROR = "error"


class _Missing:
    """Stands for an argument that is not there."""


_MISSING: Final = _Missing()


class _Leave(Enum):
    """How a list was left before its end."""

    BREAK = "break"
    CONTINUE = "continue"


_NAMES_PER_STEP: Final = 16
_FLOAT_MARKS: Final = frozenset(".eEpP")


def execute_tree(
    name: str,
    trees: Mapping[str, Nodes],
    functions: Functions,
    data: Any,
    *,
    missing_key: MissingKey = MissingKey.DEFAULT,
    limits: Limits | None = None,
    budget: Budget | None = None,
) -> str:
    """What a template gives for some data.

    Args:
        name: which of the templates.
        trees: all templates that it may use.
        functions: what it may call besides Go's own functions.
        data: what `.` and `$` are.
        missing_key: what an entry is that a map does not have.
        limits: what it may use.
        budget: what is left of another execution that this one is a part of.

    Raises:
        TemplateExecutionError: with Go's message.
    """
    run = _Run(name, trees, functions, missing_key, budget or Budget(limits or Limits()))
    root = trees.get(name)
    if root is None:
        raise TemplateExecutionError(f"template: {name}: {quote(name)} is an incomplete or empty template")
    try:
        run.walk(data, root)
    except LimitError as exc:
        raise run.too_much(exc) from exc
    except RecursionError as exc:
        raise run.too_much(run.budget.too_deep()) from exc
    return joined(run.parts)


class _Run:
    """One execution."""

    def __init__(
        self, name: str, trees: Mapping[str, Nodes], functions: Functions, missing_key: MissingKey, budget: Budget
    ) -> None:
        self.parts: list[str] = []
        self.budget = budget
        self._name = name
        self._trees = trees
        self._functions = functions
        self._missing_key = missing_key
        self._node: Node | None = None
        self._variables: list[tuple[str, Any]] = []

    # Errors

    def _failure(self, problem: str) -> TemplateExecutionError:
        return TemplateExecutionError(self._placed(problem))

    def _placed(self, problem: str) -> str:
        node = self._node
        if node is None:
            return f"template: {self._name}: {problem}"
        return f"template: {node.source.place(node.pos)}: executing {quote(self._name)} at <{node}>: {problem}"

    def too_much(self, exc: LimitError) -> TemplateExecutionError:
        """Which limit was reached, and where."""
        return self._failure(str(exc))

    # Statements

    def walk(self, dot: Any, nodes: Nodes) -> _Leave | None:
        """Execute a template from its root."""
        self._variables = [("$", dot)]
        return self._walk(dot, nodes)

    def _walk(self, dot: Any, nodes: Nodes) -> _Leave | None:
        self.budget.enter()
        try:
            for node in nodes.nodes:
                self.budget.spend()
                self._node = node
                match node:
                    case Text():
                        self._write(node.text)
                    case Action():
                        value = self._pipeline(dot, node.pipe)
                        if not node.pipe.variables:
                            self._print(node, value)
                    case Invoke():
                        self._invoke(dot, node)
                    case Break():
                        return _Leave.BREAK
                    case Continue():
                        return _Leave.CONTINUE
                    case Range():
                        left = self._range(dot, node)
                        if left is not None:
                            return left
                    case If() | With():
                        left = self._branch(dot, node)
                        if left is not None:
                            return left
        finally:
            self.budget.depth += 1
        return None

    def _write(self, text: str) -> None:
        self.budget.write(text)
        self.parts.append(text)

    def _print(self, node: Action, value: Any) -> None:
        self._node = node
        if type(value) is str:
            self._write(value)
            return
        if type(value) is Typed and value.type.kind is Kind.FUNC:
            raise self._failure(f"can't print {node} of type {value.type.name}")
        self._write(sprint((printable(value),), self.budget))

    def _branch(self, dot: Any, node: If | With) -> _Leave | None:
        mark = len(self._variables)
        try:
            while True:
                value = self._pipeline(dot, node.pipe)
                if truth(value):
                    return self._walk(value if isinstance(node, With) else dot, node.body)
                if node.otherwise is None:
                    return None
                inner = node.otherwise.nodes[0] if len(node.otherwise.nodes) == 1 else None
                # A chain of `else if` is not a nest.
                if not isinstance(inner, If | With):
                    return self._walk(dot, node.otherwise)
                self.budget.spend()
                self._node = node = inner
        finally:
            del self._variables[mark:]

    def _range(self, dot: Any, node: Range) -> _Leave | None:
        mark = len(self._variables)
        try:
            value, nil = indirect(self._pipeline(dot, node.pipe))
            if value is not None and not nil and self._each(value, node):
                return None
            if value is not None and nil:
                raise self._failure("range can't iterate over <nil>")
            return self._walk(dot, node.otherwise) if node.otherwise is not None else None
        finally:
            del self._variables[mark:]

    def _each(self, value: Any, node: Range) -> bool:
        """Execute the body for every element; False if there is none."""
        kind = type_of(value).kind
        if kind in (Kind.INT, Kind.UINT):
            if len(node.pipe.variables) > 1:
                raise self._failure(f"can't use {payload(value)} to iterate over more than one variable")
            return self._count(value, node)
        if kind is Kind.SLICE:
            pairs: list[tuple[Any, Any]] = list(enumerate(items_of(value)))
        elif kind is Kind.MAP:
            pairs = cast("list[tuple[Any, Any]]", entries_of(value))
        else:
            raise self._failure(f"range can't iterate over {sprint((value,), self.budget)}")
        self.budget.spend_on(len(pairs))
        mark = len(self._variables)
        for index, element in pairs:
            if self._turn(index, element, node, mark) is _Leave.BREAK:
                break
        return bool(pairs)

    def _count(self, value: Any, node: Range) -> bool:
        most = payload(value)
        mark = len(self._variables)
        kind = value.type if isinstance(value, Typed) else None
        for number in range(most):
            element = Typed(kind, number) if kind is not None else number
            if self._turn(None, element, node, mark) is _Leave.BREAK:
                break
        return most > 0

    def _turn(self, index: Any, element: Any, node: Range, mark: int) -> _Leave | None:
        self.budget.spend()
        variables = node.pipe.variables
        if variables:
            values = (index, element) if len(variables) > 1 else (element,)
            if node.pipe.assigns:
                for variable, value in zip(variables, values, strict=True):
                    self._assign(variable.names[0], value)
            else:
                # The pipeline has declared them.
                at = mark - len(variables)
                for offset, value in enumerate(values):
                    self._variables[at + offset] = (self._variables[at + offset][0], value)
        left = self._walk(element, node.body)
        del self._variables[mark:]
        return left

    def _invoke(self, dot: Any, node: Invoke) -> None:
        root = self._trees.get(node.name)
        if root is None:
            raise self._failure(f"template {quote(node.name)} not defined")
        # What the pipeline declares stays declared.
        value = self._pipeline(dot, node.pipe) if node.pipe is not None else None
        name, variables = self._name, self._variables
        self._name, self._variables = node.name, [("$", value)]
        self._walk(value, root)
        self._name, self._variables = name, variables

    # Variables

    def _assign(self, name: str, value: Any) -> None:
        at = self._find(name)
        self._variables[at] = (name, value)

    def _find(self, name: str) -> int:
        variables = self._variables
        for at in range(len(variables) - 1, -1, -1):
            if variables[at][0] == name:
                self.budget.spend((len(variables) - at) // _NAMES_PER_STEP)
                return at
        raise self._failure(f"undefined variable: {name}")

    # Pipelines

    def _pipeline(self, dot: Any, pipe: Pipeline) -> Any:
        self._node = pipe
        value: Any = _MISSING
        for command in pipe.commands:
            value = unboxed(self._command(dot, command, value))
        for variable in pipe.variables:
            if pipe.assigns:
                self._assign(variable.names[0], value)
            else:
                self._variables.append((variable.names[0], value))
        return value

    def _command(self, dot: Any, command: Command, final: Any) -> Any:
        self.budget.spend()
        args = command.args
        first = args[0]
        match first:
            case FieldChain():
                self._node = first
                return self._fields(dot, dot, first, first.names, args, final)
            case Identifier():
                return self._function(dot, first, command, args, final)
            case Variable():
                return self._variable(dot, first, args, final)
            case Chain():
                return self._chain(dot, first, args, final)
            case Pipeline():
                self._not_a_function(args, final)
                return self._nested(dot, first)
            case _:
                self._node = first
                self._not_a_function(args, final)
                return self._constant(dot, first)

    def _nested(self, dot: Any, pipe: Pipeline) -> Any:
        self.budget.enter()
        value = self._pipeline(dot, pipe)
        self.budget.depth += 1
        return value

    def _not_a_function(self, args: list[Operand], final: Any) -> None:
        if len(args) > 1 or final is not _MISSING:
            raise self._failure(f"can't give argument to non-function {args[0]}")

    def _constant(self, dot: Any, word: Dot | Bool | Nil | Number | String) -> Any:
        match word:
            case Dot():
                return dot
            case Bool():
                return word.value
            case String():
                return word.text
            case Number():
                return self._number(word)
            case Nil():
                raise self._failure("nil is not a command")

    def _number(self, word: Number) -> Any:
        """A number's value where nothing says which type it has to have."""
        self._node = word
        if word.as_complex is not None:
            return word.as_complex
        text = word.text
        hexadecimal = text[:2] in ("0x", "0X") and len(text) > 2 and not _FLOAT_POWERS.intersection(text)
        if word.as_float is not None and not hexadecimal and text[0] != "'" and _FLOAT_MARKS.intersection(text):
            return word.as_float
        if word.as_int is not None:
            return word.as_int
        raise self._failure(f"{text} overflows int")

    def _chain(self, dot: Any, chain: Chain, args: list[Operand], final: Any) -> Any:
        self._node = chain
        if isinstance(chain.of, Nil):
            raise self._failure(f"indirection through explicit nil in {chain}")
        of = self._arg(dot, None, chain.of)
        return self._fields(dot, of, chain, chain.names, args, final)

    def _variable(self, dot: Any, variable: Variable, args: list[Operand], final: Any) -> Any:
        self._node = variable
        value = self._variables[self._find(variable.names[0])][1]
        if len(variable.names) == 1:
            self._not_a_function(args, final)
            return value
        return self._fields(dot, value, variable, variable.names[1:], args, final)

    def _fields(
        self, dot: Any, receiver: Any, node: Node, names: tuple[str, ...], args: list[Operand], final: Any
    ) -> Any:
        for name in names[:-1]:
            receiver = self._field(dot, name, node, [], _MISSING, receiver)
        return self._field(dot, names[-1], node, args, final, receiver)

    def _field(self, dot: Any, name: str, node: Node, args: list[Operand], final: Any, receiver: Any) -> Any:
        """A method's result, a field, or an entry."""
        self.budget.spend()
        if receiver is None:
            if self._missing_key is MissingKey.ERROR:
                raise self._failure(f"nil data; no entry for key {quote(name)}")
            return None
        shown = ANY.name if type(receiver) is Boxed else type_of(receiver).name
        target, nil = indirect(receiver)
        if target is None:
            raise self._failure(f"nil pointer evaluating {shown}.{name}")
        method = self._method(receiver, target, name)
        if method is not None:
            return self._call(dot, method[0], node, name, args, final, receiver=method[1])
        has_args = len(args) > 1 or final is not _MISSING
        kind = type_of(target)
        match kind.kind:
            case Kind.STRUCT:
                one = kind.find_field(name)
                if one is not None:
                    if has_args:
                        raise self._failure(f"{name} has arguments but cannot be invoked as function")
                    held = payload(target)[name]
                    return Boxed(unboxed(held)) if one.type.kind is Kind.INTERFACE else held
            case Kind.MAP:
                if has_args:
                    raise self._failure(f"{name} is not a method but has arguments")
                return self._entry(target, name)
            case Kind.POINTER if nil:
                elem = kind.elem
                if elem is None or elem.kind is not Kind.STRUCT or elem.find_field(name) is not None:
                    raise self._failure(f"nil pointer evaluating {shown}.{name}")
            case _:
                pass
        raise self._failure(f"can't evaluate field {name} in type {shown}")

    def _method(self, receiver: Any, target: Any, name: str) -> tuple[Function, Any] | None:
        """A method, and what it is called on."""
        found = type_of(target).methods.get(name)
        if found is not None:
            return found, target
        above = unboxed(receiver)
        # A pointer has its own methods besides those of what it leads to.
        if above is not target and name in type_of(above).methods:
            return type_of(above).methods[name], above
        return None

    def _entry(self, target: Any, name: str) -> Any:
        value, known = entry(target, name)
        if known or self._missing_key is MissingKey.ZERO:
            return value
        if self._missing_key is MissingKey.ERROR:
            raise self._failure(f"map has no entry for key {quote(name)}")
        return None

    # Calls

    def _function(self, dot: Any, word: Identifier, node: Node, args: list[Operand], final: Any) -> Any:
        self._node = word
        name = word.name
        function = self._functions.get(name)
        if function is not None:
            return self._call(dot, function, node, name, args, final)
        function = BUILTINS.get(name)
        if function is None:
            raise self._failure(f"{quote(name)} is not a defined function")
        if name in ("and", "or"):
            self._check_count(function, name, len(args[1:]), final)
            return self._and_or(dot, name, args[1:], final)
        if name == "call":
            return self._call_value(dot, function, node, args, final)
        return self._call(dot, function, node, name, args, final)

    def _call(
        self,
        dot: Any,
        function: Function,
        node: Node,
        name: str,
        args: list[Operand],
        final: Any,
        *,
        receiver: Any = _MISSING,
    ) -> Any:
        self.budget.spend(function.cost)
        arguments = self._arguments(dot, function, name, args[1:], final)
        if receiver is not _MISSING:
            arguments.insert(0, receiver)
        return self._invoke_function(function, arguments, node, name)

    def _arguments(self, dot: Any, function: Function, name: str, args: list[Operand], final: Any) -> list[Any]:
        self._check_count(function, name, len(args), final)
        if function.unfit:
            raise self._failure(function.unfit)
        fixed = function.parameters
        given: list[Any] = []
        # No comprehension: its frame would count as depth.
        for at, arg in enumerate(args):
            given.append(self._arg(dot, fixed[at] if at < len(fixed) else function.variadic, arg))
        if final is not _MISSING:
            at = len(given)
            given.append(self._fit(final, fixed[at] if at < len(fixed) else function.variadic))
        return given

    def _check_count(self, function: Function, name: str, count: int, final: Any) -> None:
        given = count + (final is not _MISSING)
        wanted = len(function.parameters)
        if function.variadic is not None:
            if given < wanted:
                raise self._failure(f"wrong number of args for {name}: want at least {wanted} got {count}")
        elif given != wanted:
            raise self._failure(f"wrong number of args for {name}: want {wanted} got {given}")

    def _invoke_function(self, function: Function, arguments: list[Any], node: Node, name: str) -> Any:
        budget = self.budget
        budget.spend_on(sum(map(_size, arguments)) * function.effort)
        plain = arguments if _takes_boxes(function) else list(map(unboxed, arguments))
        try:
            value = function.call(budget, *plain) if function.budgeted else function.call(*plain)
        except LimitError:
            raise
        except FunctionError as exc:
            self._node = node
            raise TemplateExecutionError(self._placed(f"error calling {name}: {exc}")) from exc
        if type(value) is str:
            budget.check_length(byte_length(value))
        return value

    def _and_or(self, dot: Any, name: str, args: list[Operand], final: Any) -> Any:
        """The first argument that decides, or the last one; those behind it are not evaluated."""
        value: Any = None
        for arg in args:
            value = self._arg(dot, VALUE, arg)
            if truth(value) == (name == "or"):
                return value
        return value if final is _MISSING else final

    def _call_value(self, dot: Any, function: Function, node: Node, args: list[Operand], final: Any) -> Any:
        """`call`: a function that is a value."""
        shown = str(args[1]) if len(args) > 1 else "<func>"
        target, *given = (unboxed(value) for value in self._arguments(dot, function, "call", args[1:], final))
        problem = ""
        if target is None:
            problem = "call of nil"
        elif type_of(target).kind is not Kind.FUNC:
            problem = f"non-function {shown} of type {type_of(target).name}"
        called = cast("Function", payload(target)) if not problem else function
        if not problem:
            problem = _call_problem(called, shown, given)
        if problem:
            self._node = node
            raise self._failure(f"error calling call: {problem}")
        return self._invoke_function(called, given, node, "call")

    # Arguments

    def _arg(self, dot: Any, wanted: GoType | None, node: Operand) -> Any:  # noqa: PLR0911 - a table
        """An argument's value, of the type that a parameter has."""
        self._node = node
        match node:
            case Dot():
                return self._fit(dot, wanted)
            case FieldChain():
                return self._fit(self._fields(dot, dot, node, node.names, [], _MISSING), wanted)
            case Variable():
                return self._fit(self._variable(dot, node, [], _MISSING), wanted)
            case Pipeline():
                return self._fit(self._nested(dot, node), wanted)
            case Identifier():
                return self._fit(self._function(dot, node, node, [], _MISSING), wanted)
            case Chain():
                return self._fit(self._chain(dot, node, [], _MISSING), wanted)
            case Nil():
                if wanted is not None and wanted.can_be_nil:
                    return None if wanted.kind in (Kind.VALUE, Kind.INTERFACE) else zero(wanted)
                raise self._failure(f"cannot assign nil to {wanted.name if wanted is not None else 'nil'}")
            case _:
                return self._literal(wanted, node)

    def _literal(self, wanted: GoType | None, node: Bool | Number | String) -> Any:
        """A constant, of the type that a parameter has."""
        kind = wanted.kind if wanted is not None else Kind.INTERFACE
        if kind in (Kind.INTERFACE, Kind.VALUE):
            return self._constant(None, node)
        made = _literal_of(kind, node)
        if made is _MISSING:
            word = _EXPECTED.get(kind)
            if word is None:
                raise self._failure(f"can't handle {node} for arg of type {wanted.name if wanted is not None else ''}")
            raise self._failure(f"expected {word}; found {node}")
        if wanted is None or wanted in _PLAIN:
            return made
        return Typed(wanted, made)

    def _fit(self, value: Any, wanted: GoType | None) -> Any:
        """A value as a parameter of some type, if it fits."""
        if wanted is None:
            return value
        if value is None:
            if wanted.can_be_nil:
                return None if wanted.kind in (Kind.VALUE, Kind.INTERFACE) else zero(wanted)
            raise self._failure(f"invalid value; expected {wanted.name}")
        if wanted.kind in (Kind.VALUE, Kind.INTERFACE):
            return value
        boxed = type(value) is Boxed
        if boxed:
            value = unboxed(value)
            if value is None:
                raise self._failure(f"wrong type for value; expected {wanted.name}; got {ANY.name}")
        kind = type_of(value)
        if wanted.accepts(kind):
            return value
        if kind.kind is Kind.POINTER and kind.elem is not None and wanted.accepts(kind.elem):
            if payload(value) is None:
                raise self._failure(f"dereference of nil pointer of type {wanted.name}")
            return payload(value)
        raise self._failure(f"wrong type for value; expected {wanted.name}; got {kind.name}")


_FLOAT_POWERS: Final = frozenset("pP")
_EXPECTED: Final = {
    Kind.BOOL: "bool",
    Kind.STRING: "string",
    Kind.INT: "integer",
    Kind.UINT: "unsigned integer",
    Kind.FLOAT: "float",
    Kind.COMPLEX: "complex",
}
_PLAIN: Final = frozenset(type_of(value) for value in (True, 0, 0.0, 0j, ""))


def _takes_boxes(function: Function) -> bool:
    """Whether a function tells values in places of any type from others."""
    return function.variadic is VALUE or VALUE in function.parameters


def _literal_of(kind: Kind, node: Bool | Number | String) -> Any:
    """A constant as one of some kind; `_MISSING` if it is none."""
    match kind, node:
        case Kind.BOOL, Bool():
            return node.value
        case Kind.STRING, String():
            return node.text
        case Kind.INT, Number():
            found: Any = node.as_int
        case Kind.UINT, Number():
            found = node.as_uint
        case Kind.FLOAT, Number():
            found = node.as_float
        case Kind.COMPLEX, Number():
            found = node.as_complex
        case _:
            found = None
    return _MISSING if found is None else found


def _call_problem(called: Function, shown: str, given: list[Any]) -> str:
    """Why a function that is a value cannot be called so."""
    if called.unfit:
        return called.unfit
    wanted = len(called.parameters)
    if called.variadic is not None:
        if len(given) < wanted:
            return f"wrong number of args for {shown}: got {len(given)} want at least {wanted}"
    elif len(given) != wanted:
        return f"wrong number of args for {shown}: got {len(given)} want {wanted}"
    for at, value in enumerate(given):
        kind = called.parameters[at] if at < wanted else called.variadic
        assert kind is not None  # noqa: S101 - counted above
        if value is None:
            if not kind.can_be_nil:
                return f"arg {at}: value is nil; should be of type {kind.name}"
        elif not kind.accepts(type_of(value)):
            return f"arg {at}: value has type {type_of(value).name}; should be {kind.name}"
    return ""


def _size(value: Any) -> int:
    """How much work a value can be to a function."""
    held = payload(unboxed(value))
    return len(cast("Sized", held)) if isinstance(held, str | bytes | list | tuple | dict) else 0
