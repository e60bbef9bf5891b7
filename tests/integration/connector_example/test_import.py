"""The example's import, and the check that judges it."""

from collections.abc import Callable
from typing import Any

from connector.session import ConnectorSession
from connector.unit.batch import import_record
from connector_example.demo.shop_process import ShopProcess
from connector_example.verify import QUERIES, differences

ImportAll = Callable[[], dict[str, dict[str, int]]]

#: One value of each table, changed as only a hand does it.
BY_HAND = {
    "genres": "UPDATE music_genre SET name = 'Rick' WHERE name = 'Rock'",
    "media_types": "UPDATE music_media_type SET name = name || ' ' WHERE name LIKE 'AAC%'",
    "artists": "UPDATE music_artist SET name = 'ACDC' WHERE name = 'AC/DC'",
    "albums": """
        UPDATE music_album SET artist_id = (SELECT max(id) FROM music_artist)
        WHERE name = 'Facelift'
    """,
    "tracks": "UPDATE music_track SET list_price = 0.98 WHERE name = 'Koyaanisqatsi'",
    "employees": "UPDATE hr_employee SET parent_id = NULL WHERE first_name = 'Laura'",
    "customers": "UPDATE res_partner SET fax = '' WHERE fax IS NULL AND last_name = 'Pareek'",
    "invoices": """
        UPDATE sale_invoice SET date_invoice = date_invoice + 1
        WHERE id = (SELECT openerp_id FROM shop_invoice WHERE external_id = '412')
    """,
    "invoice_lines": """
        UPDATE sale_invoice_line SET quantity = 2
        WHERE id = (SELECT openerp_id FROM shop_invoice_line WHERE external_id = '2240')
    """,
}


def test_every_record_is_imported_once_and_right(
    import_all: ImportAll, session: ConnectorSession, shop: ShopProcess, backend: Any
):
    """
    6,874 records are created; the check agrees, and finds any one value that a hand changes.
    """
    created = {model: outcomes["created"] for model, outcomes in import_all().items()}

    assert created == {
        "shop.genre": 25,
        "shop.media.type": 5,
        "shop.artist": 275,
        "shop.album": 347,
        "shop.track": 3503,
        "shop.employee": 8,
        "shop.customer": 59,
        "shop.invoice": 412,
        "shop.invoice.line": 2240,
    }
    dump = shop.dump()
    assert differences(session.cr, backend.id, dump) == []
    assert set(BY_HAND) == set(QUERIES)
    for table, statement in BY_HAND.items():
        session.cr.execute("SAVEPOINT by_hand")
        session.cr.execute(statement)
        assert session.cr.rowcount == 1, table
        assert [found.table for found in differences(session.cr, backend.id, dump)] == [table]
        session.cr.execute("ROLLBACK TO SAVEPOINT by_hand")


def test_a_second_import_writes_nothing_and_a_changed_shop_only_the_changes(
    import_all: ImportAll, session: ConnectorSession, shop: ShopProcess, backend: Any
):
    """
    Importing again leaves every record; 18 changes at the shop make 18 updates, lines included.
    """
    import_all()

    again = import_all()
    shop.change(18, seed=7)
    changed = import_all()

    assert {outcome for outcomes in again.values() for outcome in outcomes} == {"unchanged"}
    assert sum(outcomes.get("updated", 0) for outcomes in changed.values()) == 18
    assert {outcomes.get("updated") for outcomes in changed.values()} == {2}
    assert differences(session.cr, backend.id, shop.dump()) == []


def test_a_track_brings_what_it_needs(session: ConnectorSession, backend: Any):
    """
    One track alone is imported with its album, the album's artist, its genre and its media type.
    """
    result = import_record(session, "shop.track", backend.id, 1)

    assert result["counts"] == {
        model: {"created": 1}
        for model in ["shop.album", "shop.artist", "shop.genre", "shop.media.type", "shop.track"]
    }
    (track,) = session.env["shop.track"].search([])
    assert track.album_id.artist_id.name == "AC/DC"


def test_an_employee_brings_all_above_him(session: ConnectorSession, backend: Any):
    """
    Importing a leaf of the tree imports its way up to the root, and nobody else.
    """
    import_record(session, "shop.employee", backend.id, 8)

    names = []
    employee = session.env["shop.employee"].search([("external_id", "=", "8")]).openerp_id
    while employee:
        names.append(employee.first_name)
        employee = employee.parent_id
    assert names == ["Laura", "Michael", "Andrew"]
    assert session.env["shop.employee"].search_count([]) == 3


def test_a_lost_and_a_surplus_binding_are_found(session: ConnectorSession, backend: Any):
    """
    A record of the shop without a binding, and a binding without a record, are both differences.
    """
    session.env["shop.genre"].create(
        {"backend_id": backend.id, "external_id": "99", "name": "Mambo"}
    )
    session.env.cr.execute("SELECT 1")  # a look at the database sends what waits
    dump: dict[str, Any] = {table: [] for table in QUERIES}
    dump["genres"] = [{"id": 1, "name": "Rock"}]

    found = [str(finding) for finding in differences(session.cr, backend.id, dump)]

    assert found == ["genres 1: bound 0 times", "genres 99: bound, but unknown to the shop"]


def test_a_line_that_moves_at_the_shop_moves_here(session: ConnectorSession, backend: Any):
    """
    A shop's line written to another of its invoices is a line of the invoice bound to that one.
    """
    import_record(session, "shop.invoice", backend.id, 1)
    import_record(session, "shop.invoice", backend.id, 2)
    one, other = session.env["shop.invoice"].search([], order="external_id")
    line = one.shop_line_ids[0]
    count = len(other.line_ids)

    line.write({"shop_invoice_id": other.id, "quantity": 7})
    line.write({"quantity": 8})

    assert (line.invoice_id, line.openerp_id.invoice_id) == (other.openerp_id, other.openerp_id)
    assert len(other.line_ids) == count + 1
    assert line.openerp_id not in one.line_ids
    assert line.quantity == 8
