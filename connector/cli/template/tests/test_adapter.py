"""The adapter keeps to the contract of all adapters."""

from typing import Any

import pytest
from connector.connector import get_environment
from connector.session import ConnectorSession, Recordset
from connector.testing import AdapterContract, Capability
from connector.unit.backend_adapter import CRUDAdapter

MODEL = "new_connector.partner"


class TestPartnerAdapter(AdapterContract):
    """Take out of `capabilities` what your backend cannot do: it is not tested then."""

    capabilities = frozenset(Capability) - {Capability.FIND}

    @pytest.fixture
    def adapter(self, session: ConnectorSession, backend: Recordset) -> CRUDAdapter:
        environment = get_environment(session, MODEL, backend.id)
        return environment.get_connector_unit(CRUDAdapter)

    def new_record(self, number: int) -> dict[str, Any]:
        return {"name": f"New {number}", "email": f"new-{number}@example.com", "city": "Bern"}

    def changed_fields(self) -> dict[str, Any]:
        return {"city": "Biel"}

    def with_wrong_secret(self, adapter: CRUDAdapter) -> CRUDAdapter:
        other = adapter.backend_record.copy({"token": "wrong"})
        environment = get_environment(adapter.session, MODEL, other.id)
        return environment.get_connector_unit(CRUDAdapter)
