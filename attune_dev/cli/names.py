"""Tasks that take any number of names: ``inv build``, ``inv build api notifier``.

Invoke's positional arguments are all or nothing: each must be given, and none repeats. It does ask
an argument whether it still misses a value, though, before it takes a word for another task. So a
:class:`NamesArgument` is told how many words follow its verb on the command line and misses a value
until it has got them; that works through ``./inv``, ``attune-dev`` and plain ``inv`` alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from invoke.parser.argument import Argument
from invoke.tasks import Task

CORE_FLAGS_WITH_VALUE = frozenset(
    ("-c", "--collection", "-f", "--config", "-F", "--list-format", "-D", "--list-depth")
) | {"-r", "--search-root", "-T", "--command-timeout"}


class NamesArgument(Argument):
    """A positional list that takes a known number of words, possibly none.

    Args:
        name: name of the parameter, in the plural (``services``).
        wanted: how many words of the command line it takes.
        help: one line for ``--help``.
    """

    def __init__(self, name: str, wanted: int, help: str | None = None) -> None:  # noqa: A002
        super().__init__(name=name, kind=list, default=[], help=help, positional=True)
        self.wanted = wanted

    @property
    def value(self) -> list[str] | None:
        """The words so far; ``None``, Invoke's word for "missing", until all are there."""
        taken = self._taken
        return None if len(taken) < self.wanted else taken

    @value.setter
    def value(self, arg: str) -> None:
        self.set_value(arg)

    def set_value(self, value: Any, cast: bool = True) -> None:  # noqa: ARG002
        """Takes one more word."""
        self.raw_value = value
        self._value = [*self._taken, value]

    @property
    def _taken(self) -> list[str]:
        return list(self._value or ())


class NamesTask(Task):  # type: ignore[type-arg]
    """A task whose parameter ``names_parameter`` takes the words that follow the verb.

    A word that is also a task ends the names, unless ``is_name`` knows it as a name: after
    ``build``, a service called ``logs`` is the service.
    """

    names_parameter = ""
    is_name: Callable[[str], bool] | None = None

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Invoke's arguments, with the names among them replaced by a :class:`NamesArgument`."""
        arguments = super().get_arguments(ignore_unknown_help)
        flags = frozenset(
            flag
            for argument in arguments
            if argument.takes_value
            for flag in _flags(argument.names)
        )
        position = next(
            index
            for index, argument in enumerate(arguments)
            if argument.name == self.names_parameter
        )
        replaced = arguments.pop(position)
        words = words_after(
            [self.name.replace("_", "-"), *self.aliases],
            sys.argv[1:],
            flags,
            ends=self._ends,
        )
        return [NamesArgument(replaced.names[0], len(words), replaced.help), *arguments]

    def _ends(self, word: str) -> bool:
        if word not in TASK_NAMES:
            return False
        return self.is_name is None or not self.is_name(word)


TASK_NAMES: set[str] = set()
"""Names of all tasks in force, filled when the namespace is put together."""


def words_after(
    verbs: Iterable[str],
    argv: Sequence[str],
    value_flags: frozenset[str],
    ends: Callable[[str], bool],
) -> list[str]:
    """The words that belong to a verb.

    Args:
        verbs: the task's name and aliases; a dotted name also by its last part with its collection.
        argv: the command line without the program.
        value_flags: flags of the task that take the next word.
        ends: whether a word is the next task instead.

    Returns:
        The words, in order; empty where the verb is not on the command line.
    """
    wanted = set(verbs)
    position = 0
    while position < len(argv):
        word = argv[position]
        if word == "--":
            return []
        if word in CORE_FLAGS_WITH_VALUE:
            position += 2
            continue
        if word in wanted or word.rpartition(".")[2] in wanted:
            return _take(argv[position + 1 :], value_flags, ends)
        position += 1
    return []


def _take(
    words: Sequence[str], value_flags: frozenset[str], ends: Callable[[str], bool]
) -> list[str]:
    taken: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--":
            break
        elif word in value_flags or word in CORE_FLAGS_WITH_VALUE:
            skip = True
        elif word.startswith("-") and word != "-":
            continue
        elif ends(word):
            break
        else:
            taken.append(word)
    return taken


def _flags(names: Iterable[str]) -> Iterable[str]:
    return (f"--{name}" if len(name) > 1 else f"-{name}" for name in names)
