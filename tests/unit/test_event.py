"""Events call who subscribed."""

import pytest

from connector.core.addon import declared_in
from connector.event import Event
from connector.exception import EventError


@pytest.fixture
def calls():
    return []


@pytest.fixture
def event():
    return Event()


def consumer_of(calls, name):
    def consumer(session, model_name, *args, **kwargs):
        calls.append((name, model_name, args, kwargs))

    return consumer


def test_consumers_are_called_in_order(event, calls, session):
    """
    Consumers of all models come first, then those of the model, in the order of subscription.
    """
    event.subscribe(consumer_of(calls, "partner"), model_names="res.partner")
    event.subscribe(consumer_of(calls, "first"))
    event.subscribe(consumer_of(calls, "second"))
    event.subscribe(consumer_of(calls, "other"), model_names=["res.users"])

    event.fire(session, "res.partner", 7, vals={"name": "x"})

    assert [name for name, *_ in calls] == ["first", "second", "partner"]
    assert calls[0][1:] == ("res.partner", (7,), {"vals": {"name": "x"}})


def test_decorator_subscribes_and_stacks(event, session, calls):
    """
    The decorator works bare and with options, and gives the function back.
    """

    @event(model_names="res.users")
    @event(model_names="res.partner")
    def consumer(session, model_name):
        calls.append(model_name)

    event.fire(session, "res.partner")
    event.fire(session, "res.users")
    consumer(session, "direct")

    assert calls == ["res.partner", "res.users", "direct"]


def test_replacing_takes_the_place_for_the_same_models(event, calls, session):
    """
    A replaced consumer is unsubscribed for the models named, and stays for others.
    """
    first = consumer_of(calls, "first")
    event.subscribe(first, model_names=["res.partner", "res.users"])
    event.subscribe(consumer_of(calls, "second"), model_names="res.partner", replacing=first)

    event.fire(session, "res.partner")
    event.fire(session, "res.users")

    assert [name for name, *_ in calls] == ["second", "first"]


def test_consumer_of_an_addon_that_is_not_installed_is_passed_over(event, calls, session):
    """
    Only consumers of installed addons count and are called.
    """
    with declared_in("shop_extra"):
        event.subscribe(consumer_of(calls, "extra"))

    assert not event.has_consumer_for(session, "res.partner")
    event.fire(session, "res.partner")
    assert calls == []
    session.env.registry._init_modules.add("shop_extra")
    assert event.has_consumer_for(session, "res.partner")


def test_unsubscribed_consumer_is_silent(event, calls, session):
    """
    Unsubscribing ends the calls, and unsubscribing a stranger is no error.
    """
    consumer = consumer_of(calls, "gone")
    event.subscribe(consumer)
    event.unsubscribe(consumer)
    event.unsubscribe(consumer, model_names="res.partner")

    event.fire(session, "res.partner")

    assert calls == []


def test_event_is_fired_with_a_model_name(event, session):
    """
    Firing with something else than a model's name is an error.
    """
    with pytest.raises(EventError, match="name of a model"):
        event.fire(session, ["res.partner"])
    with pytest.raises(AssertionError):
        event.subscribe("no function")


def test_consumers_stand_in_sets_by_model(event):
    """
    `_consumers` holds a set for all models and one for each model that is named.
    """

    def consumer(session, model_name):
        pass

    assert event._consumers == {None: set()}
    event.subscribe(consumer)
    event.subscribe(consumer)
    event.subscribe(consumer, model_names=("res.partner", "res.users"))
    event.unsubscribe(consumer, model_names="res.users")

    assert event._consumers == {None: {consumer}, "res.partner": {consumer}, "res.users": set()}


def test_consumer_subscribed_both_ways_is_called_twice(event, calls, session):
    """
    A consumer of all models and of one is called once for each.
    """
    consumer = consumer_of(calls, "twice")
    event.subscribe(consumer)
    event.subscribe(consumer, model_names="res.partner")

    event.fire(session, "res.partner")

    assert len(calls) == 2


def test_error_of_a_consumer_reaches_who_fires(event, calls, session):
    """
    An exception ends the calls; what a consumer returns is not looked at.
    """

    def fails(session, model_name):
        raise LookupError(model_name)

    event.subscribe(consumer_of(calls, "before"))
    event.subscribe(fails)
    event.subscribe(consumer_of(calls, "after"))

    with pytest.raises(LookupError, match=r"res\.partner"):
        event.fire(session, "res.partner")
    assert [name for name, *_ in calls] == ["before"]


def test_models_are_not_read_letter_by_letter(event, calls, session):
    """
    A text is one model, in `model_names` and under the decorator.
    """
    event(model_names="ab")(consumer_of(calls, "ab"))

    event.fire(session, "a")
    event.fire(session, "ab")

    assert [model for _, model, *_ in calls] == ["ab"]
