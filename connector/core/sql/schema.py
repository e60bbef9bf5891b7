"""Tables, columns, constraints, indexes: asked for and made, each statement safe to repeat."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal

from connector.core.sql.cursor import Cursor

#: PostgreSQL cuts longer names off
MAX_NAME_LENGTH = 63

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


def short_name(name: str) -> str:
    """*name*, or where PostgreSQL would cut it off, its beginning and a digest of the whole."""
    if len(name.encode()) <= MAX_NAME_LENGTH:
        return name
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8]
    head = name.encode()[: MAX_NAME_LENGTH - 9].decode(errors="ignore")
    return f"{head}_{digest}"


# -- tables and columns -----------------------------------------------------


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
        _alter(cr, table, SQL(", ").join(parts))


def drop_column(cr: Cursor, table: str, column: str) -> None:
    _alter(cr, table, SQL("DROP COLUMN IF EXISTS {} CASCADE").format(Identifier(column)))


def comment_on_column(cr: Cursor, table: str, column: str, comment: str) -> None:
    cr.execute(
        SQL("COMMENT ON COLUMN {}.{} IS {}").format(
            Identifier(table), Identifier(column), Literal(comment)
        )
    )


def rename_column(cr: Cursor, table: str, old: str, new: str) -> None:
    _alter(cr, table, SQL("RENAME COLUMN {} TO {}").format(Identifier(old), Identifier(new)))


def set_not_null(cr: Cursor, table: str, column: str) -> None:
    """Raises IntegrityError where a row has no value."""
    _alter(cr, table, SQL("ALTER COLUMN {} SET NOT NULL").format(Identifier(column)))


def drop_not_null(cr: Cursor, table: str, column: str) -> None:
    _alter(cr, table, SQL("ALTER COLUMN {} DROP NOT NULL").format(Identifier(column)))


def convert_column(cr: Cursor, table: str, column: str, column_type: str) -> None:
    """Change the type in place, by a cast of every value."""
    _alter(
        cr,
        table,
        SQL(
            "ALTER COLUMN {col} DROP DEFAULT, ALTER COLUMN {col} TYPE {to} USING {col}::{to}"
        ).format(col=Identifier(column), to=SQL(column_type)),
    )


def move_column_aside(cr: Cursor, table: str, column: str) -> str:
    """Keep the old values under the first free name `<column>_moved<n>`; returns that name."""
    present = table_columns(cr, table)
    number = next(n for n in range(len(present) + 1) if f"{column}_moved{n}" not in present)
    moved = f"{column}_moved{number}"
    rename_column(cr, table, column, moved)
    drop_not_null(cr, table, moved)
    return moved


def _alter(cr: Cursor, table: str, change: Composable) -> None:
    cr.execute(SQL("ALTER TABLE {} ").format(Identifier(table)) + change)


def _column_definition(name: str, column_type: str) -> Composed:
    return SQL("{} {}").format(Identifier(name), SQL(column_type))


# -- constraints ------------------------------------------------------------


def constraint_definitions(cr: Cursor, table: str) -> dict[str, str]:
    """
    The constraints of a table: name -> definition.

    That is the text `add_constraint` was given, which it keeps as the constraint's comment,
    else the text as PostgreSQL prints it.
    """
    cr.execute(
        "SELECT c.conname, COALESCE(obj_description(c.oid, 'pg_constraint'),"
        " pg_get_constraintdef(c.oid)) FROM pg_constraint c"
        " WHERE c.conrelid = to_regclass(%s)",
        (f'"{table}"',),
    )
    return dict(cr.fetchall())


def add_constraint(cr: Cursor, table: str, name: str, definition: str) -> None:
    """Add a constraint; raises IntegrityError where the rows break it already."""
    names = (Identifier(table), Identifier(name))
    # The definition is code of a model, as `_sql_constraints` declares it.
    _alter(
        cr, table, SQL("ADD CONSTRAINT {} {}").format(names[1], SQL(definition.replace("%", "%%")))
    )
    cr.execute(
        SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(names[1], names[0], Literal(definition))
    )


def drop_constraint(cr: Cursor, table: str, name: str) -> None:
    _alter(cr, table, SQL("DROP CONSTRAINT IF EXISTS {} CASCADE").format(Identifier(name)))


@dataclass(frozen=True)
class ForeignKey:
    name: str
    table: str
    column: str
    #: `cascade`, `restrict`, `set null` or `no action`
    on_delete: str


_ON_DELETE = {
    "a": "no action",
    "c": "cascade",
    "r": "restrict",
    "n": "set null",
    "d": "set default",
}


def foreign_keys(cr: Cursor, table: str) -> dict[str, ForeignKey]:
    """The foreign keys of a table, by the column they are on."""
    cr.execute(
        "SELECT a.attname, c.conname, f.relname, fa.attname, c.confdeltype::text"
        " FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " JOIN pg_class f ON f.oid = c.confrelid"
        " JOIN pg_attribute fa ON fa.attrelid = c.confrelid AND fa.attnum = c.confkey[1]"
        " WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.conrelid = to_regclass(%s)",
        (f'"{table}"',),
    )
    return {
        column: ForeignKey(name, other, other_column, _ON_DELETE[on_delete])
        for column, name, other, other_column, on_delete in cr.fetchall()
    }


def add_foreign_key(
    cr: Cursor, table: str, column: str, other: str, on_delete: str, other_column: str = "id"
) -> None:
    """Make *column* refer to another table; a key that differs is replaced."""
    name = short_name(f"{table}_{column}_fkey")
    present = foreign_keys(cr, table).get(column)
    wanted = ForeignKey(name, other, other_column, on_delete.lower())
    if present == wanted:
        return
    if present is not None:
        drop_constraint(cr, table, present.name)
    _alter(
        cr,
        table,
        SQL("ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {}").format(
            Identifier(name),
            Identifier(column),
            Identifier(other),
            Identifier(other_column),
            SQL(wanted.on_delete),
        ),
    )


# -- indexes and sequences --------------------------------------------------


def index_names(cr: Cursor, table: str) -> set[str]:
    cr.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = %s AND schemaname = current_schema()",
        (table,),
    )
    return {name for (name,) in cr.fetchall()}


def create_index(
    cr: Cursor,
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    where: str | None = None,
    method: str = "btree",
) -> None:
    """Make an index unless one of that name is there."""
    cr.execute(
        SQL("CREATE {}INDEX IF NOT EXISTS {} ON {} USING {} ({}){}").format(
            SQL("UNIQUE " if unique else ""),
            Identifier(short_name(name)),
            Identifier(table),
            SQL(method),
            SQL(", ").join(Identifier(column) for column in columns),
            SQL(f" WHERE {where}" if where else ""),
        )
    )


def drop_index(cr: Cursor, name: str) -> None:
    cr.execute(SQL("DROP INDEX IF EXISTS {}").format(Identifier(short_name(name))))


def create_sequence(cr: Cursor, name: str) -> None:
    """Make a sequence unless it is there."""
    cr.execute(SQL("CREATE SEQUENCE IF NOT EXISTS {}").format(Identifier(name)))
