"""`connector explain` as its user has it: the example, its shop, and what goes wrong."""

import pytest

from connector_example.demo.shop_process import ShopProcess

pytestmark = pytest.mark.addons("connector", "connector_example")


@pytest.fixture
def explain(connector, database):
    """Runs `connector explain Chinook …` in a database whose backend is *shop*."""

    def run(shop, *arguments):
        values = {"name": "Chinook", "version": "1.0", "token": shop.token}
        with database.env() as env:
            backends = env["shop.backend"].search([])
            location = f"{shop.url}/api/v1"
            if backends:
                backends.write({"location": location, "token": shop.token})
            else:
                env["shop.backend"].create({**values, "location": location})
        return connector("-d", database.name, "explain", *arguments)

    return run


def test_units_fields_and_values_are_explained(explain, database):
    """
    A record is told field by field before and after what it needs is bound; nothing is written.
    """
    with ShopProcess() as shop:
        declared = explain(shop, "Chinook", "shop.customer")
        unbound = explain(shop, "Chinook", "shop.customer", "1")
        genre = explain(shop, "Chinook", "shop.genre", "1")
        missing = explain(shop, "Chinook", "shop.customer", "999999")
    down = explain(shop, "Chinook", "shop.customer", "1")

    assert declared.returncode == 0
    lines = declared.stdout.splitlines()
    assert lines[0].endswith(": Backend('shop', '1.0'), then Backend('shop')")
    assert "    connector_example.mapper.CustomerMapper on Backend('shop'): chosen" in lines
    [pair] = [line for line in lines if line.startswith("    zip <- ")]
    assert pair.startswith("    zip <- postalcode, direct  ")
    source = pair.split("  ")[-1].partition(":")
    with open(source[0]) as file:
        assert file.readlines()[int(source[2]) - 1].strip() == '("postalcode", "zip"),'
    assert "Fields of an export:" in lines

    assert unbound.returncode == 1
    assert "    city = 'São José dos Campos' <- city, direct" in unbound.stdout
    assert "    support_employee_id: MappingError: The external id 3 of" in unbound.stdout
    assert unbound.stderr == "1 field of '1' cannot be mapped.\n"
    assert (genre.returncode, genre.stderr) == (0, "")
    assert "    name = 'Rock' <- name, direct" in genre.stdout

    assert missing.returncode == down.returncode == 1
    assert "customers/999999 has no such record (404)" in missing.stderr
    assert "Check that the backend runs and that its location is right." in down.stderr
    assert "CustomerMapper on Backend('shop'): chosen" in down.stdout
    for answer in (declared, unbound, genre, missing, down):
        assert "Traceback" not in answer.stderr
        assert shop.token not in answer.stdout + answer.stderr
    with database.env() as env:
        assert not env["shop.genre"].search([])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Nowhere", "shop.customer"), "0 backends are called 'Nowhere'"),
        (("Chinook", "shop.customr"), "are: shop.album, shop.artist, shop.customer"),
        (("Chinook", "res.partner", "1"), "No ImportMapper for 'res.partner' on Backend('shop'"),
        (("Chinook", "shop.customer", ""), "'' is no external id"),
    ],
)
def test_what_is_not_there_is_named(explain, arguments, said):
    """
    An unknown backend, model or id is an error that names what there is.
    """
    answer = explain(ShopProcess(url="http://127.0.0.1:9"), *arguments)

    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
