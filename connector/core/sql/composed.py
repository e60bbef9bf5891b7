"""Statements put together from parts: identifiers are composed, values never formatted in."""

from psycopg2.extensions import quote_ident
from psycopg2.extras import Json
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

__all__ = [
    "SQL",
    "Composable",
    "Composed",
    "Identifier",
    "Json",
    "Literal",
    "Placeholder",
    "quote_ident",
]
