"""Constraints, foreign keys, indexes and sequences: asked for and made."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Identifier, Literal

from connector.core.sql.cursor import Cursor

#: PostgreSQL cuts longer names off
MAX_NAME_LENGTH = 63


def short_name(name: str) -> str:
    """*name*, or where PostgreSQL would cut it off, its beginning and a digest of the whole."""
    if len(name.encode()) <= MAX_NAME_LENGTH:
        return name
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8]
    head = name.encode()[: MAX_NAME_LENGTH - 9].decode(errors="ignore")
    return f"{head}_{digest}"


def alter(cr: Cursor, table: str, change: Composable) -> None:
    """Send an ALTER TABLE."""
    cr.execute(SQL("ALTER TABLE {} ").format(Identifier(table)) + change)


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


def own_constraints(cr: Cursor, table: str) -> set[str]:
    """The constraints of a table that `add_constraint` made: those with their definition kept."""
    cr.execute(
        "SELECT c.conname FROM pg_constraint c WHERE c.conrelid = to_regclass(%s)"
        " AND c.contype IN ('c', 'u', 'x') AND obj_description(c.oid, 'pg_constraint') <> ''",
        (f'"{table}"',),
    )
    return {name for (name,) in cr.fetchall()}


def add_constraint(cr: Cursor, table: str, name: str, definition: str) -> None:
    """Add a constraint; raises IntegrityError where the rows break it already."""
    names = (Identifier(table), Identifier(name))
    # The definition is code of a model, as `_sql_constraints` declares it.
    alter(
        cr, table, SQL("ADD CONSTRAINT {} {}").format(names[1], SQL(definition.replace("%", "%%")))
    )
    cr.execute(
        SQL("COMMENT ON CONSTRAINT {} ON {} IS {}").format(names[1], names[0], Literal(definition))
    )


def drop_constraint(cr: Cursor, table: str, name: str) -> None:
    alter(cr, table, SQL("DROP CONSTRAINT IF EXISTS {} CASCADE").format(Identifier(name)))


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
    alter(
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
