"""Customers there become partners here."""

import pytest
from connector.exception import InvalidDataError
from connector.session import ConnectorSession, Recordset
from connector.testing import FakeApi, trap_jobs
from connector.unit.batch import import_batch, import_record

MODEL = "new_connector.partner"


def import_all(session: ConnectorSession, backend: Recordset) -> None:
    with trap_jobs() as trap:
        import_batch.delay(session, MODEL, backend.id)
        trap.perform_enqueued_jobs(follow=True)


def test_all_customers_are_imported(session: ConnectorSession, backend: Recordset) -> None:
    """Each customer of all pages is bound to a partner, with its values."""
    import_all(session, backend)

    partners = session.env[MODEL].search([])
    assert sorted(int(partner.external_id) for partner in partners) == list(range(1, 13))
    first = partners.filtered(lambda partner: partner.external_id == "1")
    assert (first.name, first.email, first.city) == ("Customer 1", "1@example.com", False)


def test_a_second_import_makes_nothing_twice(
    session: ConnectorSession, backend: Recordset, api: FakeApi
) -> None:
    """What is known is updated where it has changed, and left alone where not."""
    import_all(session, backend)
    api.change("customers", 7, city="Biel")

    import_all(session, backend)

    partners = session.env[MODEL].search([])
    assert len(partners) == 12
    assert [partner.external_id for partner in partners if partner.city == "Biel"] == ["7"]


def test_a_customer_without_a_name_is_refused(
    session: ConnectorSession, backend: Recordset, api: FakeApi
) -> None:
    """The error names the customer, and nothing is written."""
    api.change("customers", 3, name="")

    with pytest.raises(InvalidDataError, match="customer 3 has no name"):
        import_record(session, MODEL, backend.id, 3)

    assert not session.env[MODEL].search([])
