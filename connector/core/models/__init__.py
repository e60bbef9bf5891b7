"""
Models: classes whose objects are sets of records.

Each module adds one ability; the classes form a chain, and the last is what addons derive from.

    Recordset > Setup > Reading > Keys > Searching > Checking > Writing > Linking > Deleting
    Deleting > Creating > Computing > Access > Tables > Onchange
    Onchange > BaseModel > AbstractModel > Model > TransientModel
"""

from connector.core.fields.new_id import NewId
from connector.core.models.base import AbstractModel, BaseModel, Model, TransientModel
from connector.core.models.cache import Transaction
from connector.core.models.meta import MetaModel
from connector.core.models.recordset import Recordset

__all__ = [
    "AbstractModel",
    "BaseModel",
    "MetaModel",
    "Model",
    "NewId",
    "Recordset",
    "Transaction",
    "TransientModel",
]
