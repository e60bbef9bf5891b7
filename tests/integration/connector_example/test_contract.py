"""The adapters of the example keep to the contract, at the shop itself."""

from typing import Any

import pytest

from connector.connector import get_environment
from connector.session import ConnectorSession
from connector.testing import AdapterContract, Capability
from connector.unit.backend_adapter import CRUDAdapter
from connector_example.demo.shop_process import ShopProcess


@pytest.fixture
def shop(mock_shop: ShopProcess) -> ShopProcess:
    """The shop that all tests share."""
    return mock_shop


class TestCustomerAdapter(AdapterContract):
    """Customers are read and written."""

    capabilities = frozenset(Capability) - {Capability.PAGES}  # 59 of them fit on one page

    @pytest.fixture
    def adapter(self, session: ConnectorSession, backend: Any) -> CRUDAdapter:
        environment = get_environment(session, "shop.customer", backend.id)
        return environment.get_connector_unit(CRUDAdapter)

    def new_record(self, number: int) -> dict[str, Any]:
        email = f"{number}@example.com"
        return {"firstname": "Ada", "lastname": f"The {number}.", "email": email, "support_rep": 3}

    def changed_fields(self) -> dict[str, Any]:
        return {"city": "Campinas", "fax": None}

    def with_wrong_secret(self, adapter: CRUDAdapter) -> CRUDAdapter:
        other = adapter.backend_record.copy({"token": "wrong"})
        environment = get_environment(adapter.session, "shop.customer", other.id)
        return environment.get_connector_unit(CRUDAdapter)


class TestArtistAdapter(TestCustomerAdapter):
    """Artists fill several pages; the example writes none."""

    capabilities = frozenset(
        {
            Capability.SEARCH,
            Capability.READ,
            Capability.READ_MANY,
            Capability.SEARCH_READ,
            Capability.PAGES,
            Capability.SINCE,
            Capability.ERRORS,
        }
    )

    @pytest.fixture
    def adapter(self, session: ConnectorSession, backend: Any) -> CRUDAdapter:
        environment = get_environment(session, "shop.artist", backend.id)
        return environment.get_connector_unit(CRUDAdapter)

    def changed_fields(self) -> dict[str, Any]:
        return {"name": "Somebody Else"}
