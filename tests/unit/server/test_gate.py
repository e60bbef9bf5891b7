"""Many calls together, or one alone."""

from __future__ import annotations

import threading
import time

import pytest

from connector.server.errors import CallTimeoutError
from connector.server.gate import Gate, changes_models


def test_only_changes_of_definitions_are_alone():
    """Calls of other models, and those that only read, go together."""
    assert changes_models("ir.model.fields", "create")
    assert changes_models("base.module.upgrade", "upgrade_module")
    assert not changes_models("ir.model.fields", "search_read")
    assert not changes_models("res.partner", "create")


def test_calls_go_together():
    """Two calls are inside at once."""
    gate = Gate()
    together = []
    with gate.entered(False, 1), gate.entered(False, 1):
        together.append(True)
    assert together


@pytest.mark.parametrize(("inside", "next_one"), [(False, True), (True, False), (True, True)])
def test_who_is_alone_waits_and_is_waited_for(inside, next_one):
    """Nobody is beside a call that is alone; who waits too long is told."""
    gate = Gate()
    with gate.entered(inside, 1):
        with pytest.raises(CallTimeoutError), gate.entered(next_one, 0.02):
            pytest.fail("two are inside")
    with gate.entered(next_one, 1):
        pass


def test_many_threads_are_never_beside_one_that_is_alone():
    """Under load the rule holds, and everybody comes through."""
    gate, inside, wrong, done = Gate(), [], [], []

    def call(number: int) -> None:
        alone = number % 5 == 0
        with gate.entered(alone, 20):
            inside.append(number)
            time.sleep(0.001)
            if alone and len(inside) > 1:
                wrong.append(list(inside))
            inside.remove(number)
        done.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
    assert len(done) == 60
