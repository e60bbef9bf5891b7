"""What an adapter that writes keeps to."""

from __future__ import annotations

from uuid import uuid4

from connector.connector import external_key
from connector.exception import IDMissingInBackend
from connector.testing.contract.capability import Capability, needs
from connector.testing.contract.subject import AdapterUnderTest
from connector.unit.backend_adapter import CRUDAdapter, LostAnswer


class WritingContract(AdapterUnderTest):
    """Creates, with keys and without, changes and deletions."""

    @needs(Capability.READ, Capability.CREATE)
    def test_create_makes_a_record_of_the_data(self, adapter: CRUDAdapter) -> None:
        """The new record has the data sent, and its id comes from the answer."""
        data = self.new_record(1)
        external_id = self._created(adapter, data)

        self._assert_has(adapter.read(external_id), self.stored(data))

    @needs(Capability.SEARCH, Capability.CREATE)
    def test_each_create_makes_one_record(self, adapter: CRUDAdapter) -> None:
        """Two creates make two records more, which are listed."""
        before = set(map(external_key, self._ids(adapter)))

        made = [external_key(self._created(adapter, self.new_record(each))) for each in (1, 2)]

        after = set(map(external_key, self._ids(adapter)))
        assert len(set(made)) == 2, f"Two creates answered the ids {made}."
        assert after - before == set(made), (
            f"Two creates answered {made}; new in the listing are {sorted(after - before)}."
        )

    @needs(Capability.SEARCH, Capability.IDEMPOTENT_CREATE)
    def test_one_key_makes_one_record(self, adapter: CRUDAdapter) -> None:
        """A create that is sent again with its key answers the record that it has made."""
        assert adapter._lost_answer is LostAnswer.IDEMPOTENCY_KEY, (
            f"{type(adapter).__name__}._lost_answer is not LostAnswer.IDEMPOTENCY_KEY, so no "
            "exporter would send a key."
        )
        count, data = len(self._ids(adapter)), self.new_record(1)
        keys = [str(uuid4()) for _ in range(2)]  # a backend may remember those of earlier runs

        ids = [self._created(adapter, data, idempotency_key=key) for key in (*keys, keys[0])]

        assert external_key(ids[0]) == external_key(ids[2]), "One key answers two records."
        assert external_key(ids[0]) != external_key(ids[1]), "Two keys answer one record."
        assert len(self._ids(adapter)) == count + 2, "Three creates with two keys made not two."

    @needs(Capability.CREATE, Capability.FIND)
    def test_find_gives_the_record_of_the_data(self, adapter: CRUDAdapter) -> None:
        """By its natural key a record is found once it is made, and not before."""
        data = self.new_record(1)
        assert adapter.find(self.new_record(2)) is None, "find() finds what was never sent."

        external_id = self._created(adapter, data)

        found = adapter.find(data)
        assert found is not None, "find() does not find what create() has made."
        assert external_key(found) == external_key(external_id), "find() gives another record."

    @needs(Capability.READ, Capability.CREATE, Capability.WRITE)
    def test_write_changes_the_fields_given(self, adapter: CRUDAdapter) -> None:
        """`write` changes what it is given, leaves the other fields, and the other records."""
        data, changes = self.new_record(1), self.changed_fields()
        external_id = self._created(adapter, data)
        other = self._created(adapter, data)

        adapter.write(str(external_id), changes)

        self._assert_has(adapter.read(external_id), self.stored({**data, **changes}))
        self._assert_has(adapter.read(other), self.stored(data))

    @needs(Capability.WRITE)
    def test_write_of_an_unknown_id_is_missing(self, adapter: CRUDAdapter) -> None:
        """An exporter is told when the record that it changes is gone."""
        with self._raises(IDMissingInBackend, "write() of an unknown id"):
            adapter.write(self.unknown_id(), self.changed_fields())

    @needs(Capability.SEARCH, Capability.READ, Capability.CREATE, Capability.DELETE)
    def test_delete_removes_the_record(self, adapter: CRUDAdapter) -> None:
        """A deleted record is neither read nor listed any more; the others are."""
        before = set(map(external_key, self._ids(adapter)))
        external_id = self._created(adapter, self.new_record(1))

        adapter.delete(str(external_id))

        with self._raises(IDMissingInBackend, "read() of a deleted record"):
            adapter.read(external_id)
        left = set(map(external_key, self._ids(adapter)))
        assert left == before, f"delete() took other records too: {sorted(before - left)[:5]}"

    @needs(Capability.DELETE)
    def test_delete_of_an_unknown_id_is_missing(self, adapter: CRUDAdapter) -> None:
        """A deleter is told that a record was gone already."""
        with self._raises(IDMissingInBackend, "delete() of an unknown id"):
            adapter.delete(self.unknown_id())
