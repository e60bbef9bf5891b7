"""`start_openerp` under its later name."""

from connector.runtime.start_openerp import insert_args, main

__all__ = ["insert_args", "main"]
