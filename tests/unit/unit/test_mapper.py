"""Mappers: what is declared, what is inherited, and in which order values are made."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from connector.connector import Binder, ConnectorEnvironment
from connector.exception import (
    MappingDefinitionError,
    MappingError,
    MappingResultError,
    MissingSourceFieldError,
)
from connector.unit.mapper import (
    ExportMapper,
    ImportMapChild,
    ImportMapper,
    MapOptions,
    Mapper,
    MappingDefinition,
    backend_to_m2o,
    changed_by,
    convert,
    follow_m2o_relations,
    m2o_to_backend,
    mapping,
    none,
    normalize_datetime,
    only_create,
)


def field(kind="char", comodel=None):
    return SimpleNamespace(type=kind, comodel_name=comodel)


@pytest.fixture
def model(connector_env):
    """The model that is mapped, with a name, an age and a category."""
    connector_env.model._fields = {
        "name": field(),
        "age": field("integer"),
        "category_id": field("many2one", "shop.category"),
    }
    return connector_env.model


@pytest.fixture
def category_binder(shop):
    """A binder that knows the categories 0 and 7 as the records 10 and 17."""

    @shop
    class CategoryBinder(Binder):
        _model_name = "shop.category"
        asked = []

        def to_openerp(self, external_id, unwrap=False):
            self.asked.append((external_id, unwrap))
            known = {"0": 10, "7": 17}.get(str(external_id))
            return SimpleNamespace(id=known) if known else False

        def to_backend(self, binding_id, wrap=False):
            return {10: 0, 17: "7"}.get(binding_id)

    return CategoryBinder


def test_values_are_made_in_order(connector_env, model):
    """
    Direct fields come first, then mapping methods in their order, then finalize, then updates.
    """

    class PartnerMapper(ImportMapper):
        direct = [("name", "name"), ("years", "age")]

        @mapping
        def shout(self, record):
            return {"name": record["name"].upper(), "first": 1}

        @mapping
        def nothing(self, record):
            return None

        @mapping
        def last(self, record):
            return {"first": 2}

        def finalize(self, map_record, values):
            return {**values, "final": sorted(values)}

    map_record = PartnerMapper(connector_env).map_record({"name": "ann", "years": 5})
    map_record.update(forced=True)

    assert map_record.values() == {
        "name": "ANN",
        "age": 5,
        "first": 2,
        "final": ["age", "first", "name"],
        "forced": True,
    }


@pytest.mark.parametrize("value", [0, "", None, False])
def test_empty_values_become_false(connector_env, model, value):
    """
    An empty or missing source gives False.
    """

    class PartnerMapper(ImportMapper):
        direct = [("name", "name"), ("missing", "age")]

    values = PartnerMapper(connector_env).map_record({"name": value}).values()

    assert values == {"name": False, "age": False}


def test_unknown_target_is_named(connector_env, model):
    """
    A value for a field that the model lacks is an error of the mapper.
    """

    class PartnerMapper(ImportMapper):
        direct = [("name", "nickname")]

    with pytest.raises(MappingDefinitionError, match="'nickname', which is no field of") as caught:
        PartnerMapper(connector_env).map_record({"name": "ann"}).values()
    assert isinstance(caught.value, KeyError)
    assert not str(caught.value).startswith('"')
    assert PartnerMapper(connector_env).map_record({}).values() == {"nickname": False}


def test_only_create_is_left_out_of_updates(connector_env):
    """
    A mapping for creation is made only with for_create.
    """

    class PartnerMapper(ImportMapper):
        @only_create
        @mapping
        def first(self, record):
            return {"first": True}

        @mapping
        def always(self, record):
            return {"always": self.options.for_create}

    map_record = PartnerMapper(connector_env).map_record({})

    assert map_record.values() == {"always": None}
    assert map_record.values(for_create=True) == {"first": True, "always": True}


def test_fields_limit_what_is_mapped(connector_env, model):
    """
    Only direct fields and mappings changed by the given fields are made, and undeclared ones.
    """

    class PartnerMapper(ImportMapper):
        direct = [("name", "name"), ("years", "age")]

        @changed_by("name", "title")
        @mapping
        def full_name(self, record):
            return {"full": "x"}

        @mapping
        def always(self, record):
            return {"always": 1}

    mapper = PartnerMapper(connector_env)
    map_record = mapper.map_record({"name": "ann", "years": 5})

    assert map_record.values(fields=["years"]) == {"age": 5, "always": 1}
    assert map_record.values(fields=["title"]) == {"full": "x", "always": 1}
    assert map_record.values(fields=[]) == map_record.values()
    assert mapper.changed_by_fields() == {"name", "years", "title"}


def test_mapping_returns_a_dict(connector_env):
    """
    A mapping that returns something else is named.
    """

    class PartnerMapper(ImportMapper):
        @mapping
        def wrong(self, record):
            return ["name"]

    with pytest.raises(MappingResultError, match=r"PartnerMapper\.wrong returns list"):
        PartnerMapper(connector_env).map_record({}).values()


def test_options_are_restored_after_an_error(connector_env):
    """
    Options hold for one mapping, also when it fails.
    """

    class PartnerMapper(ImportMapper):
        @mapping
        def fails(self, record):
            raise ValueError(self.options.special)

    mapper = PartnerMapper(connector_env)

    with pytest.raises(ValueError, match="seven"):
        mapper.map_record({}).values(special="seven")
    assert mapper.options.special is None


def test_inheritance_of_mappings():
    """
    Classes join what changes a mapping, never their bases' own definitions.
    """

    class Left(Mapper):
        @changed_by("a")
        @only_create
        @mapping
        def joined(self, record):
            return {}

    class Right(Mapper):
        @changed_by("b")
        @mapping
        def joined(self, record):
            return {}

        @mapping
        def right_only(self, record):
            return {}

    class Both(Left, Right):
        pass

    class Override(Both):
        def joined(self, record):
            return {"kept": "a mapping"}

    class Declared(Both):
        @changed_by("c")
        @mapping
        def joined(self, record):
            return {}

    assert list(Both._map_methods) == ["joined", "right_only"]
    assert Both._map_methods["joined"].changed_by == {"a", "b"}
    assert Both._map_methods["joined"].only_create
    assert Left._map_methods["joined"].changed_by == {"a"}
    assert Override._map_methods == Both._map_methods
    assert Declared._map_methods["joined"].changed_by == {"a", "b", "c"}
    assert not Declared._map_methods["joined"].only_create


def test_source_of_a_modifier_is_known():
    """
    The source field of a modifier is found in its closure or its attribute, however nested.
    """

    def own(field):
        def modifier(mapper, record, to_attr):
            return record[field]

        return modifier

    class Marked:
        field = "marked"

        def __call__(self, mapper, record, to_attr):
            return record["marked"]

    class PartnerMapper(ImportMapper):
        direct = [(none(convert("a", int)), "x"), (own("b"), "y"), (Marked(), "z")]

    assert PartnerMapper._changed_by_fields == {"a", "b", "marked"}
    with pytest.raises(MappingDefinitionError, match="does not say which source field"):
        type("Broken", (ImportMapper,), {"direct": [(lambda m, r, t: 1, "x")]})


def test_modifiers_of_plain_values(connector_env):
    """
    none, convert, normalize_datetime and follow_m2o_relations give what they promise.
    """

    class PartnerMapper(ImportMapper):
        direct = [
            (none("empty"), "empty"),
            (convert("number", float), "number"),
            (convert("zero", str), "zero"),
            (none(convert("zero", str)), "nested"),
            (normalize_datetime("moment"), "moment"),
            (normalize_datetime("never"), "never"),
        ]

    source = {
        "empty": "",
        "number": "1.5",
        "zero": 0,
        "moment": "2026-11-21T10:00:00+02:00",
        "never": "0000-00-00 00:00:00",
    }

    assert PartnerMapper(connector_env).map_record(source).values() == {
        "empty": None,
        "number": 1.5,
        "zero": False,
        "nested": None,
        "moment": datetime(2026, 11, 21, 8),
        "never": None,
    }
    record = SimpleNamespace(partner=SimpleNamespace(country=SimpleNamespace(code="SE")))
    assert follow_m2o_relations("partner.country.code")(None, record, "code") == "SE"


def test_missing_source_of_a_modifier_is_named(connector_env):
    """
    A record without the field that a modifier reads is an error naming field and target.
    """

    class PartnerMapper(ImportMapper):
        direct = [(convert("birth", str), "birthday")]

    with pytest.raises(MissingSourceFieldError, match="no field 'birth'.*'birthday'"):
        PartnerMapper(connector_env).map_record({}).values()


@pytest.mark.parametrize(
    ("external_id", "expected"), [(7, 17), (0, 10), (None, False), ("", False)]
)
def test_external_id_becomes_a_many2one(
    connector_env, model, category_binder, external_id, expected
):
    """
    An external id, zero included, is replaced by the record it is bound to.
    """

    class PartnerMapper(ImportMapper):
        direct = [("category", "category_id")]

    mapper = PartnerMapper(connector_env)

    assert mapper.map_record({"category": external_id}).values() == {"category_id": expected}


def test_unbound_many2one_is_an_error(connector_env, model, category_binder):
    """
    An id that is not bound is an error, unless its record is being imported right now.
    """

    class PartnerMapper(ImportMapper):
        direct = [(backend_to_m2o("category", binding="shop.category"), "category_id")]

    map_record = PartnerMapper(connector_env).map_record({"category": 9})

    with pytest.raises(MappingError, match="9 of 'category_id' is not bound in 'shop.category'"):
        map_record.values()
    assert map_record.values(unfinished={("shop.category", "9")}) == {"category_id": False}
    assert category_binder.asked[-1] == (9, True)


def test_many2one_modifier_needs_a_many2one(connector_env, model):
    """
    A many2one modifier on another field is an error of the mapper, a ValueError for old code.
    """
    mapper = ImportMapper(connector_env)

    with pytest.raises(ValueError, match="'name' of 'shop.partner' is no many2one"):
        backend_to_m2o("x")(mapper, {"x": 1}, "name")


def test_export_replaces_many2one_by_external_id(connector_env, model, category_binder):
    """
    Exporting gives the external id of a related record, and an error where it has none.
    """

    class PartnerMapper(ExportMapper):
        direct = [("name", "name"), ("category_id", "category")]

    mapper = PartnerMapper(connector_env)
    known = {"name": "", "category_id": SimpleNamespace(id=17)}
    unknown = {"name": "", "category_id": SimpleNamespace(id=18)}

    assert mapper.map_record(known).values() == {"name": False, "category": "7"}
    with pytest.raises(MappingError, match="has no external id"):
        mapper.map_record(unknown).values()
    with pytest.raises(MissingSourceFieldError):
        mapper.map_record({"name": "x"}).values()
    assert m2o_to_backend("category_id")(mapper, {"category_id": False}, "x") is False


def test_lines_are_mapped_with_the_mapper_of_their_model(connector_env, shop, model):
    """
    Lines without ids are mapped by their own mapper, know their parent, and are added.
    """

    class PartnerMapper(ImportMapper):
        direct = [("name", "name")]
        children = [("lines", "line_ids", "shop.line")]

    @shop
    class LineMapper(ImportMapper):
        _model_name = "shop.line"

        @mapping
        def text(self, record):
            return {"text": record["text"], "special": self.options.special}

    source = {"name": "ann", "lines": [{"text": "one"}, {"text": "two"}]}
    values = PartnerMapper(connector_env).map_record(source).values(special=1)

    assert values["line_ids"] == [
        (0, 0, {"text": "one", "special": 1}),
        (0, 0, {"text": "two", "special": 1}),
    ]


def test_missing_lines_are_named(connector_env, model):
    """
    A record without the field of its lines is an error.
    """

    class PartnerMapper(ImportMapper):
        children = [("lines", "line_ids", "shop.line")]

    with pytest.raises(MissingSourceFieldError, match="no field 'lines'"):
        PartnerMapper(connector_env).map_record({}).values()


def test_options_read_as_attributes():
    """
    An option is an attribute, also when a dict has a method of that name; others are None.
    """
    options = MapOptions(items=[1], fields=None)
    options.color = "red"

    assert options.items == [1]
    assert options.color == options["color"] == "red"
    assert options.unknown is None
    assert {**options} == {"items": [1], "fields": None, "color": "red"}


def test_definition_of_a_mapping_is_a_pair():
    """
    A definition is what 8.0 made of it: a pair that compares with sets.
    """

    class PartnerMapper(Mapper):
        @only_create
        @changed_by("name", "city")
        @mapping
        def name(self, record):
            return {}

    assert PartnerMapper._map_methods == {"name": MappingDefinition({"name", "city"}, True)}
    changed, create = PartnerMapper._map_methods["name"]
    assert (set(changed), create) == ({"name", "city"}, True)
    method = PartnerMapper.name
    assert (method.is_mapping, method.only_create) == (True, True)
    assert method.changed_by == {"name", "city"}


def test_options_named_like_methods_of_dict_reach_the_lines(connector_env, shop, model):
    """
    Options called `items` and `keys` are options for lines too, through a child of one's own.
    """

    class PartnerMapper(ImportMapper):
        children = [("lines", "line_ids", "shop.line")]

    @shop
    class LineMapper(ImportMapper):
        _model_name = "shop.line"

        @mapping
        def text(self, record):
            return {"seen": (self.options.items, self.options.keys, self.options.for_create)}

    values = (
        PartnerMapper(connector_env)
        .map_record({"lines": [{}]})
        .values(for_create=True, items=1, keys=2)
    )

    assert values == {"line_ids": [(0, 0, {"seen": (1, 2, True)})]}


def test_child_of_ones_own_keeps_the_environment(connector_env, shop, model, session):
    """
    A MapChild registered for the lines is used, in the environment's own class, with its hooks.
    """

    class Environment(ConnectorEnvironment):
        _propagate_kwargs = ["client"]
        client = "a client"

        def __init__(self, backend_record, session, model_name, client="a client"):
            super().__init__(backend_record, session, model_name)
            self.client = client

    class PartnerMapper(ImportMapper):
        children = [("lines", "line_ids", "shop.line")]

    @shop
    class LineChild(ImportMapChild):
        _model_name = "shop.line"

        def skip_item(self, map_record):
            return map_record.source["text"] == "skip"

        def skip_add_item(self, values):
            return values["text"] == "skip after"

        def get_item_values(self, map_record, to_attr, options):
            values = super().get_item_values(map_record, to_attr, options)
            parent = map_record.parent.source["name"]
            return {**values, "of": (to_attr, parent, self.connector_env.client)}

        def format_items(self, items_values):
            return [(5, 0, 0), *super().format_items(items_values)]

    @shop
    class LineMapper(ImportMapper):
        _model_name = "shop.line"

        @mapping
        def text(self, record):
            return {"text": record["text"]}

    environment = Environment(connector_env.backend_record, session, "shop.partner", client="own")
    lines = [{"text": text} for text in ("skip", "skip after", "kept")]
    values = PartnerMapper(environment).map_record({"name": "ann", "lines": lines}).values()

    kept = {"text": "kept", "of": ("line_ids", "ann", "own")}
    assert values == {"line_ids": [(5, 0, 0), (0, 0, kept)]}
    default = PartnerMapper(environment)._map_child_unit("shop.other")
    assert type(default) is ImportMapChild
    assert (type(default.connector_env), default.connector_env.client) == (Environment, "own")


def test_exported_lines_are_a_list(connector_env, shop, model):
    """
    Lines to export are mapped by an ExportMapper and stay a list; none are an empty one.
    """

    class PartnerMapper(ExportMapper):
        children = [("line_ids", "lines", "shop.line")]

    @shop
    class LineMapper(ExportMapper):
        _model_name = "shop.line"
        direct = [("text", "label")]

    mapper = PartnerMapper(connector_env)

    record = mapper.map_record({"line_ids": [{"text": "one"}]})
    assert record.values() == {"lines": [{"label": "one"}]}
    assert record.values(fields=["other"]) == {}
    assert mapper.map_record({"line_ids": False}).values() == {"lines": []}
