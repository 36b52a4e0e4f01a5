"""The shell text of ``RUN`` as a tree, as much of it as says which programs are run with what.

It is forgiving: what is not understood becomes words of a command, never an error, for the text is
only looked at; the shell in the build is the one that judges it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from attune_dev.planning.shell_tokens import ASSIGNMENT, Token, tokens

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_DEPTH_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command: assignments in front, then words as written."""

    assignments: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by ``|``; ``negated`` where a ``!`` stands in front."""

    commands: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    """A chain: each entry with the operator before it (``""``, ``&&`` or ``||``)."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Commands one after the other; in a subshell of their own where parentheses are around."""

    commands: tuple[Node, ...] = ()
    subshell: bool = False


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words``; ``words`` is ``None`` for the positional parameters."""

    name: str
    words: tuple[str, ...] | None
    body: Sequence


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with their branches; the last branch has none (``else``)."""

    branches: tuple[tuple[Sequence | None, Sequence], ...]


@dataclass(frozen=True, slots=True)
class While:
    """``while`` and ``until``."""

    condition: Sequence
    body: Sequence


@dataclass(frozen=True, slots=True)
class Case:
    """``case``: patterns with their branches."""

    word: str
    branches: tuple[tuple[tuple[str, ...], Sequence], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function's definition."""

    name: str
    body: Node


Node = Simple | Pipeline | AndOr | Sequence | For | If | While | Case | Function


@lru_cache(maxsize=1024)
def parse_shell(text: str) -> Sequence:
    """Parses shell text into a tree; text nested deeper than 40 levels is left out."""
    return _Parser(tokens(text.replace("\\\n", ""))).script()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def script(self) -> Sequence:
        commands: list[Node] = []
        while self._at < len(self._tokens):
            commands += self._list(frozenset()).commands
            self._at += 1  # a stray `)` or `;;`
        return Sequence(tuple(commands))

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else Token("", operator=True)

    def _word(self, *words: str) -> bool:
        token = self._peek()
        return not token.operator and token.text in words

    def _operator(self, *operators: str) -> bool:
        token = self._peek()
        return token.operator and token.text in operators

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token.text

    def _skip_breaks(self) -> None:
        while self._operator(";", "\n", "&") and self._at < len(self._tokens):
            self._at += 1

    def _list(self, stops: frozenset[str]) -> Sequence:
        commands: list[Node] = []
        self._depth += 1
        while True:
            self._skip_breaks()
            if self._at >= len(self._tokens) or self._operator(")", ";;"):
                break
            if self._word(*stops):
                break
            before = self._at
            command = self._and_or()
            if self._depth <= _DEPTH_LIMIT:
                commands.append(command)
            if self._at == before:
                self._at += 1
        self._depth -= 1
        return Sequence(tuple(commands))

    def _and_or(self) -> Node:
        entries: list[tuple[str, Node]] = [("", self._pipeline())]
        while self._operator("&&", "||"):
            operator = self._take()
            while self._operator("\n"):
                self._at += 1
            entries.append((operator, self._pipeline()))
        return entries[0][1] if len(entries) == 1 else AndOr(tuple(entries))

    def _pipeline(self) -> Node:
        negated = False
        while self._word("!"):
            self._at += 1
            negated = not negated
        commands = [self._command()]
        while self._operator("|", "|&"):
            self._at += 1
            while self._operator("\n"):
                self._at += 1
            commands.append(self._command())
        if len(commands) == 1 and not negated:
            return commands[0]
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Node:
        if self._operator("("):
            self._at += 1
            inside = self._list(frozenset())
            self._at += 1
            return Sequence(inside.commands, subshell=True)
        if self._word("{"):
            return self._until("}")
        if self._word("if"):
            return self._if()
        if self._word("while", "until"):
            condition = self._until("do", keep=True)
            return While(condition, self._until("done"))
        if self._word("for", "select"):
            return self._for()
        if self._word("case"):
            return self._case()
        return self._simple()

    def _until(self, *stops: str, keep: bool = False) -> Sequence:
        """The list behind the keyword at hand, up to one of ``stops``."""
        self._at += 1
        inside = self._list(frozenset(stops))
        if not keep:
            self._at += 1
        return inside

    def _if(self) -> If:
        branches: list[tuple[Sequence | None, Sequence]] = []
        while self._word("if", "elif"):
            condition = self._until("then", keep=True)
            branches.append((condition, self._until("elif", "else", "fi", keep=True)))
        if self._word("else"):
            branches.append((None, self._until("fi", keep=True)))
        self._at += 1
        return If(tuple(branches))

    def _for(self) -> For:
        self._at += 1
        name = self._take()
        words: list[str] | None = None
        while self._operator("\n"):
            self._at += 1
        if self._word("in"):
            self._at += 1
            words = []
            while self._at < len(self._tokens) and not self._peek().operator:
                words.append(self._take())
        self._skip_breaks()
        body = self._until("done")
        return For(name, None if words is None else tuple(words), body)

    def _case(self) -> Case:
        self._at += 1
        word = self._take()
        self._skip_breaks()
        self._at += 1  # in
        branches: list[tuple[tuple[str, ...], Sequence]] = []
        self._skip_breaks()
        while self._at < len(self._tokens) and not self._word("esac"):
            patterns: list[str] = []
            while self._at < len(self._tokens) and not self._operator(")"):
                token = self._peek()
                if not token.operator:
                    patterns.append(token.text)
                self._at += 1
                if token.operator and token.text not in ("(", "|"):
                    break
            self._at += 1
            branches.append((tuple(patterns), self._list(frozenset(("esac",)))))
            if self._operator(";;"):
                self._at += 1
            self._skip_breaks()
        self._at += 1
        return Case(word, tuple(branches))

    def _simple(self) -> Node:
        if self._word("function"):
            self._at += 1
        named = _NAME.fullmatch(self._peek().text) is not None and not self._peek().operator
        opened, closed = self._peek(1), self._peek(2)
        if named and opened.operator and opened.text == "(" and closed.text == ")":
            name = self._take()
            self._at += 2
            while self._operator("\n"):
                self._at += 1
            return Function(name, self._command())
        assignments: list[str] = []
        words: list[str] = []
        while self._at < len(self._tokens) and not self._peek().operator:
            text = self._take()
            if not words and ASSIGNMENT.match(text):
                assignments.append(text)
            else:
                words.append(text)
        return Simple(tuple(assignments), tuple(words))
