"""`test_openerp` under its later name."""

from connector.runtime.test_openerp import main

__all__ = ["main"]
