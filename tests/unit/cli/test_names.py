"""Any number of names after a verb, through Invoke's own parser."""

from __future__ import annotations

import sys

import pytest
from invoke.collection import Collection
from invoke.parser import Parser

from attune_dev.cli import names as names_module
from attune_dev.cli.command import command
from attune_dev.cli.names import words_after


@command(names="services", is_name=lambda word: word == "logs")
def build(_context: object, services: list[str], no_cache: bool = False, tag: str = "") -> None:
    """Builds."""


@command()
def up(_context: object) -> None:
    """Ups."""


@command()
def logs(_context: object) -> None:
    """Logs."""


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(names_module, "TASK_NAMES", {"build", "up", "logs"})

    def run(*argv: str) -> list[tuple[str, dict[str, object]]]:
        monkeypatch.setattr(sys, "argv", ["inv", *argv])
        parser = Parser(contexts=Collection(build, up, logs).to_contexts())
        return [(str(context.name), context.as_kwargs) for context in parser.parse_argv(list(argv))]

    return run


@pytest.mark.parametrize(
    ("argv", "services"),
    [
        (["build"], []),
        (["build", "api"], ["api"]),
        (["build", "api", "notifier"], ["api", "notifier"]),
        (["build", "--no-cache", "api"], ["api"]),
        (["build", "api", "--tag", "x", "notifier"], ["api", "notifier"]),
        (["build", "api", "--tag=x"], ["api"]),
        (["build", "--services", "api"], ["api"]),
        (["build", "apii"], ["apii"]),
    ],
)
def test_a_verb_takes_every_word_that_follows(parse, argv, services) -> None:  # type: ignore[no-untyped-def]
    [(name, values)] = parse(*argv)
    assert (name, values["services"]) == ("build", services)


def test_the_next_task_ends_the_names(parse) -> None:  # type: ignore[no-untyped-def]
    assert [name for name, _ in parse("build", "api", "up")] == ["build", "up"]


def test_a_word_that_is_both_a_task_and_a_service_is_the_service(parse) -> None:  # type: ignore[no-untyped-def]
    [(_, values)] = parse("build", "api", "logs")
    assert values["services"] == ["api", "logs"]


def test_options_keep_their_values(parse) -> None:  # type: ignore[no-untyped-def]
    [(_, values)] = parse("build", "api", "--no-cache", "--tag", "x")
    assert (values["no_cache"], values["tag"]) == (True, "x")


def test_words_before_the_verb_and_values_of_core_options_do_not_count() -> None:
    argv = ["--search-root", "build", "build", "api"]
    assert words_after(["build"], argv, frozenset(), ends=lambda _: False) == ["api"]


def test_words_after_a_double_dash_belong_to_the_program_that_is_called() -> None:
    argv = ["exec", "api", "--", "ls", "-la"]
    assert words_after(["exec"], argv, frozenset(), ends=lambda _: False) == ["api"]
