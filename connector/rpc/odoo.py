"""
The friendly faces of the external API: `Odoo`, and `AsyncOdoo` for event loops.

They log in when first needed, put the default context under each call, send again what is
safe to send again, and keep a bounded number of calls in flight.
"""

from connector.rpc.aio_odoo import AsyncOdoo
from connector.rpc.conversation import Retries
from connector.rpc.sync_odoo import Odoo

__all__ = ["AsyncOdoo", "Odoo", "Retries"]
