"""
The types of fields, one module per family.

    Field
        Boolean, Integer, Float         numbers
        Char, Text, Html                text
        Date, Datetime                  time
        Selection, Reference            a choice
        Binary, Json (Serialized)       a document
        Id, Many2one, One2many, Many2many
"""

from connector.core.fields.base import MAGIC_FIELDS, Field
from connector.core.fields.choice import Reference, Selection
from connector.core.fields.content import Binary, Json, Serialized
from connector.core.fields.many2one import Id, LinkedIds, Many2one
from connector.core.fields.numeric import Boolean, Float, Integer
from connector.core.fields.temporal import DATE_FORMAT, DATETIME_FORMAT, Date, Datetime
from connector.core.fields.textual import Char, Html, Text
from connector.core.fields.x2many import Command, Many2many, One2many, X2many

__all__ = [
    "DATETIME_FORMAT",
    "DATE_FORMAT",
    "MAGIC_FIELDS",
    "Binary",
    "Boolean",
    "Char",
    "Command",
    "Date",
    "Datetime",
    "Field",
    "Float",
    "Html",
    "Id",
    "Integer",
    "Json",
    "LinkedIds",
    "Many2many",
    "Many2one",
    "One2many",
    "Reference",
    "Selection",
    "Serialized",
    "Text",
    "X2many",
]
