"""Words of shell text with what they stand for: quotes, variables, substitutions, fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from attune_dev.planning.image_words import dollar
from attune_dev.planning.shell_tokens import skip_quoted

# Stands for text that only the build knows. A private character, so that it survives being joined.
UNKNOWN = "\ue000"
# Variables that a base image or the shell sets; all others are empty until they are set.
_FIELDS_LIMIT = 1000
_SET_ELSEWHERE = frozenset(
    ("HOME", "PATH", "CARGO_HOME", "RUSTUP_HOME", "USER", "HOSTNAME", "RANDOM", "LINENO", "UID")
)
_PLAIN = re.compile(r"[\w./:=,@%+-]+")
_ORDINARY = re.compile(r"""[^"'\\$`]+""")
_BRACES = re.compile(r"\{([^{}\s\"'$`]*,[^{}\s\"'$`]*)\}")


@dataclass(slots=True)
class Scope:
    """What a shell knows at one point.

    Attributes:
        values: variables.
        arrays: arrays of bash.
        positional: ``$1`` and following.
        directory: working folder, absolute.
    """

    values: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, list[str]] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)
    directory: str = "/"

    def copy(self) -> Scope:
        """A scope of its own with the same content."""
        return Scope(
            dict(self.values),
            {name: list(items) for name, items in self.arrays.items()},
            list(self.positional),
            self.directory,
        )

    def lookup(self, name: str) -> str | None:
        """The value of a variable or parameter, ``None`` where it is not set."""
        if name in ("@", "*"):
            return " ".join(self.positional)
        if name == "#":
            return str(len(self.positional))
        if name.isdigit() and name != "0":
            at = int(name) - 1
            return self.positional[at] if at < len(self.positional) else None
        if name == "PWD":
            return self.directory
        if name in self.values:
            return self.values[name]
        if name in self.arrays:
            return self.arrays[name][0] if self.arrays[name] else ""
        return UNKNOWN if name in _SET_ELSEWHERE or not name.isidentifier() else None

    def merge(self, other: Scope) -> None:
        """Takes another possible outcome in: what differs is not known."""
        for name in self.values.keys() | other.values.keys():
            if self.values.get(name, "") != other.values.get(name, ""):
                self.values[name] = UNKNOWN
        for name in self.arrays.keys() | other.arrays.keys():
            if self.arrays.get(name) != other.arrays.get(name):
                self.arrays[name] = [UNKNOWN]
        if self.positional != other.positional:
            self.positional = [UNKNOWN]
        if self.directory != other.directory:
            self.directory = UNKNOWN


class Words:
    """Expands words in a scope.

    Args:
        scope: what is known.
        substitute: runs the text of a command substitution and gives its output.
    """

    def __init__(self, scope: Scope, substitute: Callable[[str], str]) -> None:
        self._scope = scope
        self._substitute = substitute

    def fields(self, word: str) -> list[str]:
        """A word as the fields it becomes: none, one or several."""
        if _PLAIN.fullmatch(word):
            return [word]
        return [field for alternative in _braces(word) for field in self._fields(alternative)]

    def text(self, word: str) -> str:
        """A word as one text, as in an assignment."""
        return "".join(text for text, _ in self._parts(word))

    def _fields(self, word: str) -> list[str]:
        found: list[str] = []
        current: str | None = None
        for text, splits in self._parts(word):
            if isinstance(splits, list):  # "$@" and "${array[@]}": one field each
                for index, item in enumerate(splits):
                    if index:
                        found.append(current or "")
                        current = None
                    current = (current or "") + item
                continue
            if not splits:
                current = (current or "") + text
                continue
            pieces = text.split()
            if text[:1].isspace() and current is not None:
                found.append(current)
                current = None
            for index, piece in enumerate(pieces):
                if index and current is not None:
                    found.append(current)
                    current = None
                current = (current or "") + piece
            if text[-1:].isspace() and current is not None:
                found.append(current)
                current = None
        if current is not None:
            found.append(current)
        return found

    def _parts(self, word: str) -> list[tuple[str, bool | list[str]]]:
        """Pieces: text, and whether it is split into fields (or the fields themselves)."""
        parts: list[tuple[str, bool | list[str]]] = []
        index = 0
        opened = 0
        quoted = False
        while index < len(word):
            char = word[index]
            if char == '"':
                quoted = not quoted
                if quoted:
                    opened = len(parts)
                elif opened == len(parts) or not all(
                    isinstance(s, list) for _, s in parts[opened:]
                ):
                    parts.append(("", False))  # quotes make a field even of nothing, but "$@" none
                index += 1
            elif char == "'" and not quoted:
                end = skip_quoted(word, index)
                parts.append((word[index + 1 : end - 1], False))
                index = end
            elif char == "\\":
                following = word[index + 1 : index + 2]
                kept = quoted and following not in ('"', "\\", "$", "`")
                parts.append((char + following if kept else following, False))
                index += 2
            elif char in "$`":
                value, items, index = self._variable(word, index)
                parts.append((value, items if quoted and items is not None else not quoted))
            else:
                plain = _ORDINARY.match(word, index)
                end = plain.end() if plain else index + 1
                parts.append((word[index:end], False))
                index = end
        return parts

    def _variable(self, word: str, index: int) -> tuple[str, list[str] | None, int]:
        """Value, items where it is a list, and the index behind."""
        end = skip_quoted(word, index)
        if word[index] == "`":
            return self._substitute(word[index + 1 : end - 1]).rstrip("\n"), None, end
        if word.startswith("$((", index):
            return UNKNOWN, None, end
        if word.startswith("$(", index):
            return self._substitute(word[index + 2 : end - 1]).rstrip("\n"), None, end
        if word.startswith("$@", index):
            return " ".join(self._scope.positional), list(self._scope.positional), index + 2
        if word.startswith("${", index):
            inside = word[index + 2 : end - 1]
            name, has, rest = inside.partition("[")
            if inside in ("@", "*"):
                return " ".join(self._scope.positional), list(self._scope.positional), end
            if has and rest in ("@]", "*]"):
                items = self._scope.arrays.get(name, [])
                return " ".join(items), list(items), end
            if has or inside.startswith(("!", "#")):
                return UNKNOWN, None, end
        value, after = dollar(word, index, self._scope.lookup)
        return value, None, after


def _braces(word: str) -> list[str]:
    """Brace expansion of bash for plain lists, outside of quotes."""
    words = [word]
    while (match := _BRACES.search(words[0])) is not None:
        before = words[0][: match.start()]
        if before[-1:] in ("$", "\\") or before.count('"') % 2 or before.count("'") % 2:
            break
        words = [
            word.replace(match.group(), item, 1)
            for word in words
            for item in match.group(1).split(",")
        ]
        if len(words) > _FIELDS_LIMIT:
            return [UNKNOWN]
    return words
