"""Backends find the one class that answers, and say why when there is none."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.backend import BACKENDS, Backend, BackendRegistry, get_backend
from connector.connector import Binder, ConnectorUnit
from connector.core.addon import declared_in
from connector.exception import (
    BackendError,
    ManyConnectorUnitsError,
    NoBackendError,
    NoConnectorUnitError,
    NoModelNameError,
    UnknownUnitError,
)


def unit(name, base=ConnectorUnit, models="shop.partner", **attrs):
    return type(base)(name, (base,), {"_model_name": models, "__module__": __name__, **attrs})


def test_backend_is_found_by_service_and_version(registry):
    """
    A backend answers to exactly its service and version.
    """
    plain = Backend("shop", registry=registry)
    second = Backend(parent=plain, version="2.0", registry=registry)

    assert registry.get_backend("shop") is plain
    assert registry.get_backend("shop", "2.0") is second
    with pytest.raises(NoBackendError, match=r"'shop' and version '3\.0'.*<Backend 'shop'>"):
        registry.get_backend("shop", "3.0")


def test_two_backends_of_one_version_are_an_error(registry):
    """
    Where two backends have one service and version, none is chosen by chance.
    """
    Backend("shop", registry=registry)
    Backend("shop", registry=registry)

    with pytest.raises(ValueError, match="2 backends"):
        registry.get_backend("shop")


def test_backend_needs_a_service():
    """
    A backend without service and parent is refused.
    """
    with pytest.raises(BackendError):
        Backend(version="1")


@pytest.mark.parametrize(
    ("arguments", "text", "representation"),
    [
        (("shop",), "Backend('shop')", "<Backend 'shop'>"),
        (("shop", "1.14"), "Backend('shop', '1.14')", "<Backend 'shop', '1.14'>"),
    ],
)
def test_backend_shows_service_and_version(registry, arguments, text, representation):
    """
    str and repr name service and version.
    """
    backend = Backend(*arguments, registry=registry)

    assert str(backend) == text
    assert repr(backend) == representation


def test_class_is_found_by_base_and_model(shop, session):
    """
    A look-up gives the class of that kind and that model.
    """
    partners = shop(unit("PartnerBinder", Binder))
    shop(unit("OrderBinder", Binder, models=["shop.order"]))

    assert shop.get_class(Binder, session, "shop.partner") is partners


def test_model_name_as_text_is_one_model(shop, session):
    """
    A model name given as text is not taken letter by letter.
    """
    shop(unit("PartnerBinder", Binder))

    with pytest.raises(NoConnectorUnitError):
        shop.get_class(Binder, session, "s")


def test_child_hides_its_parent(shop, registry, session):
    """
    A unit of a version hides those of its parent; what it lacks, the parent gives.
    """
    child = Backend(parent=shop, version="2", registry=registry)
    parents_binder = shop(unit("OldBinder", Binder))
    parents_unit = shop(unit("Special"))
    own_binder = child(unit("NewBinder", Binder))

    assert child.get_class(Binder, session, "shop.partner") is own_binder
    assert child.get_class(parents_unit, session, "shop.partner") is parents_unit
    assert shop.get_class(Binder, session, "shop.partner") is parents_binder


def test_replacing_class_stands_for_the_replaced_one(shop, session):
    """
    A replaced class gives way to its replacement.
    """
    first = shop(unit("First", Binder))
    second = shop(replacing=first)(unit("Second", first))

    assert shop.get_class(Binder, session, "shop.partner") is second


def test_replacement_of_an_addon_that_is_not_installed_does_not_count(shop, session):
    """
    A replaced class stays where the addon of its replacement is not installed.
    """
    first = shop(unit("First", Binder))
    with declared_in("shop_extra"):
        second = shop(replacing=first)(unit("Second", first))

    assert second._module == "shop_extra"
    assert shop.get_class(Binder, session, "shop.partner") is first
    session.env.registry._init_modules.add("shop_extra")
    assert shop.get_class(Binder, session, "shop.partner") is second


def test_replacement_for_another_model_leaves_the_original(shop, session):
    """
    Replacing a class for another model leaves it in place for its own.
    """
    first = shop(unit("First", Binder))
    second = shop(replacing=first)(unit("Second", first, models="shop.order"))

    assert shop.get_class(Binder, session, "shop.partner") is first
    assert shop.get_class(Binder, session, "shop.order") is second


def test_diamond_of_replacements_gives_the_last(shop, session):
    """
    A class that replaces two replacements of one class is the one answer.
    """
    first = shop(unit("First", Binder))
    left = shop(replacing=first)(unit("Left", first))
    right = shop(replacing=first)(unit("Right", first))
    last = shop(replacing=(left, right))(unit("Last", first))

    assert shop.get_class(Binder, session, "shop.partner") is last


def test_replacement_stands_for_a_class_whose_addon_is_not_installed(shop, session):
    """
    A class of an addon that is not installed is replaced all the same, through a chain too.
    """
    with declared_in("shop_extra"):
        first = shop(unit("First", Binder))
        second = shop(replacing=first)(unit("Second", Binder))
    third = shop(replacing=second)(unit("Third", Binder))

    assert shop.get_class(Binder, session, "shop.partner") is third
    session.env.registry._init_modules.add("shop_extra")
    assert shop.get_class(Binder, session, "shop.partner") is third


def test_two_replacements_of_one_class_are_two_answers(shop, session):
    """
    Two classes that replace one are an error where both answer, and one where only one does.
    """
    first = shop(unit("First", Binder))
    left = shop(replacing=first)(unit("Left", Binder))
    with declared_in("shop_extra"):
        shop(replacing=[first])(unit("Right", Binder))

    assert shop.get_class(Binder, session, "shop.partner") is left
    session.env.registry._init_modules.add("shop_extra")
    with pytest.raises(ManyConnectorUnitsError, match="Left.*Right"):
        shop.get_class(Binder, session, "shop.partner")


def test_replacement_that_is_of_another_kind_leaves_the_original(shop, session):
    """
    A replacement that is no subclass of what is asked for is not counted for that question.
    """
    first = shop(unit("First", Binder))
    second = shop(replacing=first)(unit("Second"))

    assert shop.get_class(Binder, session, "shop.partner") is first
    assert shop.get_class(second, session, "shop.partner") is second


def test_backends_stand_in_a_set_that_a_test_replaces(monkeypatch):
    """
    A fresh set in `BACKENDS.backends` takes the backends made from then on.
    """
    fresh = set()
    monkeypatch.setattr(BACKENDS, "backends", fresh)

    backend = Backend("coffee")

    assert fresh == BACKENDS.backends == {backend}
    assert get_backend("coffee") is backend


def test_replaced_class_is_registered_on_this_backend(shop, registry):
    """
    Only a class of this very backend can be replaced, and not by itself.
    """
    first = shop(unit("First", Binder))
    child = Backend(parent=shop, version="2", registry=registry)

    with pytest.raises(UnknownUnitError, match="not registered on Backend\\('shop', '2'\\)"):
        child.register_class(unit("Second", first), replacing=first)
    with pytest.raises(ValueError, match="cannot replace itself"):
        shop.register_class(first, replacing=first)


def test_two_classes_cannot_replace_each_other(shop):
    """
    A circle of replacements is refused when it is declared.
    """
    first = shop(unit("First", Binder))
    second = shop(replacing=first)(unit("Second", Binder))

    with pytest.raises(BackendError, match="each other"):
        shop.register_class(first, replacing=second)


def test_two_answers_are_an_error_that_names_both(shop, session):
    """
    Two classes for one question are an error naming both, an AssertionError for old code.
    """
    shop(unit("First", Binder))
    shop(unit("Second", Binder))

    with pytest.raises(ManyConnectorUnitsError, match=r"First.*Second.*replacing") as caught:
        shop.get_class(Binder, session, "shop.partner")
    assert isinstance(caught.value, AssertionError)


def test_missing_unit_says_what_is_near(shop, session):
    """
    Without an answer the error names what was sought, and candidates with their reason.
    """
    shop(unit("OrderBinder", Binder, models="shop.order"))
    with declared_in("shop_extra"):
        shop(unit("ExtraBinder", Binder))

    with pytest.raises(NoConnectorUnitError) as caught:
        shop.get_class(Binder, session, "shop.partner")
    message = str(caught.value)
    assert "No Binder for 'shop.partner' on Backend('shop')" in message
    assert "OrderBinder (on Backend('shop'), for other models)" in message
    assert "addon 'shop_extra' is not installed" in message


def test_unit_without_model_says_so(shop, session):
    """
    A registered unit without a model is named when a look-up meets it.
    """
    shop(unit("Nowhere", Binder, models=None))

    with pytest.raises(NoModelNameError, match="Nowhere"):
        shop.get_class(Binder, session, "shop.partner")


def test_look_up_sees_what_is_registered_later(shop, registry, session):
    """
    A class registered after a look-up is found, in a child of the backend too.
    """
    child = Backend(parent=shop, version="2", registry=registry)
    first = shop(unit("First", Binder))
    assert child.get_class(Binder, session, "shop.partner") is first

    second = shop(replacing=first)(unit("Second", first))

    assert child.get_class(Binder, session, "shop.partner") is second


def test_unit_that_asks_the_session_is_asked_every_time(shop, session):
    """
    The answer of a unit with a `match` of its own is not kept.
    """

    class Changing(Binder):
        _model_name = "shop.partner"
        willing = True

        @classmethod
        def match(cls, session, model):
            return cls.willing and super().match(session, model)

    shop(Changing)
    assert shop.get_class(Binder, session, "shop.partner") is Changing

    Changing.willing = False

    with pytest.raises(NoConnectorUnitError):
        shop.get_class(Binder, session, "shop.partner")


#: One class: which of those before it replaces, its addon is installed, its model, its kind.
CLASSES = st.lists(
    st.tuples(st.sets(st.integers(0, 6)), st.booleans(), st.booleans(), st.booleans()),
    min_size=1,
    max_size=7,
)


def answers_of(classes):
    """The rule in a few lines: who of those that replace a class answers, else the class itself."""

    def of(index):
        replacing = [
            n for n, (replaced, *_) in enumerate(classes) if n > index and index in replaced
        ]
        found = set().union(*map(of, replacing))
        return found or ({index} if all(classes[index][1:]) else set())

    return set().union(*map(of, range(len(classes))))


@given(parent=CLASSES, child=CLASSES)
def test_any_replacing_gives_what_the_rule_says(parent, child):
    """
    Chains, diamonds, addons, models and kinds: the answer is the rule's, the parent's if none.
    """
    registry = BackendRegistry()
    top = Backend("shop", registry=registry)
    below = Backend(parent=top, version="2", registry=registry)
    made = {}
    for backend, classes in ((top, parent), (below, child)):
        units = made[backend] = []
        for replaced, is_installed, is_model, is_kind in classes:
            with declared_in("shop" if is_installed else "shop_extra"):
                models = "shop.partner" if is_model else "shop.order"
                new = unit("Unit", Binder if is_kind else ConnectorUnit, models=models)
            units.append(backend(new, replacing=[units[n] for n in replaced if n < len(units)]))
    session = SimpleNamespace(
        env=SimpleNamespace(registry=SimpleNamespace(_init_modules={"shop"})), context={}
    )
    expected = {made[below][n] for n in answers_of(child)}
    expected = expected or {made[top][n] for n in answers_of(parent)}

    if len(expected) == 1:
        assert {below.get_class(Binder, session, "shop.partner")} == expected
    else:
        error = ManyConnectorUnitsError if expected else NoConnectorUnitError
        with pytest.raises(error):
            below.get_class(Binder, session, "shop.partner")
