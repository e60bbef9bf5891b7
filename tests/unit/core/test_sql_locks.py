"""Keys of advisory locks."""

from hypothesis import given
from hypothesis import strategies as st

from connector.core.sql.locks import lock_key


@given(st.text())
def test_key_fits_into_a_bigint(name):
    """
    Every name has a key that PostgreSQL's bigint holds, the same each time.
    """
    assert -(2**63) <= lock_key(name) < 2**63
    assert lock_key(name) == lock_key(name)


def test_key_is_the_same_everywhere():
    """
    The key depends on the name alone: the first eight bytes that sha1sum prints for it.
    """
    assert lock_key("import_record:shop.backend:1:shop.partner:7") == -6912023921643095237
