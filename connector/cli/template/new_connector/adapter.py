"""How to talk to the other system: one class for each kind of its records."""

from connector.unit.backend_adapter import LostAnswer
from connector.unit.http_adapter import HttpAdapter

from new_connector.backend import backend


@backend
class PartnerAdapter(HttpAdapter):
    """Customers, at `<location>/customers`."""

    _model_name = "new_connector.partner"
    _path = "customers"
    # How to find out whether a create whose answer was lost has been taken; without a way the
    # exporter asks a person.
    _lost_answer = LostAnswer.IDEMPOTENCY_KEY
