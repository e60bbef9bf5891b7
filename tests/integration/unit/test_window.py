"""The window of an incremental import: what it takes, and how it moves the cursor."""

import json
from datetime import datetime, timedelta

import pytest

from connector.exception import RetryableJobError
from connector.unit.backend_adapter import Page
from connector.unit.incremental import Window, incremental_importer, open_window

MODEL = "toy.partner"


def moment(second, **later):
    return datetime.fromisoformat(f"2026-11-21T08:00:{second:02}") + timedelta(**later)


def page(*moments, read_at=None):
    """A page of records that were changed at these moments."""
    return Page(
        [
            {"id": number, "updated_at": f"{each.isoformat()}Z"}
            for number, each in enumerate(moments)
        ],
        read_at=read_at,
    )


def reopened(toys, window):
    """Close a window in a transaction of its own, and open the next one."""
    with toys.work(MODEL) as connector_env:
        window.importer = incremental_importer(connector_env)
        window.close()
    with toys.work(MODEL) as connector_env:
        return open_window(connector_env)


@pytest.fixture
def window(toys):
    with toys.work(MODEL) as connector_env:
        return open_window(connector_env)


def test_first_page_of_one_time_does_not_stall(toys, window):
    """
    When the first page shows one time again and again, the cursor goes on to what was seen behind.
    """
    same = page(*[moment(1)] * 3)
    window.take(same)
    window.take(page(moment(40), moment(50)))
    assert window.bound == moment(1)

    window = reopened(toys, window)
    assert window.take(same) == []

    assert reopened(toys, window).value == moment(50)


@pytest.mark.parametrize("hours", [-3, 0, 3])
def test_clock_of_the_backend_bounds_the_window(toys, window, hours):
    """
    A record stamped with a time to come does not carry the cursor there, however wrong the clock.
    """
    now = moment(30, hours=hours)

    window.take(page(now - timedelta(seconds=5), now + timedelta(days=9), read_at=now))
    window = reopened(toys, window)

    assert (window.value, window.since) == (now, now - timedelta(seconds=60))


def test_clock_that_is_ahead_of_the_records_does_not_lead(toys, window):
    """
    A proxy may answer with a clock of its own: the cursor stays at what the records show.
    """
    window.take(page(moment(1), read_at=moment(1, hours=1)))

    assert reopened(toys, window).value == moment(1)


def test_clock_that_was_put_back_makes_everything_be_read(toys, window):
    """
    When the backend's clock is behind the window, the cursor is dropped: changes lie before it.
    """
    window.take(page(moment(30), read_at=moment(40)))
    window = reopened(toys, window)
    assert window.value == moment(30)

    window.take(page(read_at=moment(40, hours=-1)))

    assert reopened(toys, window).filters == {}


def test_of_two_windows_that_end_together_the_farther_one_counts(toys):
    """
    A window that is closed after a farther one does not put the cursor back.
    """
    with toys.work(MODEL) as connector_env:
        slow, quick = open_window(connector_env), open_window(connector_env)
    slow.take(page(moment(10)))
    quick.take(page(moment(20)))

    assert reopened(toys, quick).value == moment(20)
    assert reopened(toys, slow).value == moment(20)


@pytest.mark.parametrize("is_first", [True, False])
def test_cursor_is_moved_by_one_at_a_time(toys, window, is_first):
    """
    Who moves the cursor while another transaction does comes back later, the first time too.
    """
    window.take(page(moment(10)))
    if not is_first:
        window = reopened(toys, window)
        window.take(page(moment(20)))
    with toys.work(MODEL) as one, toys.work(MODEL) as other:
        incremental_importer(one).move_cursor(window)
        with pytest.raises(RetryableJobError, match="import_cursor"):
            incremental_importer(other).move_cursor(window)


def test_window_that_is_not_complete_moves_nothing(toys, window):
    """
    While a record of the window is left to others, the cursor stays where it is.
    """
    window.take(page(moment(10)))
    window.is_complete = False

    assert reopened(toys, window).value is None


def test_record_without_a_time_or_an_id_is_always_new(toys, window):
    """
    What cannot be recognised is given to the import, which says what is wrong with it.
    """
    odd = [{"id": 1}, {"updated_at": "2026-11-21"}, {"id": 2, "updated_at": None}, "no record"]

    assert window.take(Page(odd)) == odd
    assert reopened(toys, window).take(Page(odd)) == odd


def test_many_records_of_one_time_are_not_remembered_one_by_one(toys, window, monkeypatch):
    """
    Above a limit the records at the cursor's time are imported again instead of remembered.
    """
    monkeypatch.setattr("connector.unit.incremental.SEEN_LIMIT", 2)
    same = page(*[moment(1)] * 3)
    window.take(same)

    assert reopened(toys, window).take(same) == same.records


def test_window_is_kept_between_jobs_as_it_is(window):
    """
    What a window knows is the same after it was kept as JSON.
    """
    window.take(page(moment(1), moment(2), read_at=moment(3)))

    kept = Window.from_json(json.loads(json.dumps(window.to_json())), window.importer)

    assert kept == window
