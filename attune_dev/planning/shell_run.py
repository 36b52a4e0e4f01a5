"""Follows shell text without running it: which programs would be called, with which arguments.

Loops over known words, functions, ``set --``, ``case`` and ``if`` on known values and command
substitutions of ``echo`` and ``printf`` are followed; where only the build knows a value, the word
holds :data:`UNKNOWN`, and both ways of a condition are gone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from attune_dev.planning.shell_builtins import builtin_output, printf, test_value, xargs_calls
from attune_dev.planning.shell_state import (
    TEXT_LIMIT,
    assign,
    become,
    change_directory,
    set_state,
    shell_options,
    unwrap,
)
from attune_dev.planning.shell_syntax import (
    AndOr,
    Case,
    For,
    If,
    Node,
    Pipeline,
    Sequence,
    Simple,
    While,
    parse_shell,
)
from attune_dev.planning.shell_words import UNKNOWN, Scope, Words

_STEP_LIMIT = 20_000
_DEPTH_LIMIT = 15


@dataclass(frozen=True, slots=True)
class Call:
    """A program that would be run.

    Attributes:
        argv: program and arguments; what is not known holds :data:`UNKNOWN`.
        directory: working folder, absolute.
        environment: variables set for it or exported before, as ``name=value``, sorted.
    """

    argv: tuple[str, ...]
    directory: str
    environment: tuple[str, ...] = ()


@dataclass(slots=True)
class Followed:
    """What following shell text found.

    Attributes:
        calls: in order.
        lost: whether it was too much to follow to its end.
        scripts: scripts that it runs and whose text is not known, absolute or as written.
    """

    calls: list[Call] = field(default_factory=list)
    lost: bool = False
    scripts: list[str] = field(default_factory=list)


def _names(assignments: Iterable[str]) -> list[str]:
    """The variables that ``name=value`` words set."""
    return [word.partition("=")[0].rstrip("+") for word in assignments]


class _TooMuchError(Exception):
    pass


class Shell:
    """Follows shell texts one after the other, each in a scope of its own.

    Args:
        read_script: the text of a script in the stage by its absolute path, ``None`` where it
            is not known.
    """

    def __init__(self, read_script: Callable[[str], str | None] = lambda _: None) -> None:
        self._read_script = read_script
        self._functions: dict[str, Node] = {}
        self._found = Followed()
        self._steps = 0
        self._depth = 0
        self._exported: dict[str, str] = {}

    def follow(self, text: str, scope: Scope) -> Followed:
        """Follows one text.

        Args:
            text: shell text.
            scope: what is known at its start; it is left as it is.
        """
        self._found = Followed()
        self._functions = {}
        self._steps = 0
        self._depth = 0
        self._exported = {}
        try:
            self._run(parse_shell(text), scope.copy(), "")
        except (_TooMuchError, RecursionError):
            self._found.lost = True
        return self._found

    def _run(self, node: Node, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        """Goes through a node: its status where it is known, and its output."""
        self._steps += 1
        if self._steps > _STEP_LIMIT:
            raise _TooMuchError
        status, output = self._node(node, scope, stdin)
        if len(output) > TEXT_LIMIT:
            raise _TooMuchError
        return status, output

    def _node(self, node: Node, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        if isinstance(node, Simple):
            return self._simple(node, scope, stdin)
        if isinstance(node, Sequence):
            return self._sequence(node, scope, stdin)
        if isinstance(node, AndOr):
            return self._and_or(node, scope, stdin)
        if isinstance(node, Pipeline):
            return self._pipeline(node, scope, stdin)
        if isinstance(node, For):
            return self._for(node, scope, stdin)
        if isinstance(node, If):
            return None, self._if(node, scope, stdin)
        if isinstance(node, While):
            return None, self._while(node, scope, stdin)
        if isinstance(node, Case):
            return None, self._case(node, scope, stdin)
        self._functions[node.name] = node.body
        return True, ""

    def _sequence(self, node: Sequence, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        inner = scope.copy() if node.subshell else scope
        status: bool | None = True
        out = ""
        for command in node.commands:
            status, said = self._run(command, inner, stdin)
            out += said
        return status, out

    def _and_or(self, node: AndOr, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        status: bool | None = True
        out = ""
        for operator, command in node.entries:
            if (operator == "&&" and status is False) or (operator == "||" and status is True):
                continue
            if operator == "||" and status is None:
                both = scope.copy()
                status, said = self._run(command, both, stdin)
                status = None
                scope.merge(both)
            else:
                uncertain = operator == "&&" and status is None
                status, said = self._run(command, scope, stdin)
                status = None if uncertain else status
            out += said
        return status, out

    def _pipeline(self, node: Pipeline, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        status: bool | None = None
        for command in node.commands:
            inner = scope.copy() if len(node.commands) > 1 else scope
            status, stdin = self._run(command, inner, stdin)
        if node.negated and status is not None:
            status = not status
        return status, stdin

    def _for(self, node: For, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        words = self._words(scope)
        if node.words is None:
            items = list(scope.positional)
        else:
            items = [item for word in node.words for item in words.fields(word)]
        out = ""
        for item in items:
            scope.values[node.name] = item
            out += self._run(node.body, scope, stdin)[1]
        return True, out

    def _if(self, node: If, scope: Scope, stdin: str) -> str:
        outcomes: list[Scope] = []
        out = ""
        for condition, body in node.branches:
            status: bool | None = True
            if condition is not None:
                status, _ = self._run(condition, scope, stdin)
            if status is False:
                continue
            branch = scope.copy()
            out += self._run(body, branch, stdin)[1]
            outcomes.append(branch)
            if status is True:
                break
        else:
            outcomes.append(scope.copy())  # none of the branches
        become(scope, outcomes)
        return out

    def _while(self, node: While, scope: Scope, stdin: str) -> str:
        status, _ = self._run(node.condition, scope, stdin)
        if status is False:
            return ""
        # What a round changes is not known in the next one: a first round only finds out what.
        before, calls = scope.copy(), len(self._found.calls)
        self._run(node.body, scope, UNKNOWN)
        del self._found.calls[calls:]
        scope.merge(before)
        return self._run(node.body, scope, UNKNOWN)[1]

    def _case(self, node: Case, scope: Scope, stdin: str) -> str:
        words = self._words(scope)
        value = words.text(node.word)
        outcomes: list[Scope] = []
        out = ""
        for patterns, body in node.branches:
            texts = [words.text(pattern) for pattern in patterns]
            known = UNKNOWN not in value and all(UNKNOWN not in text for text in texts)
            matches = any(fnmatchcase(value, text) for text in texts)
            if known and not matches:
                continue
            branch = scope.copy()
            out += self._run(body, branch, stdin)[1]
            outcomes.append(branch)
            if matches:
                break
        else:
            outcomes.append(scope.copy())
        become(scope, outcomes)
        return out

    def _words(self, scope: Scope) -> Words:
        return Words(scope, lambda text: self._run(parse_shell(text), scope.copy(), "")[1])

    def _simple(self, node: Simple, scope: Scope, stdin: str) -> tuple[bool | None, str]:
        words = self._words(scope)
        argv = [item for word in node.words for item in words.fields(word)]
        if sum(map(len, argv)) + len(argv) > TEXT_LIMIT:
            raise _TooMuchError
        target = scope if not argv else scope.copy()
        for assignment in node.assignments:
            assign(assignment, target, words)
        if not argv:
            return True, ""
        given = {name: target.values.get(name, UNKNOWN) for name in _names(node.assignments)}
        before, self._exported = self._exported, self._exported | given
        if argv[0] in self._functions:
            result = self._call_function(argv, scope, stdin)
        else:
            result = self._command(argv, scope, stdin)
        if given:
            self._exported = before
        return result

    def _call_function(self, argv: list[str], scope: Scope, stdin: str) -> tuple[bool | None, str]:
        self._deeper()
        outer, scope.positional = scope.positional, argv[1:]
        result = self._run(self._functions[argv[0]], scope, stdin)
        scope.positional = outer
        self._depth -= 1
        return result

    def _command(self, argv: list[str], scope: Scope, stdin: str) -> tuple[bool | None, str]:
        name, rest = argv[0], argv[1:]
        if name in ("cd", "pushd"):
            change_directory(scope, rest)
            return True, ""
        if name in ("set", "shift", "export", "declare", "typeset", "local", "readonly", "unset"):
            set_state(name, rest, scope)
            if name == "export":
                exported = _names(word for word in rest if not word.startswith("-"))
                self._exported |= {each: scope.values.get(each, "") for each in exported}
            return True, ""
        if name == "read":
            for variable in (word for word in rest if not word.startswith("-")):
                scope.values[variable] = UNKNOWN
            return None, ""
        if name in ("[", "test", "[["):
            return test_value(rest[:-1] if name != "test" else rest), ""
        if name in ("true", ":", "false"):
            return name != "false", ""
        if name == "printf":
            return True, printf(rest)
        if name == "xargs":
            out = [self._command(call, scope, "")[1] for call in xargs_calls(rest, stdin)]
            return None, "".join(out)
        if (output := builtin_output(argv, stdin)) is not None:
            return True, output
        return self._program(argv, scope, stdin)

    def _program(self, argv: list[str], scope: Scope, stdin: str) -> tuple[bool | None, str]:
        given = tuple(sorted(f"{name}={value}" for name, value in self._exported.items()))
        self._found.calls.append(Call(tuple(argv), scope.directory, given))
        inner = unwrap(argv)
        if not inner:
            return None, UNKNOWN
        if inner != argv:
            self._deeper()
            before = self._exported
            if posixpath.basename(argv[0]) == "env":
                words = argv[1 : len(argv) - len(inner)]
                pairs = [word.partition("=") for word in words if "=" in word]
                self._exported = before | {name: value for name, _, value in pairs}
            result = self._command(inner, scope, stdin)
            self._exported = before
            self._depth -= 1
            return result
        program = posixpath.basename(argv[0])
        if program in ("sh", "bash", "dash", "ash", "zsh") and len(argv) > 1:
            self._shell(argv[1:], scope, stdin)
        elif argv[0] in (".", "source") and len(argv) > 1:
            self._script(argv[1], argv[2:] or scope.positional, scope, stdin)
        elif "/" in argv[0] and program != "cargo":
            self._script(argv[0], argv[1:], scope.copy(), stdin)
        return None, UNKNOWN

    def _shell(self, words: list[str], scope: Scope, stdin: str) -> None:
        at, takes_text = shell_options(words)
        if at >= len(words):
            return
        inner = scope.copy()
        if takes_text:
            inner.positional = words[at + 2 :]
            self._inside(words[at], inner, stdin)
        else:
            self._script(words[at], words[at + 1 :], inner, stdin)

    def _script(self, name: str, arguments: list[str], scope: Scope, stdin: str) -> None:
        path = posixpath.normpath(posixpath.join(scope.directory, name))
        text = self._read_script(path) if UNKNOWN not in path else None
        if text is None:
            self._found.scripts.append(path)
            return
        outer, scope.positional = scope.positional, list(arguments)
        self._inside(text, scope, stdin)
        scope.positional = outer

    def _inside(self, text: str, scope: Scope, stdin: str) -> None:
        self._deeper()
        self._run(parse_shell(text), scope, stdin)
        self._depth -= 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise _TooMuchError
