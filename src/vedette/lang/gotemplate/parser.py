"""Read a template's text into trees.

One text may hold many templates: those that it defines, and its own.

Source: Go's `text/template/parse/parse.go`; the messages are the same. Unlike there, depth is bounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from typing import Final

from vedette.lang.gotemplate.errors import TemplateSyntaxError
from vedette.lang.gotemplate.lexer import Kind, Lexer, Token
from vedette.lang.gotemplate.literals import (
    MAX_INT,
    MAX_UINT,
    MIN_INT,
    parse_float,
    parse_int,
    quote,
    unquote,
    unquote_char,
)
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
    Nodes,
    Number,
    Operand,
    Pipeline,
    Range,
    Source,
    Statement,
    String,
    Text,
    Variable,
    With,
)
from vedette.lang.gotemplate.text import clean

DEEPEST: Final = 64
"""How deep actions and parentheses may stand within each other."""

Trees = dict[str, Nodes]
"""Templates by name."""

_OPERANDS: Final = frozenset(
    (
        Kind.BOOL,
        Kind.CHAR_CONSTANT,
        Kind.COMPLEX,
        Kind.DOT,
        Kind.FIELD,
        Kind.IDENTIFIER,
        Kind.NUMBER,
        Kind.NIL,
        Kind.RAW_STRING,
        Kind.STRING,
        Kind.VARIABLE,
        Kind.LEFT_PAREN,
    )
)
_LOOP_WORDS: Final = ("break", "continue")
_COMPLEX = re.compile(r"(?P<real>[+-]?.*?)(?P<imaginary>(?<![eEpP])[+-][^+-]*(?:[eEpP][+-]?[^+-]*)?)i\Z", re.DOTALL)


def parse_trees(name: str, text: str, functions: Container[str]) -> Trees:
    """All templates of a text; its own has the given name.

    Raises:
        TemplateSyntaxError: with Go's message.
    """
    source = Source(name, clean(text))
    lexer = Lexer(source.text, keywords=frozenset(word for word in _LOOP_WORDS if word not in functions))
    trees: Trees = {}
    _Tree(name, source, lexer, functions, trees, 0).parse()
    return trees


class _End:
    """`{{end}}` or `{{else}}`, which end a list."""

    __slots__ = ("is_else", "pos")

    def __init__(self, pos: int, *, is_else: bool) -> None:
        self.pos, self.is_else = pos, is_else

    def __str__(self) -> str:
        return "{{else}}" if self.is_else else "{{end}}"


class _Tree:
    """Reads one template; those that it contains are read by others of these, from the same tokens."""

    def __init__(
        self, name: str, source: Source, lexer: Lexer, functions: Container[str], trees: Trees, depth: int
    ) -> None:
        self._name = name
        self._source = source
        self._lexer = lexer
        self._functions = functions
        self._trees = trees
        self._depth = depth
        self._read = Token(Kind.EOF, 0, "", 0)
        self._pending: list[Token] = []
        self._declared: list[str] = []
        self._variables: Counter[str] = Counter(("$",))
        self._loops = 0
        self._action_line = 0

    # Tokens

    def _next(self) -> Token:
        if self._pending:
            return self._pending.pop()
        self._read = self._lexer.next()
        return self._read

    def _back(self, *tokens: Token) -> None:
        """Give tokens back, the first one to be read again last."""
        self._pending.extend(tokens)

    def _peek(self) -> Token:
        token = self._next()
        self._back(token)
        return token

    def _next_word(self) -> Token:
        while True:
            token = self._next()
            if token.kind is not Kind.SPACE:
                return token

    def _peek_word(self) -> Token:
        token = self._next_word()
        self._back(token)
        return token

    def _failure(self, problem: str) -> TemplateSyntaxError:
        # Where the last token was read, which may be one that was given back.
        line, pos = self._read.line, self._read.pos
        column = pos - self._source.text.rfind("\n", 0, pos)
        problem = f"template: {self._source.name}:{line}: {problem}"
        return TemplateSyntaxError(problem, line=line, column=column)

    def _surprise(self, token: Token, context: str) -> TemplateSyntaxError:
        if token.kind is Kind.ERROR:
            extra = ""
            if self._action_line not in (0, token.line):
                extra = f" in action started at {self._source.name}:{self._action_line}"
                if token.text.endswith(" action"):
                    extra = extra.removeprefix(" in action")
            return self._failure(f"{token}{extra}")
        return self._failure(f"unexpected {token} in {context}")

    def _expect(self, kind: Kind, context: str) -> Token:
        token = self._next_word()
        if token.kind is not kind:
            raise self._surprise(token, context)
        return token

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._failure(f"actions and parentheses stand deeper than {DEEPEST} within each other")

    # Templates

    def parse(self) -> None:
        """The whole text."""
        root = Nodes(self._source, self._peek().pos)
        while self._peek().kind is not Kind.EOF:
            if self._peek().kind is Kind.LEFT_DELIM:
                delimiter = self._next()
                word = self._next_word()
                if word.kind is Kind.DEFINE:
                    self._within("definition").parse_definition()
                    continue
                self._back(word, delimiter)
            node = self._text_or_action()
            if isinstance(node, _End):
                raise self._failure(f"unexpected {node}")
            root.nodes.append(node)
        self._add(root)

    def _within(self, name: str) -> _Tree:
        return _Tree(name, self._source, self._lexer, self._functions, self._trees, self._depth)

    def parse_definition(self) -> None:
        """Behind `{{define`."""
        context = "define clause"
        name = self._next_word()
        if name.kind not in (Kind.STRING, Kind.RAW_STRING):
            raise self._surprise(name, context)
        self._name = self._unquoted(name)
        self._expect(Kind.RIGHT_DELIM, context)
        self.parse_body(context)

    def parse_body(self, context: str) -> None:
        root, end = self._list()
        if end.is_else:
            raise self._failure(f"unexpected {end} in {context}")
        self._add(root)

    def _add(self, root: Nodes) -> None:
        known = self._trees.get(self._name)
        if known is None or known.is_empty():
            self._trees[self._name] = root
        elif not root.is_empty():
            raise self._failure(f"template: multiple definition of template {quote(self._name)}")

    # Statements

    def _list(self) -> tuple[Nodes, _End]:
        nodes = Nodes(self._source, self._peek_word().pos)
        while self._peek_word().kind is not Kind.EOF:
            node = self._text_or_action()
            if isinstance(node, _End):
                return nodes, node
            nodes.nodes.append(node)
        raise self._failure("unexpected EOF")

    def _text_or_action(self) -> Statement | _End:
        token = self._next_word()
        if token.kind is Kind.TEXT:
            return Text(self._source, token.pos, token.text)
        if token.kind is not Kind.LEFT_DELIM:
            raise self._surprise(token, "input")
        self._action_line = token.line
        node = self._action()
        self._action_line = 0
        return node

    def _action(self) -> Statement | _End:  # noqa: PLR0911 - one line for each word
        token = self._next_word()
        match token.kind:
            case Kind.BLOCK:
                return self._block()
            case Kind.BREAK | Kind.CONTINUE:
                return self._leave(token)
            case Kind.ELSE:
                return self._else()
            case Kind.END:
                return _End(self._expect(Kind.RIGHT_DELIM, "end").pos, is_else=False)
            case Kind.IF | Kind.RANGE | Kind.WITH:
                return self._branch(token)
            case Kind.TEMPLATE:
                return self._invoke()
            case _:
                self._back(token)
        token = self._peek()
        return Action(self._source, token.pos, token.line, self._pipeline("command", Kind.RIGHT_DELIM))

    def _leave(self, token: Token) -> Break | Continue:
        word = f"{{{{{token.text}}}}}"
        after = self._next_word()
        if after.kind is not Kind.RIGHT_DELIM:
            raise self._surprise(after, word)
        if not self._loops:
            raise self._failure(f"{word} outside {{{{range}}}}")
        kind = Break if token.kind is Kind.BREAK else Continue
        return kind(self._source, token.pos, token.line)

    def _else(self) -> _End:
        token = self._peek_word()
        if token.kind in (Kind.IF, Kind.WITH):
            return _End(token.pos, is_else=True)
        return _End(self._expect(Kind.RIGHT_DELIM, "else").pos, is_else=True)

    def _branch(self, token: Token) -> If | With | Range:
        """A branch with its whole chain of `else if` or `else with`, which do not count as standing in each other."""
        self._enter()
        known = len(self._declared)
        first = last = self._begin_branch(token)
        while True:
            if isinstance(last, Range):
                self._loops += 1
            last.body, end = self._list()
            if isinstance(last, Range):
                self._loops -= 1
            if not end.is_else:
                break
            last.otherwise = Nodes(self._source, end.pos)
            token = self._peek()
            if (isinstance(last, If) and token.kind is Kind.IF) or (isinstance(last, With) and token.kind is Kind.WITH):
                inner = self._begin_branch(self._next())
                last.otherwise.nodes.append(inner)
                last = inner
                continue
            last.otherwise, end = self._list()
            if end.is_else:
                raise self._failure(f"expected end; found {end}")
            break
        for name in self._declared[known:]:
            self._variables[name] -= 1
        del self._declared[known:]
        self._depth -= 1
        return first

    def _begin_branch(self, token: Token) -> If | With | Range:
        kind = {Kind.IF: If, Kind.WITH: With, Kind.RANGE: Range}[token.kind]
        line = self._peek_word().line
        pipe = self._pipeline(token.text, Kind.RIGHT_DELIM)
        return kind(self._source, pipe.pos, line, pipe, Nodes(self._source, pipe.pos), None)

    def _block(self) -> Invoke:
        context = "block clause"
        token = self._next_word()
        name = self._template_name(token, context)
        pipe = self._pipeline(context, Kind.RIGHT_DELIM)
        self._enter()
        self._within(name).parse_body(context)
        self._depth -= 1
        return Invoke(self._source, token.pos, token.line, name, pipe)

    def _invoke(self) -> Invoke:
        context = "template clause"
        token = self._next_word()
        name = self._template_name(token, context)
        pipe: Pipeline | None = None
        after = self._next_word()
        if after.kind is not Kind.RIGHT_DELIM:
            self._back(after)
            pipe = self._pipeline(context, Kind.RIGHT_DELIM)
        return Invoke(self._source, token.pos, token.line, name, pipe)

    def _template_name(self, token: Token, context: str) -> str:
        if token.kind not in (Kind.STRING, Kind.RAW_STRING):
            raise self._surprise(token, context)
        return self._unquoted(token)

    def _unquoted(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as exc:
            raise self._failure(str(exc)) from exc

    # Pipelines

    def _pipeline(self, context: str, end: Kind) -> Pipeline:
        pipe = Pipeline(self._source, self._peek_word().pos)
        self._declarations(pipe, context)
        while True:
            token = self._next_word()
            if token.kind is end:
                self._check_pipeline(pipe, context)
                return pipe
            if token.kind not in _OPERANDS:
                raise self._surprise(token, context)
            self._back(token)
            pipe.commands.append(self._command())

    def _declarations(self, pipe: Pipeline, context: str) -> None:
        while True:
            variable = self._peek_word()
            if variable.kind is not Kind.VARIABLE:
                return
            self._next()
            # `$x := ...` declares, `$x ...` is a word; what is beside the variable may have to be given back.
            beside = self._peek()
            after = self._peek_word()
            if after.kind in (Kind.ASSIGN, Kind.DECLARE):
                pipe.assigns = after.kind is Kind.ASSIGN
                self._next_word()
                self._declare(pipe, variable)
                return
            if after.kind is Kind.CHAR and after.text == ",":
                self._next_word()
                self._declare(pipe, variable)
                if context != "range" or len(pipe.variables) >= 2:
                    raise self._failure(f"too many declarations in {context}")
                if self._peek_word().kind not in (Kind.VARIABLE, Kind.RIGHT_DELIM, Kind.RIGHT_PAREN):
                    raise self._failure("range can only initialize variables")
                continue
            if beside.kind is Kind.SPACE:
                self._back(beside)
            self._back(variable)
            return

    def _declare(self, pipe: Pipeline, token: Token) -> None:
        pipe.variables.append(Variable(self._source, token.pos, tuple(token.text.split("."))))
        self._declared.append(token.text)
        self._variables[token.text] += 1

    def _check_pipeline(self, pipe: Pipeline, context: str) -> None:
        if not pipe.commands:
            raise self._failure(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.args[0], Bool | Dot | Nil | Number | String):
                raise self._failure(f"non executable command in pipeline stage {stage}")

    def _command(self) -> Command:
        command = Command(self._source, self._peek_word().pos)
        while True:
            self._peek_word()
            operand = self._operand()
            if operand is not None:
                command.args.append(operand)
            token = self._next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in (Kind.RIGHT_DELIM, Kind.RIGHT_PAREN):
                self._back(token)
            elif token.kind is not Kind.PIPE:
                raise self._surprise(token, "operand")
            break
        if not command.args:
            raise self._failure("empty command")
        return command

    def _operand(self) -> Operand | None:
        node = self._term()
        if node is None or self._peek().kind is not Kind.FIELD:
            return node
        pos = self._peek().pos
        names: list[str] = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._next().text[1:])
        match node:
            case FieldChain():
                return FieldChain(self._source, pos, (*node.names, *names))
            case Variable():
                return Variable(self._source, pos, (*node.names, *names))
            case Bool() | String() | Number() | Nil() | Dot():
                raise self._failure(f"unexpected . after term {quote(str(node))}")
            case _:
                return Chain(self._source, pos, node, tuple(names))

    def _term(self) -> Operand | None:  # noqa: PLR0911 - one line for each kind of token
        token = self._next_word()
        source, pos, text = self._source, token.pos, token.text
        match token.kind:
            case Kind.IDENTIFIER:
                if text not in self._functions:
                    raise self._failure(f"function {quote(text)} not defined")
                return Identifier(source, pos, text)
            case Kind.DOT:
                return Dot(source, pos)
            case Kind.NIL:
                return Nil(source, pos)
            case Kind.VARIABLE:
                return self._variable(token)
            case Kind.FIELD:
                return FieldChain(source, pos, (text[1:],))
            case Kind.BOOL:
                return Bool(source, pos, text == "true")
            case Kind.CHAR_CONSTANT | Kind.COMPLEX | Kind.NUMBER:
                return self._number(token)
            case Kind.LEFT_PAREN:
                self._enter()
                pipe = self._pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
                self._depth -= 1
                return pipe
            case Kind.STRING | Kind.RAW_STRING:
                return String(source, pos, text, self._unquoted(token))
            case _:
                self._back(token)
                return None

    def _variable(self, token: Token) -> Variable:
        if not self._variables[token.text]:
            raise self._failure(f"undefined variable {quote(token.text)}")
        return Variable(self._source, token.pos, (token.text,))

    def _number(self, token: Token) -> Number:
        number = Number(self._source, token.pos, token.text)
        try:
            if token.kind is Kind.CHAR_CONSTANT:
                code = unquote_char(token.text)
                number.as_int, number.as_uint, number.as_float = code, code, float(code)
            elif token.kind is Kind.COMPLEX:
                _fill_complex(number, _complex_of(token.text))
            else:
                _fill(number)
        except ValueError as exc:
            raise self._failure(str(exc)) from exc
        return number


def _fill(number: Number) -> None:
    """Everything that a number without a real and an imaginary part could be."""
    text = number.text
    if text.endswith("i"):
        try:
            _fill_complex(number, complex(0, parse_float(text[:-1])))
        except ValueError:
            pass
        else:
            return
    whole = parse_int(text)
    if whole is not None and text[0] not in "+-" and whole <= MAX_UINT:
        number.as_uint = whole
    if whole is not None and MIN_INT <= whole <= MAX_INT:
        number.as_int = whole
        if whole == 0:
            number.as_uint = 0
    if number.as_int is not None or number.as_uint is not None:
        number.as_float = float(number.as_int if number.as_int is not None else number.as_uint or 0)
        return
    try:
        real = parse_float(text)
    except ValueError:
        raise ValueError(f"illegal number syntax: {quote(text)}") from None
    if not any(char in text for char in ".eEpP"):
        raise ValueError(f"integer overflow: {quote(text)}")
    _fill_real(number, real)


def _fill_real(number: Number, real: float) -> None:
    number.as_float = real
    if real.is_integer():
        whole = int(real)
        number.as_int = whole if MIN_INT <= whole <= MAX_INT else None
        number.as_uint = whole if 0 <= whole <= MAX_UINT else None


def _fill_complex(number: Number, value: complex) -> None:
    number.as_complex = value
    if value.imag == 0:
        _fill_real(number, value.real)


def _complex_of(text: str) -> complex:
    found = _COMPLEX.match(text)
    if found is None:
        raise ValueError("syntax error scanning complex number")
    return complex(parse_float(found["real"]), parse_float(found["imaginary"]))
