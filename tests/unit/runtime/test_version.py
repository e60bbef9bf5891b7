"""Versions and their order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.runtime.session import OdooVersion, OpenERPVersion

RISING = [
    ["0", "4.2", "4.2.3.4", "5.0.0-alpha", "5.0.0-rc1", "5.0.0-rc1.1", "5.0.0_rc2", "5.0.0_rc3",
     "5.0.0"],
    ["5.0.0-0_rc3", "5.0.0-1dev", "5.0.0-1"],
    ["1.0dev", "1.0alpha", "1.0beta", "1.0c1", "1.0", "1.0-1", "1.0.1"],
    ["9.0", "10.0", "20260101", "202601011200"],
]  # fmt: skip


@pytest.mark.parametrize("series", RISING)
def test_versions_rise(series):
    """Each version of a series is below all that follow it, in every comparison."""
    for low, high in itertools.combinations(map(OpenERPVersion, series), 2):
        assert low < high
        assert low <= high
        assert high > low
        assert high >= low
        assert low != high


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2.4.0", "2.4"),
        ("1.0-preview1", "1.0rc1"),
        ("1.0-pre1", "1.0c1"),
        ("8.0-SAAS~3", "8.0-3"),
        ("1.0_1", "1.0-1"),
        (" 8.0 ", "8.0"),
    ],
)
def test_spellings_of_one_version_are_equal(one, other):
    """Spellings that say the same are equal, and have one hash."""
    assert OpenERPVersion(one) == OpenERPVersion(other)
    assert hash(OpenERPVersion(one)) == hash(OpenERPVersion(other))


def test_components_are_padded_numbers_and_starred_words():
    """The order is decided by numbers of eight digits and by words behind a star."""
    assert OpenERPVersion("8.0-rc2").components == ("00000008", "*c", "00000002", "*final")
    assert OpenERPVersion("8.0-2").components == ("00000008", "*final-", "00000002", "*final")


def test_comparison_with_texts_and_tuples():
    """A version compares with a text and with a tuple of integers, from either side."""
    version = OpenERPVersion("1.2.3")

    assert version == "1.2.3"
    assert version == (1, 2, 3)
    assert version < "1.10"
    assert version > (1, 2)
    assert "1.0" < version <= (1, 2, 3)
    assert version != "1.2.4"


def test_comparison_with_another_librarys_version():
    """What is no text counts as its text."""

    class Other:
        def __str__(self):
            return "1.3"

    assert OpenERPVersion("1.2") < Other()


def test_none_is_no_version():
    """None equals no version, and cannot be ordered among them."""
    assert OpenERPVersion("0.1") != None  # noqa: E711 - the operator is what is tested
    with pytest.raises(TypeError):
        assert OpenERPVersion("0.1") > None


@pytest.mark.parametrize("empty", [None, "", " "])
def test_nothing_is_the_version_0_1(empty):
    """No text and an empty one stand for 0.1."""
    assert OpenERPVersion(empty) == "0.1"


def test_version_of_a_version_is_a_copy():
    """A version made of a version is equal to it."""
    version = OpenERPVersion("1.0")

    assert OpenERPVersion(version) == version
    assert str(OpenERPVersion(version)) == "1.0"


def test_alias_and_repr():
    """The later name is the same class; the text of the version is kept as written."""
    assert OdooVersion is OpenERPVersion
    assert repr(OpenERPVersion("1.0")) == "OpenERPVersion('1.0')"
    assert str(OpenERPVersion("1.0-RC1")) == "1.0-RC1"


texts = st.lists(
    st.sampled_from(["0", "1", "10", ".", "-", "_", "rc", "alpha", "dev", "saas", "~", "final"]),
    max_size=8,
).map("".join)


@given(texts, texts, texts)
def test_order_is_total(first, second, third):
    """Of any two versions one is lower or they are equal, and the order is transitive."""
    low, middle, high = sorted(map(OpenERPVersion, (first, second, third)))

    assert low <= middle <= high
    assert low <= high
    assert (low == high) == (not low < high)
    assert (low == high) == (hash(low) == hash(high))
