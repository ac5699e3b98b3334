"""Find out where in the page every action of a template stands, and add what makes its value safe there.

Templates are read as text with gaps. The place behind a branch has to be the same whichever way was taken; a template
that is used in several places becomes several templates. The trees that are given are not changed.

Source: Go's `html/template/escape.go`; the messages are the same. Unlike there, the work is bounded.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from vedette.lang.gotemplate.errors import TemplateExecutionError
from vedette.lang.gotemplate.html.contexts import (
    COMMENTS,
    SCRIPT_LITERALS,
    Attribute,
    Context,
    Delim,
    Element,
    EscapeProblem,
    JsContext,
    State,
    UrlPart,
    failed,
)
from vedette.lang.gotemplate.html.transitions import VALUE_STATES, step, tag_end
from vedette.lang.gotemplate.literals import quote
from vedette.lang.gotemplate.nodes import (
    Action,
    Branch,
    Break,
    Command,
    Continue,
    Identifier,
    Invoke,
    Node,
    Nodes,
    Pipeline,
    Range,
    Statement,
    Text,
)

_MOST_VISITS: Final = 200_000
_DEEPEST: Final = 64
_DELIM_ENDS: Final = {
    Delim.DOUBLE_QUOTE: re.compile('"'),
    Delim.SINGLE_QUOTE: re.compile("'"),
    Delim.SPACE_OR_TAG_END: re.compile("[ \t\n\f\r>]"),
}
_BAD_UNQUOTED = re.compile("[\"'<=`]")
_SCRIPT_TAG = re.compile(r"<(script|/script|!--)", re.IGNORECASE | re.ASCII)
_JS_TYPES: Final = frozenset(
    (
        "",
        "module",
        *(
            f"application/{name}"
            for name in ("ecmascript", "javascript", "json", "ld+json", "x-ecmascript", "x-javascript")
        ),
        *(
            f"text/{name}"
            for name in ("ecmascript", "javascript", "jscript", "livescript", "x-ecmascript", "x-javascript")
        ),
        *(f"text/javascript1.{number}" for number in range(6)),
    )
)
_JS_LINE_ENDS = re.compile("[\n\r\u2028\u2029]")

_URL_STATES: Final = frozenset(
    (
        State.URL,
        State.CSS_DQ_STRING,
        State.CSS_SQ_STRING,
        State.CSS_DQ_URL,
        State.CSS_SQ_URL,
        State.CSS_URL,
    )
)
_CSS_STRINGS: Final = frozenset((State.CSS_DQ_STRING, State.CSS_SQ_STRING))
_ESCAPER_OF: Final = {
    State.META_CONTENT_URL: "urlfilter",
    State.JS: "jsvalescaper",
    State.JS_DQ_STRING: "jsstrescaper",
    State.JS_SQ_STRING: "jsstrescaper",
    State.JS_TEMPLATE: "jstmpllitescaper",
    State.JS_REGEXP: "jsregexpescaper",
    State.CSS: "cssvaluefilter",
    State.TEXT: "htmlescaper",
    State.RCDATA: "rcdataescaper",
    State.ATTR_NAME: "htmlnamefilter",
    State.TAG: "htmlnamefilter",
    State.SRCSET: "srcsetescaper",
    **dict.fromkeys(COMMENTS, "commentescaper"),
}
_PREDEFINED: Final = frozenset(("html", "urlquery"))
_EQUIVALENT: Final = {
    "_html_template_attrescaper": "html",
    "_html_template_htmlescaper": "html",
    "_html_template_rcdataescaper": "html",
    "_html_template_urlescaper": "urlquery",
    "_html_template_urlnormalizer": "urlquery",
}
_REDUNDANT: Final = {
    "_html_template_commentescaper": ("_html_template_attrescaper", "_html_template_htmlescaper"),
    "_html_template_cssescaper": ("_html_template_attrescaper",),
    "_html_template_jsregexpescaper": ("_html_template_attrescaper",),
    "_html_template_jsstrescaper": ("_html_template_attrescaper",),
    "_html_template_jstmpllitescaper": ("_html_template_attrescaper",),
    "_html_template_urlescaper": ("_html_template_urlnormalizer",),
}


def escape_trees(name: str, trees: Mapping[str, Nodes]) -> dict[str, Nodes]:
    """Trees whose template of this name, with all that it uses, writes safe HTML.

    Raises:
        TemplateExecutionError: it cannot be made safe; the message is Go's.
    """
    if name not in trees:
        raise TemplateExecutionError(f"template: {quote(name)} is an incomplete or empty template")
    escaper = _Escaper(trees)
    try:
        after, _ = escaper.tree(Context(), None, name, 0)
    except RecursionError:
        after = failed("templates and branches stand too deep within each other")
    problem = after.problem
    if problem is None and after.state is not State.TEXT:
        problem = EscapeProblem(f"ends in a non-text context: {after}")
    if problem is not None:
        raise TemplateExecutionError(_message(name, problem))
    return escaper.committed()


def _message(name: str, problem: EscapeProblem) -> str:
    if problem.node is not None:
        return f"html/template:{problem.node.source.place(problem.node.pos)}: {problem.description}"
    place = f"{name}:{problem.line}" if problem.line else name
    return f"html/template:{place}: {problem.description}"


class _Findings:
    """What is known of templates, and what has to be changed in them."""

    def __init__(self, outputs: Mapping[str, Context] | None = None) -> None:
        self.outputs: dict[str, Context] = dict(outputs or {})
        self.called: set[str] = set()
        self.actions: dict[Action, list[str]] = {}
        self.invokes: dict[Invoke, str] = {}
        self.texts: dict[Text, str] = {}

    def take(self, other: _Findings) -> None:
        """Add what was found under an assumption that holds."""
        self.outputs.update(other.outputs)
        self.called |= other.called
        self.actions.update(other.actions)
        self.invokes.update(other.invokes)
        self.texts.update(other.texts)


class _Loop:
    """From where a loop is left."""

    def __init__(self) -> None:
        self.breaks: list[Context] = []
        self.continues: list[Context] = []


class _Escaper:
    """Walks templates."""

    def __init__(self, trees: Mapping[str, Nodes]) -> None:
        self._originals = trees
        self._roots: dict[str, Nodes] = {}
        self._found = _Findings()
        self._loops: list[_Loop] = []
        self._visits = 0
        self._depth = 0

    def committed(self) -> dict[str, Nodes]:
        """The templates with all changes."""
        found = self._found
        for action, names in found.actions.items():
            _extend(action.pipe, names)
        for invoke, name in found.invokes.items():
            invoke.name = name
        for text, changed in found.texts.items():
            text.text = changed
        return {**self._originals, **self._roots}

    # Templates

    def tree(self, context: Context, node: Node | None, name: str, line: int) -> tuple[Context, str]:
        """The place behind a template that begins in some place, and the name that it has there."""
        mangled = context.mangle(name)
        self._found.called.add(mangled)
        known = self._found.outputs.get(mangled)
        if known is not None:
            return known, mangled
        original = self._originals.get(name)
        if original is None:
            return failed(f"no such template {quote(name)}", node, line), mangled
        self._depth += 1
        if self._depth > _DEEPEST:
            return failed(f"templates stand deeper than {_DEEPEST} within each other", node, line), mangled
        if mangled not in self._roots:
            self._roots[mangled] = _copy(original)
        after = self._template(context, mangled)
        self._depth -= 1
        return after, mangled

    def _template(self, context: Context, name: str) -> Context:
        root = self._roots[name]
        after, good = self._body(context, context, name, root)
        if not good and after.problem is None:
            # Perhaps it ends where it was found to end.
            again, good = self._body(context, after, name, root)
            if good:
                return again
        if not good and after.problem is None:
            return failed(f"cannot compute output context for template {name}", root)
        return after

    def _body(self, context: Context, assumed: Context, name: str, root: Nodes) -> tuple[Context, bool]:
        """The place behind a template's body, and whether it is the one that calls of itself were assumed to end in."""
        self._found.outputs[name] = assumed
        outer, self._found = self._found, _Findings(self._found.outputs)
        after = self._list(context, root)
        inner, self._found = self._found, outer
        if after.state is State.ERROR:
            return after, False
        if name in inner.called and not assumed.same(after):
            return after, False
        self._found.take(inner)
        return after, True

    # Statements

    def _list(self, context: Context, nodes: Nodes | None) -> Context:
        if nodes is None:
            return context
        for node in nodes.nodes:
            self._visits += 1
            if self._visits > _MOST_VISITS:
                return failed("the template is too complicated", node)
            context = self._statement(context, node)
            if context.state is State.DEAD:
                break
        return context

    def _statement(self, context: Context, node: Statement) -> Context:  # noqa: PLR0911 - a table
        match node:
            case Text():
                return self._text(context, node)
            case Action():
                return self._action(context, node)
            case Invoke():
                after, name = self.tree(context, node, node.name, node.line)
                if name != node.name:
                    self._found.invokes[node] = name
                return after
            case Break():
                self._loops[-1].breaks.append(replace(context, at=node))
                return Context(State.DEAD)
            case Continue():
                self._loops[-1].continues.append(replace(context, at=node))
                return Context(State.DEAD)
            case Range():
                return self._range(context, node)
            case _:
                inside = self._list(context, node.body)
                return _join(inside, self._list(context, node.otherwise), node, node.word)

    def _range(self, context: Context, node: Range) -> Context:
        inside = self._loop_body(context, node)
        if inside.state is State.ERROR:
            return inside
        if not inside.same(context):
            # The body may be executed again from where it ends.
            outer, self._found = self._found, _Findings(self._found.outputs)
            self._loops.append(_Loop())
            again = self._list(inside, node.body)
            loop = self._loops.pop()
            self._found = outer
            inside = _join(inside, again, node, "range")
            if inside.problem is not None:
                problem = f"on range loop re-entry: {inside.problem.description}"
                return failed(problem, inside.problem.node, node.line)
            inside = _join_loop(inside, loop)
            if inside.state is State.ERROR:
                return inside
        return _join(inside, self._list(context, node.otherwise), node, "range")

    def _loop_body(self, context: Context, node: Range) -> Context:
        self._loops.append(_Loop())
        inside = self._list(context, node.body)
        loop = self._loops.pop()
        return inside if inside.state is State.ERROR else _join_loop(inside, loop)

    # Actions

    def _action(self, context: Context, node: Action) -> Context:
        if node.pipe.variables:
            return context
        context = _nudge(context)
        for stage, command in enumerate(node.pipe.commands):
            word = command.args[0]
            if not isinstance(word, Identifier) or word.name not in _PREDEFINED:
                continue
            unquoted = context.state is State.ATTR and context.delim is Delim.SPACE_OR_TAG_END
            if stage < len(node.pipe.commands) - 1 or (unquoted and word.name == "html"):
                return failed(f"predefined escaper {quote(word.name)} disallowed in template", node, node.line)
        if context.state is State.ERROR:
            return context
        names, problem = _escapers_for(context, node)
        if problem is not None:
            return problem
        if context.state is State.JS:
            context = replace(context, js=JsContext.DIVISION)
        elif context.state is State.TAG:
            context = replace(context, state=State.ATTR_NAME)
        self._found.actions[node] = [f"_html_template_{name}" for name in names]
        return context

    # Text

    def _text(self, context: Context, node: Text) -> Context:
        text, end = node.text, len(node.text)
        out: list[str] = []
        written = at = 0
        ends = _TagEnds(text)
        while at != end:
            after, stop = _after(context, text, at, end, ends)
            self._visits += 1
            if context.state in (State.TEXT, State.RCDATA):
                text_end = stop
                if after.state is not context.state:
                    mark = text.rfind("<", at, stop)
                    text_end = mark if mark >= 0 else stop
                written = _escape_less_than(text, at, text_end, written, out)
            elif context.state in COMMENTS and context.delim is Delim.NONE:
                if context.state is State.JS_BLOCK_COMMENT:
                    out.append("\n" if _JS_LINE_ENDS.search(text, written, stop) else " ")
                elif context.state is State.CSS_BLOCK_COMMENT:
                    out.append(" ")
                written = stop
            if context.state is not after.state and after.state in COMMENTS and after.delim is Delim.NONE:
                out.append(text[written : stop - _comment_mark(after.state)])
                written = stop
            if context.state in SCRIPT_LITERALS and _SCRIPT_TAG.search(text, at, stop):
                out.append(text[written:at])
                out.append(_SCRIPT_TAG.sub(r"\\x3C\1", text[at:stop]))
                written = stop
            context, at = after, stop
        if written and context.state is not State.ERROR:
            if context.state not in COMMENTS or context.delim is not Delim.NONE:
                out.append(text[written:])
            self._found.texts[node] = "".join(out)
        return context


class _TagEnds:
    """Where elements with special content end in a text, found once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[Element, int] = {}

    def after(self, context: Context, start: int, end: int) -> int:
        """Where the next end tag begins that counts; `end` if there is none."""
        if context.element is Element.NONE:
            return end
        if context.element is Element.SCRIPT and (context.state in SCRIPT_LITERALS or context.state in COMMENTS):
            return end
        known = self._known.get(context.element, -1)
        if known < start:
            known = tag_end(context, self._text, start, end)
            known = end if known < 0 else known
            self._known[context.element] = known
        return known


def _after(context: Context, text: str, start: int, end: int, ends: _TagEnds) -> tuple[Context, int]:
    """The place behind the next token."""
    if context.delim is Delim.NONE:
        stop = ends.after(context, start, end)
        # At an end tag, everything before it has been read.
        return (Context(), start) if stop == start else step(context, text, start, stop)
    found = _DELIM_ENDS[context.delim].search(text, start)
    stop = found.start() if found is not None else end
    if context.delim is Delim.SPACE_OR_TAG_END:
        bad = _BAD_UNQUOTED.search(text, start, stop)
        if bad is not None:
            return failed(f"{quote(bad[0])} in unquoted attr: {quote(text[start:stop])}"), end
    if found is None:
        value = html.unescape(text[start:])
        at = 0
        while at != len(value):
            context, at = step(context, value, at, len(value))
        return context, end
    element = context.element
    is_type = context.state is State.ATTR and context.attribute is Attribute.SCRIPT_TYPE
    if is_type and element is Element.SCRIPT and not _is_js_type(text[start:stop]):
        element = Element.NONE
    return Context(State.TAG, element=element), stop + (context.delim is not Delim.SPACE_OR_TAG_END)


def _is_js_type(kind: str) -> bool:
    return kind.partition(";")[0].lower().strip() in _JS_TYPES


def _escape_less_than(text: str, start: int, end: int, written: int, out: list[str]) -> int:
    """Escape what looks like a tag and is none; what has been written then."""
    at = text.find("<", start, end)
    while at >= 0:
        if text[at : at + 9].upper() != "<!DOCTYPE":
            out.append(text[written:at])
            out.append("&lt;")
            written = at + 1
        at = text.find("<", at + 1, end)
    return written


def _comment_mark(state: State) -> int:
    if state in (State.HTML_COMMENT, State.JS_HTML_OPEN_COMMENT):
        return 4
    return 3 if state is State.JS_HTML_CLOSE_COMMENT else 2


# Places


def _nudge(context: Context) -> Context:
    """The place where the next character is, if it is a character of a name or a value."""
    match context.state:
        case State.TAG:
            return replace(context, state=State.ATTR_NAME)
        case State.BEFORE_VALUE:
            state = VALUE_STATES[context.attribute]
            return replace(context, state=state, delim=Delim.SPACE_OR_TAG_END, attribute=Attribute.NONE)
        case State.AFTER_NAME:
            return replace(context, state=State.ATTR_NAME, attribute=Attribute.NONE)
        case _:
            return context


def _join(one: Context, other: Context, node: Node, word: str) -> Context:  # noqa: PLR0911 - a table
    """The place behind a branch."""
    if State.ERROR in (one.state, other.state):
        return one if one.state is State.ERROR else other
    if one.state is State.DEAD:
        return other
    if other.state is State.DEAD or one.same(other):
        return one
    if replace(one, url_part=other.url_part).same(other):
        return replace(one, url_part=UrlPart.UNKNOWN)
    if replace(one, js=other.js).same(other):
        return replace(one, js=JsContext.UNKNOWN)
    # `title={{if .C}}{{.}}{{end}}` ends in a value, whether there is one or not.
    nudged, other_nudged = _nudge(one), _nudge(other)
    if not (nudged.same(one) and other_nudged.same(other)):
        joined = _join(nudged, other_nudged, node, word)
        if joined.state is not State.ERROR:
            return joined
    return failed(f"{{{{{word}}}}} branches end in different contexts: {one}, {other}", node)


def _join_loop(inside: Context, loop: _Loop) -> Context:
    """The place behind a loop's body, with all ways of leaving it."""
    for left, word in ((loop.breaks, "break"), (loop.continues, "continue")):
        for context in left:
            node = context.at
            assert isinstance(node, Break | Continue)  # noqa: S101 - that is what they hold
            inside = _join(inside, context, node, "range")
            if inside.problem is not None:
                problem = f"at range loop {word}: {inside.problem.description}"
                return failed(problem, inside.problem.node, node.line)
    return inside


# Pipelines


def _escapers_for(context: Context, node: Action) -> tuple[list[str], Context | None]:
    """What makes a value safe in a place, or why nothing can."""
    names: list[str] = []
    state = context.state
    if state in _URL_STATES:
        if context.url_part is UrlPart.UNKNOWN:
            return [], failed(f"{node} appears in an ambiguous context within a URL", node, node.line)
        if context.url_part is UrlPart.NONE:
            names.append("urlfilter")
        if context.url_part is UrlPart.QUERY_OR_FRAGMENT:
            names.append("urlescaper")
        else:
            names.append("cssescaper" if state in _CSS_STRINGS else "urlnormalizer")
    elif state in _ESCAPER_OF:
        names.append(_ESCAPER_OF[state])
    if context.delim is Delim.SPACE_OR_TAG_END:
        names.append("nospaceescaper")
    elif context.delim is not Delim.NONE:
        names.append("attrescaper")
    return names, None


def _extend(pipe: Pipeline, names: list[str]) -> None:
    """Add escapers to a pipeline, unless they are there already in another form."""
    if not names:
        return
    commands, names = list(pipe.commands), list(names)
    last = commands[-1]
    word = last.args[0]
    if isinstance(word, Identifier) and word.name in _PREDEFINED:
        if len(commands) == 1 and len(last.args) > 1:
            # `html a b` becomes `_eval_args_ a b | html`, so that the escapers can be merged.
            evaluated = Identifier(word.source, word.pos, "_eval_args_")
            commands = [Command(last.source, last.pos, [evaluated, *last.args[1:]])]
            _append(commands, word.name, pipe)
        merged = [word.name if _normal(name) == _normal(word.name) else name for name in names]
        if merged != names:
            commands.pop()
            names = merged
    present = {_normal(one.args[0].name) for one in commands if isinstance(one.args[0], Identifier)}
    for name in names:
        if _normal(name) not in present:
            _append(commands, name, pipe)
    pipe.commands = commands


def _append(commands: list[Command], name: str, pipe: Pipeline) -> None:
    last: Sequence[object] = commands[-1].args if commands else ()
    if last and isinstance(last[0], Identifier) and name in _REDUNDANT.get(last[0].name, ()):
        return
    commands.append(Command(pipe.source, pipe.pos, [Identifier(pipe.source, pipe.pos, name)]))


def _normal(name: str) -> str:
    return _EQUIVALENT.get(name, name)


# Copies


def _copy(nodes: Nodes) -> Nodes:
    """A tree whose statements can be changed."""
    return Nodes(nodes.source, nodes.pos, [_copy_statement(node) for node in nodes.nodes])


def _copy_statement(node: Statement) -> Statement:
    match node:
        case Text():
            return Text(node.source, node.pos, node.text)
        case Action():
            pipe = Pipeline(
                node.pipe.source, node.pipe.pos, list(node.pipe.commands), node.pipe.variables, node.pipe.assigns
            )
            return Action(node.source, node.pos, node.line, pipe)
        case Invoke():
            return Invoke(node.source, node.pos, node.line, node.name, node.pipe)
        case Branch():
            otherwise = _copy(node.otherwise) if node.otherwise is not None else None
            return type(node)(node.source, node.pos, node.line, node.pipe, _copy(node.body), otherwise)
        case _:
            return node
