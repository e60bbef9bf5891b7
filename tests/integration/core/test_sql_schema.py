"""Tables, constraints and indexes on a real server."""

import pytest

from connector.core import sql
from connector.core.sql import errors, schema


@pytest.fixture
def cr(empty_database):
    with sql.connect(empty_database).cursor() as cr:
        schema.create_table(cr, "thing", "Things", [("name", "varchar(5)"), ("n", "numeric(6,2)")])
        yield cr


def test_columns(cr):
    """
    Columns are described with type, size, digits and whether they may be empty.
    """
    schema.add_column(cr, "thing", "extra", "int4", "An extra")
    schema.set_not_null(cr, "thing", "extra")
    columns = schema.table_columns(cr, "thing")
    assert list(columns) == ["id", "name", "n", "extra"]
    assert columns["name"] == schema.Column("name", "varchar", 5, True)
    assert columns["n"].digits == (6, 2)
    assert not columns["extra"].nullable
    schema.drop_not_null(cr, "thing", "extra")
    schema.drop_column(cr, "thing", "extra")
    assert not schema.column_exists(cr, "thing", "extra")


def test_type_in_place(cr):
    """
    A column changes its type with its values.
    """
    cr.execute("INSERT INTO thing (name, n) VALUES ('a', 1.5)")
    schema.convert_column(cr, "thing", "n", "float8")
    cr.execute("SELECT n FROM thing")
    assert cr.fetchall() == [(1.5,)]
    assert schema.table_columns(cr, "thing")["n"].type == "float8"


def test_column_moved_aside(cr):
    """
    A column that cannot change keeps its values under the first free name.
    """
    assert schema.move_column_aside(cr, "thing", "name") == "name_moved0"
    schema.add_column(cr, "thing", "name", "int4")
    assert schema.move_column_aside(cr, "thing", "name") == "name_moved1"


def test_constraints(cr):
    """
    A constraint is known by the text that made it, percent signs and quotes included.
    """
    definition = "CHECK (name NOT LIKE '%''x%')"
    schema.add_constraint(cr, "thing", "thing_name", definition)
    assert schema.constraint_definitions(cr, "thing")["thing_name"] == definition
    with pytest.raises(errors.CheckViolation), cr.savepoint():
        cr.execute("INSERT INTO thing (name) VALUES ('''x')")
    schema.drop_constraint(cr, "thing", "thing_name")
    assert "thing_name" not in schema.constraint_definitions(cr, "thing")


def test_foreign_keys(cr):
    """
    A foreign key is made once, and replaced when it is to delete otherwise.
    """
    schema.create_table(cr, "part", columns=[("thing_id", "int4")])
    schema.add_foreign_key(cr, "part", "thing_id", "thing", "cascade")
    before = cr.statement_count
    schema.add_foreign_key(cr, "part", "thing_id", "thing", "cascade")
    assert cr.statement_count == before + 1
    schema.add_foreign_key(cr, "part", "thing_id", "thing", "set null")
    assert schema.foreign_keys(cr, "part")["thing_id"].on_delete == "set null"


def test_relation_table(cr):
    """
    A table of pairs holds each pair once.
    """
    schema.create_relation_table(cr, "pairs", "a_id", "b_id", "Pairs")
    cr.execute("INSERT INTO pairs VALUES (1, 2), (2, 1)")
    with pytest.raises(errors.UniqueViolation), cr.savepoint():
        cr.execute("INSERT INTO pairs VALUES (1, 2)")
    schema.drop_table(cr, "pairs")
    assert schema.existing_tables(cr, ["pairs", "thing"]) == {"thing"}


def test_long_names(cr):
    """
    Names that PostgreSQL would cut off stay distinct, and are found again.
    """
    long = "thing_" + "x" * 70
    assert schema.short_name(long + "a") != schema.short_name(long + "b")
    assert len(schema.short_name("é" * 40).encode()) <= schema.MAX_NAME_LENGTH
    for _ in range(2):
        schema.create_index(cr, long, "thing", ["name"], unique=True, where="name IS NOT NULL")
    assert schema.short_name(long) in schema.index_names(cr, "thing")
    schema.drop_index(cr, long)
    assert schema.short_name(long) not in schema.index_names(cr, "thing")
