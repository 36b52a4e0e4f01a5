"""What the rules of a ``.dockerignore`` hide, and which rule does."""

from __future__ import annotations

from collections.abc import Iterable

from attune_dev.planning.globs import relative_to, within
from attune_dev.planning.image_ignore import IgnoreRules


class ContextRules:
    """The rules of one ``.dockerignore``, asked with paths of the repository."""

    def __init__(self, file: str, context: str, lines: Iterable[str]) -> None:
        """Reads the rules.

        Args:
            file: path of the file, for telling.
            context: the folder that the rules are relative to.
            lines: its lines.

        Raises:
            ConfigError: a pattern that Docker rejects.
        """
        self.file = file
        self.context = context
        self._rules = IgnoreRules.parse(lines, file)

    def hides(self, path: str) -> str | None:
        """The rule that hides a path from the build, or ``None``.

        Args:
            path: relative to the repository root.
        """
        if not within(path, self.context):
            return None
        rule = self._rules.ignores(relative_to(path, self.context))
        return rule.text if rule is not None else None
