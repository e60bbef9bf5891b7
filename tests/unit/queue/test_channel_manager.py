"""Channels in memory: what would run of jobs that one tells of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.exception import ChannelNotFound
from connector.queue.channels import (
    Channel,
    ChannelJob,
    ChannelManager,
    ChannelQueue,
    PriorityQueue,
    SafeSet,
)


def manager(text: str) -> ChannelManager:
    made = ChannelManager()
    made.simple_configure(text)
    return made


def tell(of: ChannelManager, channel: str, number: int, state="pending", priority=10, eta=None):
    of.notify("db", channel, f"j{number}", number, 0, priority, eta, state)


def runs(of: ChannelManager, now=100) -> list[str]:
    return [job.uuid for job in of.get_jobs_to_run(now)]


def job(number: int, priority=10, eta=None) -> ChannelJob:
    return ChannelJob("db", None, f"j{number}", number, 0, priority, eta)


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "pop"]), st.integers(0, 9))))
def test_a_priority_queue_is_a_sorted_set(steps):
    """
    Whatever is added and removed in which order, the first one is the smallest that is in.
    """
    queue: PriorityQueue[int] = PriorityQueue()
    model: set[int] = set()
    for what, element in steps:
        if what == "add":
            queue.add(element)
            model.add(element)
        elif what == "remove":
            queue.remove(element)
            model.discard(element)
        else:
            assert queue.pop() == min(model, default=None)
            model -= {min(model, default=None)}
        assert len(queue) == len(model)
        assert (element in queue) == (element in model)
        if model:
            assert queue[0] == min(model)


def test_nothing_is_no_element():
    """
    None is refused, an empty queue has no first one, and a safe set forgets what it never had.
    """
    queue: PriorityQueue[int] = PriorityQueue()
    with pytest.raises(ValueError, match="None"):
        queue.add(None)  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        queue[0]
    elements = SafeSet([1])
    elements.remove(2)
    assert elements == {1}


def test_jobs_are_ordered_by_eta_priority_date_and_number():
    """
    With an eta before without, then the smaller ones; two jobs of equal values are two.
    """
    late, early = job(1, eta=20), job(2, eta=10)
    urgent, usual, later = job(3, priority=1), job(4), job(5)

    assert sorted([later, usual, urgent, late, early]) == [early, late, urgent, usual, later]
    assert job(1) != job(1)


def test_a_job_whose_time_has_come_competes_by_priority():
    """
    A due job has no advantage by its eta; one in the future waits, and tells when.
    """
    queue = ChannelQueue()
    due, urgent, future = job(1, eta=50), job(2, priority=1), job(3, eta=200)
    for each in (due, urgent, future):
        queue.add(each)

    assert [queue.pop(100), queue.pop(100), queue.pop(100)] == [urgent, due, None]
    assert queue.get_wakeup_time() == 200
    assert queue.get_wakeup_time(150) == 150


def test_a_sequential_queue_is_not_overtaken():
    """
    In a sequential queue a job with a future eta holds up those that come after it.
    """
    queue = ChannelQueue(sequential=True)
    first, second = job(1, eta=200), job(2)
    queue.add(second)
    queue.add(first)

    assert queue.pop(100) is None
    assert [queue.pop(200), queue.pop(200)] == [first, second]


def test_a_tree_lets_go_as_many_as_have_seats_everywhere():
    """
    A job needs a seat in its channel and in all above; one that is done makes room.
    """
    tree = manager("root:4,a:2,b:1,a.c:2")
    for number in range(10):
        tell(tree, "a" if number % 2 else "b", number)
    tell(tree, "a.c", 10, priority=1)

    assert sorted(runs(tree)) == ["j0", "j1", "j10"]
    assert runs(tree) == []
    tell(tree, "a.c", 10, "done", priority=1)
    assert runs(tree) == ["j3"]
    tell(tree, "b", 0, "failed")
    assert runs(tree) == ["j2"]


def test_a_capacity_of_none_or_zero_is_any_number_and_below_zero_is_none():
    """
    Only a capacity above zero limits; one below zero closes.
    """
    for capacity, expected in ((None, 9), (0, 9), (-1, 0), (2, 2)):
        channel = Channel("root", None, capacity=capacity)
        for number in range(9):
            channel.set_pending(job(number))
        assert len(list(channel.get_jobs_to_run(1))) == expected


def test_a_sequential_channel_stops_at_a_failed_job():
    """
    Nothing goes while a job of the channel is failed; sequential needs the capacity 1.
    """
    tree = manager("s:1:sequential")
    tell(tree, "s", 1)
    tell(tree, "s", 2)
    assert runs(tree) == ["j1"]
    tell(tree, "s", 1, "failed")
    assert runs(tree) == []
    tell(tree, "s", 1, "done")
    assert runs(tree) == ["j2"]
    with pytest.raises(ValueError, match="sequential"):
        manager("s:2:sequential")


def test_a_throttled_channel_starts_one_job_in_its_time():
    """
    Between two starts lie at least the seconds of the throttle, and the next is told.
    """
    tree = manager("t:0:throttle=5")
    for number in range(3):
        tell(tree, "t", number)

    assert (runs(tree, 100), runs(tree, 104), runs(tree, 105)) == (["j0"], [], ["j1"])
    assert tree.get_wakeup_time() == 110


def test_channels_are_found_by_name_and_made_on_the_way():
    """
    Names count from root on; what is missing is an error or is made, without a capacity.
    """
    tree = manager("root.a.b:3")

    assert tree.get_channel_by_name("a.b") is tree.get_channel_by_name("root.a.b")
    assert tree.get_channel_by_name("a").capacity is None
    assert (
        tree.get_channel_by_name(None).fullname == tree.get_channel_by_name("").fullname == "root"
    )
    assert tree.get_channel_by_name("a.b").fullname == "root.a.b"
    with pytest.raises(ChannelNotFound, match="'x'"):
        tree.get_channel_by_name("x")
    assert tree.get_channel_by_name("x", autocreate=True).fullname == "root.x"


def test_what_changes_is_put_in_its_place_again(caplog):
    """
    Another priority or channel moves a job; an unknown channel is root; its date never changes.
    """
    tree = manager("root:1,a:1")
    tell(tree, "a", 1)
    tell(tree, "a", 2)
    tell(tree, "a", 2, priority=1)
    assert runs(tree) == ["j2"]
    tree.remove_job("j2")
    tell(tree, "nowhere", 3, priority=0)
    assert "Unknown channel 'nowhere'" in caplog.text
    assert runs(tree) == ["j3"]
    with pytest.raises(ValueError, match="never change"):
        tree.notify("db", "a", "j1", 1, 99, 10, None, "pending")
    tree.remove_db("db")
    assert runs(tree) == []
