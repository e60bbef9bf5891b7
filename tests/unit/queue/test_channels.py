"""The grammar of channels, and the seats of their tree."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.exception import ChannelSettingsError
from connector.queue.channels import (
    JOBS_PER_WORKER,
    SHORT_GROUP,
    ChannelSettings,
    ChannelTree,
    Seats,
    chain,
    full_name,
    parse_simple_config,
    settings_from_text,
)

NOW = datetime(2026, 11, 21, 9, 0)


def seats(text, *, taken=None, failed=(), last_starts=None, workers=2):
    tree = ChannelTree()
    tree.add(settings_from_text(text))
    return Seats(
        tree,
        taken=taken or {},
        failed=failed,
        last_starts=last_starts or {},
        workers=workers,
        now=NOW,
    )


def test_an_entry_is_name_capacity_and_options():
    """
    An entry is a name, a capacity that is 1 when not given, and keys with or without a value.
    """
    text = "root:4, root.shop:2:sequential:x=y\nroot.slow,"

    assert parse_simple_config(text) == [
        {"name": "root", "capacity": 4},
        {"name": "root.shop", "capacity": 2, "sequential": True, "x": "y"},
        {"name": "root.slow", "capacity": 1},
    ]


@pytest.mark.parametrize(
    "text", [":4", "root:many", "root:1:=3", "root:1:a:a", "root:1:a=b=c", "root:1:capacity=2"]
)
def test_an_entry_that_cannot_be_read_is_an_error(text):
    """
    A missing name, a capacity that is no number, and a key that is empty or double are errors.
    """
    with pytest.raises(ValueError, match="root|name"):
        parse_simple_config(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("root.a..b:1", "has the part ''"),
        ("root. a:1", "has the part ' a'"),
        ("root.a=b:1", "has the part 'a=b'"),
        ("root.slow:1:throttle", "throttle True"),
        ("root.slow:1:throttle=often", "throttle 'often'"),
        ("root.slow:1:throttle=-1", "throttle '-1'"),
        ("root.slow:1:throttle=nan", "throttle 'nan'"),
        ("root.slow:1:throttle=inf", "throttle 'inf'"),
        ("root.slow:1:sequential=maybe", "neither yes nor no"),
    ],
)
def test_settings_that_no_channel_can_have_are_refused(text, part):
    """
    Names that no job could go to, throttles that are no seconds and flags that say neither.
    """
    with pytest.raises(ChannelSettingsError, match=part):
        settings_from_text(text)


def test_a_flag_may_say_no():
    """
    A key without a value is yes; `no`, `false` and `0` are not.
    """
    text = "a:1:sequential,b:2:sequential=no:short=yes,c:1:paused=0:short=False"

    assert settings_from_text(text) == [
        ChannelSettings("root.a", 1, sequential=True, throttle=0),
        ChannelSettings("root.b", 2, sequential=False, throttle=0, short=True),
        ChannelSettings("root.c", 1, sequential=False, throttle=0, paused=False, short=False),
    ]


def test_sequential_needs_one_seat():
    """
    A sequential channel with more than one seat contradicts itself.
    """
    with pytest.raises(ChannelSettingsError):
        settings_from_text("root.shop:2:sequential")


def test_root_alone_has_no_capacity():
    """
    The configuration `root` limits nothing; only a number does.
    """
    assert settings_from_text("root") == [ChannelSettings("root")]


def test_names_are_below_root():
    """
    A name without `root` means the channel of that name below it.
    """
    assert [full_name(name) for name in (None, "", "root", "shop.orders", "root.shop")] == [
        "root",
        "root",
        "root",
        "root.shop.orders",
        "root.shop",
    ]


def test_a_seat_is_taken_in_every_channel_above():
    """
    A job takes a seat of its channel and of all above it.
    """
    free = seats("root:4,root.shop:2", taken={"root.shop.orders": 1, "root.other": 2})

    assert free.free("root.shop.orders") == 1
    assert free.take("root.shop.orders")
    assert not free.take("root.shop")
    assert not free.take("root")


def test_without_capacity_the_live_workers_count():
    """
    A channel without a capacity has four jobs for each live worker, and none without workers.
    """
    assert seats("root", workers=3).free("root.any") == 3 * JOBS_PER_WORKER
    assert seats("root", workers=0).free("root") == 0


def test_without_capacity_a_channel_is_filled_up_when_half_empty():
    """
    A channel without a capacity takes new jobs in groups, once half of its jobs are gone.
    """
    assert seats("root", taken={"root": 5}, workers=2).free("root") == 0
    free = seats("root", taken={"root": 4}, workers=2)
    assert [free.take("root") for _ in range(5)] == [True, True, True, True, False]


def test_a_channel_with_seats_is_filled_up_when_a_worker_may_run_dry():
    """
    A free seat waits for others while each worker has a job to go on with; never longer.
    """
    busy = {"root.shop": 5}
    assert seats("root.shop:9", taken=busy, workers=2).free("root.shop") == 0
    assert seats("root.shop:9", taken=busy, workers=3).free("root.shop") == 4
    assert seats("root.shop:9", taken={"root.shop": 4}, workers=2).free("root.shop") == 5
    assert seats("root.shop:9", taken=busy, workers=0).free("root.shop") == 4


def test_a_short_channel_has_groups_for_each_worker():
    """
    A channel marked short is handed over in groups; its seats, where it has some, still hold.
    """
    assert settings_from_text("root.quick:0:short")[0].short
    many = 2 * JOBS_PER_WORKER * SHORT_GROUP
    assert seats("root.quick:0:short").free("root.quick") == many
    assert seats("root.quick:0:short", taken={"root.quick": many // 2 + 1}).free("root.quick") == 0
    assert seats("root:6,root.quick:0:short").free("root.quick") == 6
    assert seats("root.quick:0:short").free("root.other") == 2 * JOBS_PER_WORKER


def test_an_unknown_channel_is_root():
    """
    Jobs of an unknown channel sit in root.
    """
    free = seats("root:1")

    assert free.take("root.never.heard.of")
    assert not free.take("root")


def test_a_sequential_channel_stops_at_a_failed_job():
    """
    Nothing starts in a sequential channel while one of its jobs is failed.
    """
    assert seats("root.shop:1:sequential").free("root.shop") == 1
    assert seats("root.shop:1:sequential", failed=["root.shop"]).free("root.shop") == 0


def test_throttle_spaces_starts():
    """
    A throttled channel starts one job, and the next one only after its seconds.
    """
    just_now = {"root.slow": NOW - timedelta(seconds=2)}
    before = {"root.slow": NOW - timedelta(seconds=5)}

    assert seats("root.slow:9:throttle=5", last_starts=just_now).free("root.slow") == 0
    free = seats("root.slow:9:throttle=5", last_starts=before)
    assert free.take("root.slow")
    assert not free.take("root.slow")


def test_a_pause_stops_all_below():
    """
    Nothing starts in a paused channel, nor in any below it.
    """
    tree = ChannelTree()
    tree.add([ChannelSettings("root.shop.orders"), ChannelSettings("root.shop", paused=True)])
    free = Seats(tree, taken={}, failed=(), last_starts={}, workers=1, now=NOW)

    assert free.free("root.shop.orders") == 0
    assert free.free("root") > 0


def test_the_database_wins_where_it_says_something():
    """
    A later source replaces only the settings that it gives.
    """
    tree = ChannelTree()
    tree.add(settings_from_text("root.shop:2:throttle=3"))
    tree.add([ChannelSettings("root.shop", capacity=5)])

    assert tree.settings("root.shop").capacity == 5
    assert tree.settings("root.shop").throttle == 3


TREE = ["root", "root.a", "root.a.b", "root.a.c", "root.d"]
NAMES = st.sampled_from(TREE)
CAPACITIES = st.dictionaries(NAMES, st.integers(min_value=1, max_value=4))


@given(capacities=CAPACITIES, asked=st.lists(NAMES, max_size=40))
def test_no_channel_ever_holds_more_than_its_capacity(capacities, asked):
    """
    Whatever is asked for in whatever order, no channel of the tree is overfilled.
    """
    tree = ChannelTree()
    tree.add(map(ChannelSettings, TREE))
    tree.add(ChannelSettings(name, capacity) for name, capacity in capacities.items())
    free = Seats(tree, taken={}, failed=(), last_starts={}, workers=1, now=NOW)

    held = Counter(above for name in asked if free.take(name) for above in chain(name))

    assert all(held[name] <= capacity for name, capacity in capacities.items())
