"""What an adapter that reads keeps to."""

from __future__ import annotations

import json
from datetime import timedelta

from connector.connector import external_key
from connector.exception import IDMissingInBackend
from connector.testing.contract.capability import Capability, needs
from connector.testing.contract.subject import AdapterUnderTest
from connector.unit.backend_adapter import CRUDAdapter


class ReadingContract(AdapterUnderTest):
    """Ids, records, pages, and what changed since a moment."""

    @needs(Capability.SEARCH)
    def test_search_gives_ids(self, adapter: CRUDAdapter) -> None:
        """An id is a number or a text that is not empty, of one type, and none comes twice."""
        ids = self._ids(adapter)

        assert len({type(each) for each in ids}) == 1, "search() gives ids of several types."
        keys = [external_key(each) for each in ids]
        twice = {key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else ()
        assert not twice, f"search() gives these ids more than once: {sorted(twice)[:5]}"

    @needs(Capability.SEARCH, Capability.READ)
    def test_read_gives_the_record_of_the_id(self, adapter: CRUDAdapter) -> None:
        """`read` gives the record that was asked for, and its id can be taken from it."""
        for external_id in self._ids(adapter)[:3]:
            record = adapter.read(external_id)
            found = external_key(adapter.external_id_of(record))
            assert found == external_key(external_id), f"read({external_id!r}) gives {found!r}."

    @needs(Capability.SEARCH, Capability.READ)
    def test_read_takes_the_id_as_text(self, adapter: CRUDAdapter) -> None:
        """Bindings keep ids as text, so `read` takes them so."""
        external_id = self._ids(adapter)[0]

        self._assert_same(adapter.read(str(external_id)), adapter.read(external_id))

    @needs(Capability.READ)
    def test_read_of_an_unknown_id_is_missing(self, adapter: CRUDAdapter) -> None:
        """A record that is not there is told by `IDMissingInBackend`."""
        with self._raises(IDMissingInBackend, "read() of an unknown id"):
            adapter.read(self.unknown_id())

    @needs(Capability.SEARCH, Capability.READ, Capability.READ_MANY)
    def test_read_many_gives_the_records_of_the_ids(self, adapter: CRUDAdapter) -> None:
        """`read_many` gives exactly the records asked for, as `read` does; none for none."""
        ids = self._ids(adapter)[:3]
        found = {
            external_key(adapter.external_id_of(each)): each for each in adapter.read_many(ids)
        }

        assert set(found) == set(map(external_key, ids)), "read_many() gives other records."
        for external_id in ids:
            self._assert_same(found[external_key(external_id)], adapter.read(external_id))
        assert not list(adapter.read_many([])), "read_many([]) gives records."

    @needs(Capability.SEARCH, Capability.READ, Capability.SEARCH_READ)
    def test_search_read_gives_whole_records(self, adapter: CRUDAdapter) -> None:
        """What a listing brings is imported as it is, so it is what `read` gives."""
        records = list(adapter.search_read())

        keys = [external_key(adapter.external_id_of(each)) for each in records]
        assert sorted(keys) == sorted(map(external_key, self._ids(adapter))), (
            "search_read() gives the records of other ids than search()."
        )
        for record in records[:3]:
            self._assert_same(record, adapter.read(adapter.external_id_of(record)))

    @needs(Capability.SEARCH, Capability.PAGES)
    def test_pages_bring_every_record_once(self, adapter: CRUDAdapter) -> None:
        """Page by page, each record of the listing comes exactly once, and there is an end."""
        pages = self._pages(adapter)
        keys = [
            external_key(adapter.external_id_of(record))
            for page in pages
            for record in page.records
        ]

        assert len(pages) > 1, "One page has all records. Test with more, or with smaller pages."
        assert len(set(keys)) == len(keys), "A record comes on two pages."
        assert set(keys) == set(map(external_key, self._ids(adapter))), (
            "The pages bring other records than search()."
        )

    @needs(Capability.READ, Capability.PAGES)
    def test_pages_bring_whole_records(self, adapter: CRUDAdapter) -> None:
        """What a page brings is imported as it is, so it is what `read` gives."""
        for page in self._pages(adapter)[:2]:
            for record in page.records[:2]:
                self._assert_same(record, adapter.read(adapter.external_id_of(record)))

    @needs(Capability.PAGES)
    def test_the_next_page_is_read_by_another_job(self, adapter: CRUDAdapter) -> None:
        """Where the next page is travels as JSON, and another adapter goes on from there."""
        first = adapter.search_page()
        assert first.next is not None, "One page has all records. Test with smaller pages."
        link = json.loads(json.dumps(first.next))

        found = type(adapter)(adapter.connector_env).search_page(None, link)

        assert link == first.next, f"The next page {first.next!r} does not survive JSON."
        assert found.records, "The second page is empty."
        again = self._keys(adapter, found) & self._keys(adapter, first)
        assert not again, f"Another adapter does not go on: it gives again {sorted(again)[:5]}"

    @needs(Capability.SINCE)
    def test_every_record_tells_when_it_changed(self, adapter: CRUDAdapter) -> None:
        """The field that an incremental import goes by holds a time in every record."""
        for record in self._listed(adapter, None):
            self._changed_at(adapter, record)

    @needs(Capability.READ, Capability.SINCE)
    def test_a_change_is_listed_since(self, adapter: CRUDAdapter) -> None:
        """A changed record tells a later time, and is listed since any moment before it."""
        before = max(self._listed(adapter, None), key=lambda each: self._changed_at(adapter, each))
        external_id = adapter.external_id_of(before)

        self.change_elsewhere(adapter, external_id)

        then = self._changed_at(adapter, before)
        now = self._changed_at(adapter, adapter.read(external_id))
        assert now > then, f"A change at the backend leaves {adapter._updated_at_field} as it was."
        since = min(then, now - timedelta(seconds=1))
        found = [adapter.external_id_of(each) for each in self._listed(adapter, since)]
        assert external_id in found, "A record that changed is not listed since before its change."

    @needs(Capability.SINCE)
    def test_what_is_older_is_not_listed_since(self, adapter: CRUDAdapter) -> None:
        """Since a moment after all changes nothing is listed."""
        newest = max(self._changed_at(adapter, each) for each in self._listed(adapter, None))

        found = self._listed(adapter, newest + timedelta(days=1))

        assert not found, f"{len(found)} records are listed since a day after the newest."
