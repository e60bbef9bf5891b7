"""Dependencies are read from a record by paths."""

import pytest

from connector.exception import InvalidExternalIdError
from connector.unit.dependency import Dependency, dependencies_in

RECORD = {
    "artist": 0,
    "genre": None,
    "lines": [{"track": 1}, {"track": 2}, {"track": "1"}, {}],
    "owner": {"id": "x"},
    "tags": [5, 6],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("artist", [0]),
        ("genre", []),
        ("missing", []),
        ("lines.track", [1, 2]),
        ("owner.id", ["x"]),
        ("tags", [5, 6]),
    ],
)
def test_path_gives_each_id_once(path, expected):
    """
    A path leads through dicts and lists; zero is an id, empty values are none.
    """
    found = dependencies_in(RECORD, [(path, "shop.thing")])

    assert list(found) == [Dependency("shop.thing", external_id) for external_id in expected]


def test_what_is_no_id_is_an_error():
    """
    A value that cannot be an id is refused where it stands.
    """
    with pytest.raises(InvalidExternalIdError):
        list(dependencies_in({"artist": 1.5}, [("artist", "shop.artist")]))
