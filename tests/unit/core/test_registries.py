"""The map of registries."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from connector.core.registries import LRU, Registries


class FakeRegistry:
    def __init__(self, used=False):
        self.ready = True
        self.used = used
        self.cleared = False

    def in_use(self):
        return self.used

    def clear_caches(self):
        self.cleared = True


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9))), st.integers(1, 5))
def test_lru_keeps_the_newest(steps, size):
    """
    After any reads and writes the map holds the keys that were used last.
    """
    lru, used = LRU(size), []
    for is_write, key in steps:
        if is_write:
            lru[key] = key
        elif key in lru:
            assert lru[key] == key
        else:
            continue
        used = [other for other in used if other != key] + [key]
        used = used[-size:]
        assert set(lru) == set(used)


def test_registries_in_use_stay():
    """
    The oldest registry that nobody uses goes; one in use stays until it is released.
    """
    found = Registries()
    found.size = 2
    first, second = FakeRegistry(used=True), FakeRegistry()
    found["first"], found["second"], found["third"] = first, second, FakeRegistry(used=True)
    assert set(found) == {"first", "third"}
    assert second.cleared
    found["fourth"] = FakeRegistry(used=True)
    assert set(found) == {"first", "third", "fourth"}
    first.used = False
    found.shrink()
    assert set(found) == {"third", "fourth"}


def test_release_waits_for_nobody():
    """
    A connection that comes back while a registry is built drops the unused ones all the same.
    """
    found = Registries()
    found.size = 1
    first = FakeRegistry(used=True)
    found["first"], found["second"] = first, FakeRegistry(used=True)
    first.used = False
    with found.lock:
        thread = threading.Thread(target=found.shrink)
        thread.start()
        thread.join(timeout=5)
        assert not thread.is_alive()
    assert set(found) == {"second"}


def test_found_registry_counts_as_used():
    """
    A registry that was asked for is younger than one that was not.
    """
    found = Registries()
    found.size = 2
    found["first"], found["second"] = FakeRegistry(), FakeRegistry()
    found.find("first")
    found["third"] = FakeRegistry()
    assert set(found) == {"first", "third"}


def test_ready_registry_is_found_while_another_is_built():
    """
    A thread that builds one registry does not keep others from finding theirs.
    """
    found = Registries()
    found["ready"] = FakeRegistry()
    result = []
    with found.lock:
        thread = threading.Thread(target=lambda: result.append(found.find("ready")))
        thread.start()
        thread.join(5)
    assert result == [found["ready"]]
