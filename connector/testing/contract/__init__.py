"""
What every adapter keeps to, as tests: an author subclasses `AdapterContract` in a test module.

    class TestCustomerAdapter(AdapterContract):
        capabilities = {Capability.SEARCH, Capability.READ, Capability.ERRORS}

        @pytest.fixture
        def adapter(self, session, backend):
            return get_environment(session, "acme.customer", backend.id).get_connector_unit(
                CRUDAdapter
            )

A capability that is not declared is not tested, and the run says so: its tests are skipped with
that reason.  The tests change and delete only records that they have created, apart from the one
that `SINCE` changes.
"""

from connector.testing.contract.capability import Capability
from connector.testing.contract.failing import FailingContract
from connector.testing.contract.reading import ReadingContract
from connector.testing.contract.writing import WritingContract

__all__ = ["AdapterContract", "Capability"]


class AdapterContract(ReadingContract, WritingContract, FailingContract):
    """The tests; a subclass declares `capabilities`, gives an `adapter` and overrides hooks."""
