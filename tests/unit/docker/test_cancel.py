from __future__ import annotations

import pytest

from attune_dev.docker.cancel import Cancel
from attune_dev.errors import Interrupted


def test_a_request_ends_what_is_registered_once() -> None:
    cancel, ended = Cancel(), list[str]()
    with cancel.ending(lambda: ended.append("build")):
        cancel.request()
        cancel.request()
    assert ended == ["build"]


def test_a_request_that_came_before_is_not_lost() -> None:
    cancel, ended = Cancel(), list[str]()
    cancel.request()
    with cancel.ending(lambda: ended.append("build")):
        pass
    assert ended == ["build"]


def test_what_is_over_is_not_ended_any_more() -> None:
    cancel, ended = Cancel(), list[str]()
    with cancel.ending(lambda: ended.append("build")):
        pass
    cancel.request()
    assert ended == []


def test_a_request_ends_a_sleep() -> None:
    cancel = Cancel()
    cancel.sleep(0.0)
    cancel.check()
    cancel.request()
    with pytest.raises(Interrupted):
        cancel.sleep(60.0)
    with pytest.raises(Interrupted):
        cancel.check()
