"""External ids: the names that data files give to records, kept in `ir_model_data`."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.core.exceptions import DataFileError, UnknownExternalIdError, except_orm
from connector.core.sql import errors

logger = logging.getLogger(__name__)

#: their records follow the Python code, not the data files
REFLECTED_MODELS = ("ir.model", "ir.model.fields", "ir.module.module")


@dataclass(frozen=True)
class Link:
    """One external id and the record it names."""

    id: int
    module: str
    name: str
    model: str
    res_id: int
    noupdate: bool

    @property
    def full_name(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Entry:
    """One record of a data file."""

    xml_id: str | None
    values: dict[str, Any]


class ExternalIds:
    """The external ids of one database, in one environment."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.cr = env.cr

    def find(self, full_names: Iterable[str]) -> dict[str, Link]:
        """The links of those ids that are known, by `module.name`."""
        wanted = list(dict.fromkeys(full_names))
        parts = [name.partition(".") for name in wanted]
        # Past the pending writes: links are written at once, the records they name need not be.
        self.cr.execute_unflushed(
            "SELECT d.id, d.module, d.name, d.model, d.res_id, COALESCE(d.noupdate, false)"
            " FROM ir_model_data d"
            " JOIN unnest(%s::varchar[], %s::varchar[]) AS k (module, name)"
            " ON d.module = k.module AND d.name = k.name",
            ([module for module, _, _ in parts], [name for _, _, name in parts]),
        )
        links = [Link(*row) for row in self.cr.fetchall()]
        return {link.full_name: link for link in links}

    def known(self, xml_id: str, module: str, model_name: str) -> Link | None:
        """
        The record that an id names, if there is one.

        Raises:
            DataFileError: it is a record of another model.
        """
        name = full_name(xml_id, module)
        link = self.find([name]).get(name)
        if link is not None:
            _check_model(link, model_name)
        return link

    def resolve(self, xml_id: str, module: str, model_name: str = "") -> Link:
        """
        The record that an id names; *module* is that of an id without a dot.

        Raises:
            UnknownExternalIdError: no record has that id.
            DataFileError: it is not a record of *model_name*.
        """
        name = full_name(xml_id, module)
        return self._of(name, self.find([name]), model_name)

    def resolve_all(
        self, xml_ids: Sequence[str], module: str, model_name: str = ""
    ) -> dict[str, int]:
        """The database ids of several external ids, in one look-up; see `resolve`."""
        names = {xml_id: full_name(xml_id, module) for xml_id in xml_ids}
        links = self.find(names.values())
        return {i: self._of(name, links, model_name).res_id for i, name in names.items()}

    def _of(self, name: str, links: Mapping[str, Link], model_name: str) -> Link:
        if name not in links:
            raise UnknownExternalIdError(
                f"External ID not found in the system: {name}. "
                "Is it spelled rightly, and loaded before it is used?"
            )
        if model_name:
            _check_model(links[name], model_name)
        return links[name]

    def save(
        self,
        model_name: str,
        entries: Sequence[Entry],
        module: str,
        *,
        noupdate: bool = False,
        new: bool = True,
        create_missing: bool = True,
    ) -> list[int]:
        """
        Create or update records; returns their ids, in the order of *entries*.

        On an update (*new* is False) what is marked `noupdate` stays as it is. A record that
        somebody deleted is made again, unless *create_missing* says no.
        """
        names = [full_name(e.xml_id, module) if e.xml_id else None for e in entries]
        self._check_addons({name.partition(".")[0] for name in names if name} - {module})
        known = self._living(model_name, [name for name in names if name])
        ids: dict[int, int] = {}
        missing: list[int] = []
        for index, (entry, name) in enumerate(zip(entries, names, strict=True)):
            link = known.get(name) if name else None
            if link is not None:
                ids[index] = link.res_id
                if new or not (noupdate or link.noupdate):
                    self.env[model_name].browse(link.res_id).write(entry.values)
            elif new or (name and create_missing):
                missing.append(index)
        created = self.env[model_name].create([entries[index].values for index in missing])
        for index, record_id in zip(missing, created.ids, strict=True):
            ids[index] = record_id
        self._link(model_name, [(name, ids[i]) for i in missing if (name := names[i])], noupdate)
        self._note_loaded(model_name, [name for name in names if name])
        return [ids[index] for index in sorted(ids)]

    def _check_addons(self, addons: set[str]) -> None:
        """Refuse ids in the name of an addon that is not there to look after them."""
        strangers = addons - set(self.env.registry.loaded_addons)
        if strangers:
            raise DataFileError(
                f"The addon {min(strangers)!r}, in whose name an external id is given, is not "
                f"installed. Add it to the depends, or leave the name and the dot out."
            )

    def delete_left_over(self, modules: Sequence[str]) -> None:
        """Delete the records of these addons that their data files have no more."""
        self.cr.execute(
            "SELECT id, module, name, model, res_id, COALESCE(noupdate, false) FROM ir_model_data"
            " WHERE module = ANY(%s) AND NOT COALESCE(noupdate, false) AND model <> ALL(%s)"
            " ORDER BY id DESC",
            (list(modules), list(REFLECTED_MODELS)),
        )
        loaded = self.env.registry.loaded_xmlids
        links = [Link(*row) for row in self.cr.fetchall()]
        self.delete([link for link in links if link.full_name not in loaded])

    def delete(self, links: Sequence[Link]) -> None:
        """Delete the records of these links, as far as nothing else needs them, and the links."""
        self.forget([link for link in links if self._delete_record(link, links)])

    def forget(self, links: Sequence[Link]) -> None:
        """Delete the links alone."""
        self._delete_links([link.id for link in links])

    def _delete_record(self, link: Link, doomed: Sequence[Link]) -> bool:
        if link.model not in self.env.registry or self._named_elsewhere(link, doomed):
            return True
        try:
            with self.cr.savepoint():
                self.env[link.model].browse(link.res_id).exists().unlink()
        except (errors.IntegrityError, except_orm) as error:
            logger.warning(
                "Cannot delete a record that its addon has no more",
                extra={"external_id": link.full_name, "reason": str(error)},
            )
            return False
        return True

    def _named_elsewhere(self, link: Link, doomed: Sequence[Link]) -> bool:
        self.cr.execute(
            "SELECT 1 FROM ir_model_data WHERE model = %s AND res_id = %s AND id <> ALL(%s)",
            (link.model, link.res_id, [other.id for other in doomed]),
        )
        return self.cr.fetchone() is not None

    def _living(self, model_name: str, names: Sequence[str]) -> dict[str, Link]:
        """The known links whose record still exists; the others are forgotten."""
        links = self.find(names)
        for link in links.values():
            _check_model(link, model_name)
        if not links:
            return {}
        wanted = [link.res_id for link in links.values()]
        present = set(self.env[model_name].browse(wanted).exists().ids)
        dangling = [link.id for link in links.values() if link.res_id not in present]
        if dangling:
            self._delete_links(dangling)
        return {name: link for name, link in links.items() if link.res_id in present}

    def _link(self, model_name: str, made: Sequence[tuple[str, int]], noupdate: bool) -> None:
        rows = [(name, model_name, record_id) for name, record_id in made]
        rows += self._parents(model_name, made)
        if not rows:
            return
        parts = [name.partition(".") for name, _, _ in rows]
        self.cr.execute_unflushed(
            "INSERT INTO ir_model_data"
            " (module, name, model, res_id, noupdate, date_init, date_update,"
            "  create_uid, create_date, write_uid, write_date)"
            " SELECT k.*, %(noupdate)s, now.t, now.t, %(uid)s, now.t, %(uid)s, now.t"
            " FROM unnest(%(modules)s::varchar[], %(names)s::varchar[], %(models)s::varchar[],"
            "  %(ids)s::int4[]) AS k, (SELECT now() AT TIME ZONE 'UTC' AS t) AS now"
            " ON CONFLICT (module, name) DO UPDATE SET res_id = EXCLUDED.res_id",
            {
                "noupdate": noupdate,
                "uid": self.env.uid,
                "modules": [module for module, _, _ in parts],
                "names": [name for _, _, name in parts],
                "models": [model for _, model, _ in rows],
                "ids": [record_id for _, _, record_id in rows],
            },
        )
        self._forget_cached()

    def _parents(
        self, model_name: str, made: Sequence[tuple[str, int]]
    ) -> list[tuple[str, str, int]]:
        """The records behind `_inherits` get ids of their own: `<id>_<parent model>`."""
        rows = []
        for parent, field in self.env.registry[model_name]._inherits.items():
            records = self.env[model_name].browse([record_id for _, record_id in made])
            for (name, _), record in zip(made, records, strict=True):
                rows.append((f"{name}_{parent.replace('.', '_')}", parent, record[field].id))
        return rows

    def _delete_links(self, link_ids: Sequence[int]) -> None:
        self.cr.execute("DELETE FROM ir_model_data WHERE id = ANY(%s)", (list(link_ids),))
        self._forget_cached()

    def _forget_cached(self) -> None:
        """The table was written past the cache, which may remember that an id is unknown."""
        transaction = self.env.transaction
        transaction.forget_model(self.env.registry["ir.model.data"])
        transaction.forget_keys("ir.model.data")

    def _note_loaded(self, model_name: str, names: Sequence[str]) -> None:
        loaded = self.env.registry.loaded_xmlids
        loaded.update(names)
        for parent in self.env.registry[model_name]._inherits:
            loaded.update(f"{name}_{parent.replace('.', '_')}" for name in names)


def _check_model(link: Link, model_name: str) -> None:
    if link.model != model_name:
        raise DataFileError(
            f"The external id {link.full_name!r} names a record of {link.model!r}, "
            f"not of {model_name!r}. Choose another id."
        )


def full_name(xml_id: str, module: str) -> str:
    """
    `module.name`; *module* completes an id without a dot.

    Raises:
        DataFileError: the id is empty or has two dots.
    """
    name = xml_id if "." in xml_id else f"{module}.{xml_id}"
    left, _, right = name.partition(".")
    if not left or not right or "." in right:
        raise DataFileError(f"{xml_id!r} is no external id. It looks like 'addon.name'.")
    return name


def by_model(links: Iterable[Link]) -> dict[str, list[Link]]:
    grouped: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        grouped[link.model].append(link)
    return grouped
