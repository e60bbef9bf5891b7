"""Tables and columns: asked for and made. The face of `constraints` too."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from connector.core.sql.constraints import (
    MAX_NAME_LENGTH,
    ForeignKey,
    add_constraint,
    add_foreign_key,
    alter,
    constraint_definitions,
    create_index,
    create_sequence,
    drop_constraint,
    drop_index,
    foreign_keys,
    index_names,
    own_constraints,
    short_name,
)
from connector.core.sql.cursor import Cursor

__all__ = [
    "MAX_NAME_LENGTH",
    "SAFE_TYPE_CHANGES",
    "Column",
    "ForeignKey",
    "add_column",
    "add_columns",
    "add_constraint",
    "add_foreign_key",
    "column_exists",
    "comment_on_column",
    "comment_on_table",
    "constraint_definitions",
    "convert_column",
    "copy_column_aside",
    "create_index",
    "create_relation_table",
    "create_sequence",
    "create_table",
    "drop_column",
    "drop_constraint",
    "drop_index",
    "drop_not_null",
    "drop_table",
    "existing_tables",
    "foreign_keys",
    "index_names",
    "move_column_aside",
    "own_constraints",
    "rename_column",
    "set_not_null",
    "short_name",
    "table_columns",
    "table_exists",
]

#: types a column may change to in place, without a value that cannot follow
SAFE_TYPE_CHANGES = frozenset({
    ("bool", "int4"), ("int2", "int4"), ("int4", "int8"), ("int4", "numeric"),
    ("int4", "float8"), ("int8", "numeric"), ("float4", "float8"), ("float8", "numeric"),
    ("numeric", "float8"), ("varchar", "text"), ("text", "varchar"), ("bpchar", "varchar"),
    ("bpchar", "text"), ("int4", "varchar"), ("int4", "text"), ("date", "timestamp"),
    ("json", "jsonb"), ("jsonb", "json"), ("text", "jsonb"),
})  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column as PostgreSQL's catalogue describes it."""

    name: str
    #: the short name of the type: int4, varchar, timestamp
    type: str
    #: the limit of a varchar
    size: int | None
    nullable: bool
    #: (precision, scale) of a numeric
    digits: tuple[int, int] | None = None


def existing_tables(cr: Cursor, names: Sequence[str]) -> set[str]:
    """Those of *names* that are tables or views of this database."""
    cr.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'v', 'm', 'p', 'f')"
        " AND n.nspname = current_schema()",
        (list(names),),
    )
    return {name for (name,) in cr.fetchall()}


def table_exists(cr: Cursor, table: str) -> bool:
    return table in existing_tables(cr, [table])


def create_table(
    cr: Cursor,
    table: str,
    comment: str | None = None,
    columns: Sequence[tuple[str, str]] = (),
) -> None:
    """Make a table with a serial `id` and the *columns*, pairs of name and SQL type."""
    parts: list[Composable] = [SQL("id SERIAL PRIMARY KEY")]
    parts += [_column_definition(name, column_type) for name, column_type in columns]
    cr.execute(SQL("CREATE TABLE {} ({})").format(Identifier(table), SQL(", ").join(parts)))
    if comment:
        comment_on_table(cr, table, comment)


def create_relation_table(
    cr: Cursor, table: str, column1: str, column2: str, comment: str | None = None
) -> None:
    """Make the table of a many2many field: two ids, each pair once, quick from both sides."""
    names = {"table": Identifier(table), "one": Identifier(column1), "two": Identifier(column2)}
    cr.execute(
        SQL(
            "CREATE TABLE {table} ({one} int4 NOT NULL, {two} int4 NOT NULL,"
            " PRIMARY KEY ({one}, {two}))"
        ).format(**names)
    )
    create_index(cr, f"{table}_{column2}_{column1}_index", table, [column2, column1])
    if comment:
        comment_on_table(cr, table, comment)


def drop_table(cr: Cursor, table: str) -> None:
    cr.execute(SQL("DROP TABLE IF EXISTS {} CASCADE").format(Identifier(table)))


def comment_on_table(cr: Cursor, table: str, comment: str) -> None:
    cr.execute(SQL("COMMENT ON TABLE {} IS {}").format(Identifier(table), Literal(comment)))


def table_columns(cr: Cursor, table: str) -> dict[str, Column]:
    """The columns of a table, by name, in their order."""
    cr.execute(
        "SELECT column_name, udt_name, character_maximum_length, is_nullable = 'YES',"
        " numeric_precision, numeric_scale"
        " FROM information_schema.columns"
        " WHERE table_name = %s AND table_schema = current_schema() ORDER BY ordinal_position",
        (table,),
    )
    return {
        name: Column(
            name,
            column_type,
            size,
            nullable,
            (precision, scale) if column_type == "numeric" and precision is not None else None,
        )
        for name, column_type, size, nullable, precision, scale in cr.fetchall()
    }


def column_exists(cr: Cursor, table: str, column: str) -> bool:
    return column in table_columns(cr, table)


def add_column(
    cr: Cursor, table: str, column: str, column_type: str, comment: str | None = None
) -> None:
    add_columns(cr, table, [(column, column_type)])
    if comment:
        comment_on_column(cr, table, column, comment)


def add_columns(cr: Cursor, table: str, columns: Sequence[tuple[str, str]]) -> None:
    """Add several columns, pairs of name and SQL type, in one statement."""
    if columns:
        parts = [SQL("ADD COLUMN ") + _column_definition(*column) for column in columns]
        alter(cr, table, SQL(", ").join(parts))


def drop_column(cr: Cursor, table: str, column: str) -> None:
    alter(cr, table, SQL("DROP COLUMN IF EXISTS {} CASCADE").format(Identifier(column)))


def comment_on_column(cr: Cursor, table: str, column: str, comment: str) -> None:
    cr.execute(
        SQL("COMMENT ON COLUMN {}.{} IS {}").format(
            Identifier(table), Identifier(column), Literal(comment)
        )
    )


def rename_column(cr: Cursor, table: str, old: str, new: str) -> None:
    alter(cr, table, SQL("RENAME COLUMN {} TO {}").format(Identifier(old), Identifier(new)))


def set_not_null(cr: Cursor, table: str, column: str) -> None:
    """Raises IntegrityError where a row has no value."""
    alter(cr, table, SQL("ALTER COLUMN {} SET NOT NULL").format(Identifier(column)))


def drop_not_null(cr: Cursor, table: str, column: str) -> None:
    alter(cr, table, SQL("ALTER COLUMN {} DROP NOT NULL").format(Identifier(column)))


def convert_column(
    cr: Cursor, table: str, column: str, column_type: str, value: str | None = None
) -> None:
    """Change the type in place, by a cast of every value, or of *value* with the column as {0}."""
    col, to = Identifier(column), SQL(column_type)
    using = SQL(value or "{0}").format(col)
    alter(
        cr,
        table,
        SQL(
            "ALTER COLUMN {col} DROP DEFAULT, ALTER COLUMN {col} TYPE {to} USING ({using})::{to}"
        ).format(col=col, to=to, using=using),
    )


def move_column_aside(cr: Cursor, table: str, column: str) -> str:
    """Keep the old values under the first free name `<column>_moved<n>`; returns that name."""
    moved = _name_aside(cr, table, column)
    rename_column(cr, table, column, moved)
    drop_not_null(cr, table, moved)
    return moved


def copy_column_aside(cr: Cursor, table: str, column: str) -> str:
    """Keep a copy of the values under such a name; returns it."""
    copy = _name_aside(cr, table, column)
    add_columns(cr, table, [(copy, table_columns(cr, table)[column].type)])
    cr.execute(
        SQL("UPDATE {} SET {} = {}").format(Identifier(table), Identifier(copy), Identifier(column))
    )
    return copy


def _name_aside(cr: Cursor, table: str, column: str) -> str:
    present = table_columns(cr, table)
    number = next(n for n in range(len(present) + 1) if f"{column}_moved{n}" not in present)
    return f"{column}_moved{number}"


def _column_definition(name: str, column_type: str) -> Composed:
    return SQL("{} {}").format(Identifier(name), SQL(column_type))
