"""
CSV data files: the name is the model, the header names the fields.

    id,name,country_id/id,category_ids/id
    partner_a,Azure,base.be,"base.gold,base.silver"

`field/id` (or `field:id`) refers by external id, `field/.id` by number; a relation without
either is sought by its name.
"""

import csv
from collections.abc import Callable, Iterator
from typing import Any

from connector.core.exceptions import CoreError, DataFileError
from connector.core.modules.data_target import Target
from connector.core.modules.external_ids import Entry
from connector.core.modules.values import field_of, from_names, from_text

BATCH_ROWS = 1000
#: for pictures in base64; the limit of Python's reader is 128 KiB
csv.field_size_limit(500 * 1024 * 1024)


def load(target: Target) -> None:
    """
    Create or update the records of a file, many at once.

    Raises:
        DataFileError: the model or a column is unknown, or a value is wrong; names the line.
    """
    model_name = target.path.stem.partition("-")[0]
    if model_name not in target.env.registry:
        raise DataFileError(f"{target.path}: there is no model {model_name!r}.")
    for entries in _batches(target, model_name):
        target.external_ids.save(
            model_name, entries, target.module, noupdate=target.noupdate, new=target.new
        )


def _batches(target: Target, model_name: str) -> Iterator[list[Entry]]:
    with target.path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, None)
        if not header:
            raise DataFileError(f"{target.path} is empty. Its first line names the fields.")
        if len(set(header)) != len(header):
            raise DataFileError(f"{target.path}: two columns have the same name.")
        names_of = _names(target, model_name, header)
        batch: list[list[str]] = []
        made: set[str] = set()
        for row in rows:
            if not any(row):
                continue
            if len(row) != len(header):
                raise DataFileError(
                    f"{target.path}, line {rows.line_num}: {len(row)} values for "
                    f"{len(header)} columns."
                )
            own, needed = names_of(row)
            # What a row refers to, or writes on again, has to be made first.
            if len(batch) == BATCH_ROWS or not made.isdisjoint((own, *needed)):
                yield _entries(target, model_name, header, batch)
                batch, made = [], set()
            batch.append(row)
            if own:
                made.add(own)
        yield _entries(target, model_name, header, batch)


def _names(
    target: Target, model_name: str, header: list[str]
) -> Callable[[list[str]], tuple[str, list[str]]]:
    """What gives the id of a row, and those of the same model that it refers to."""
    columns = []
    for index, head in enumerate(header):
        name, _, by = head.replace(":", "/", 1).partition("/")
        field = target.env.registry[model_name]._fields.get(name)
        if by == "id" and field is not None and field.comodel_name == model_name:
            columns.append(index)
    own = header.index("id") if "id" in header else None

    def names_of(row: list[str]) -> tuple[str, list[str]]:
        parts = [part for index in columns for part in row[index].split(",")]
        return "" if own is None else _local(row[own], target), [_local(p, target) for p in parts]

    return names_of


def _local(xml_id: str, target: Target) -> str:
    return xml_id.strip().removeprefix(f"{target.module}.")


def _entries(
    target: Target, model_name: str, header: list[str], rows: list[list[str]]
) -> list[Entry]:
    columns = list(zip(*rows, strict=True)) or [()] * len(header)
    xml_ids: tuple[str, ...] | None = None
    values: list[dict[str, Any]] = [{} for _ in rows]
    for head, texts in zip(header, columns, strict=True):
        if head == "id":
            xml_ids = texts
            continue
        name, _, by = head.replace(":", "/", 1).partition("/")
        field = field_of(target.env, model_name, name)
        try:
            column = _column(target, field, by, texts)
        except CoreError as error:
            raise DataFileError(f"{target.path}, column {head!r}: {error}") from error
        for row, value in zip(values, column, strict=True):
            row[name] = value
    return [
        Entry(xml_ids[index] or None if xml_ids else None, row) for index, row in enumerate(values)
    ]


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    raise DataFileError(f"{text!r} is no number of a record.")


def _column(target: Target, field: Any, by: str, texts: tuple[str, ...]) -> list[Any]:
    if not by:
        if field.relational:
            return from_names(target.env, field, texts)
        return [from_text(field, text) for text in texts]
    if by not in ("id", ".id") or not field.relational:
        raise DataFileError(f"cannot follow {by!r} of a {field.type} field.")
    lists = [[part.strip() for part in text.split(",") if part.strip()] for text in texts]
    if by == ".id":
        found = {part: _number(part) for parts in lists for part in parts}
    else:
        found = target.external_ids.resolve_all(
            sorted({part for parts in lists for part in parts}), target.module, field.comodel_name
        )
    ids = [[found[part] for part in parts] for parts in lists]
    if field.type == "many2one":
        return [record_ids[0] if record_ids else False for record_ids in ids]
    return [[(6, 0, record_ids)] for record_ids in ids]
