"""What is kept here: the record of the other system, and a binding for each of its customers."""

from new_connector.models import backend_record, partner

__all__ = ["backend_record", "partner"]
