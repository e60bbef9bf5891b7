"""
XML data files.

    <odoo>                            also <openerp>, <connector>, <data>; noupdate="1" on each
      <record id="x" model="m">       forcecreate="0": not made again when somebody deleted it
        <field name="a">text</field>
        <field name="b" ref="addon.other"/>
        <field name="c" eval="[(6, 0, [ref('y')])]"/>
        <field name="d" search="[('code', '=', 'X')]"/>
        <field name="e" type="base64" file="static/icon.png"/>
      </record>
      <delete model="m" id="x"/>      or search="domain"
      <function model="m" name="f" eval="([ref('x')], 2)"/>
    </odoo>
"""

import base64
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
import defusedxml.ElementTree as SafeElementTree

from connector.core.exceptions import CoreError, DataFileError
from connector.core.modules.data_target import Target
from connector.core.modules.external_ids import Entry
from connector.core.modules.values import TRUE_WORDS, evaluate, field_of, from_text

#: what an element that is wrong raises, and the methods that a <function> calls
MISTAKES = (CoreError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
ROOTS = ("odoo", "openerp", "connector", "data")


def load(target: Target) -> None:
    """
    Do what the elements of a file say, in their order.

    Raises:
        DataFileError: the file is no XML, declares entities, or an element is wrong.
    """
    try:
        root = SafeElementTree.fromstring(target.path.read_bytes(), forbid_dtd=True)
    except defusedxml.DefusedXmlException as error:
        raise DataFileError(
            f"{target.path} declares a document type or entities, which data files may not: {error}"
        ) from error
    except (ParseError, LookupError) as error:  # the latter of an unknown encoding
        raise DataFileError(f"{target.path} cannot be read: {error}") from error
    if root.tag not in ROOTS:
        raise DataFileError(f"{target.path}: the root <{root.tag}> is not <odoo>.")
    try:
        _Loader(target).load(root, target.noupdate)
    except RecursionError as error:
        raise DataFileError(f"{target.path}: its elements are nested too deeply.") from error


class _Loader:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._env = target.env
        self._ids = target.external_ids

    def load(self, parent: Element, noupdate: bool) -> None:
        noupdate = _flag(parent, "noupdate", noupdate)
        for element in parent:
            if element.tag == "data":
                self.load(element, noupdate)
                continue
            try:
                self._element(element, noupdate)
            except MISTAKES as error:
                if str(error).startswith(str(self._target.path)):
                    raise
                raise DataFileError(
                    f"{self._target.path}, {_described(element)}: {error}"
                ) from error

    def _element(self, element: Element, noupdate: bool) -> None:
        match element.tag:
            case "record":
                self._record(element, noupdate)
            case "delete":
                self._delete(element)
            case "function":
                if self._target.new or not noupdate:
                    self._function(element)
            case _:
                raise DataFileError("only <record>, <delete>, <function> and <data> are known.")

    def _record(self, element: Element, noupdate: bool) -> None:
        model_name = self._model(element)
        values = {
            _required(field, "name"): self._value(model_name, field)
            for field in element
            if field.tag == "field"
        }
        env = self._env
        if "context" in element.attrib:
            context = self._evaluate(element.attrib["context"])
            env = env(context={**env.context, **context})
        type(self._ids)(env).save(
            model_name,
            [Entry(element.get("id"), values)],
            self._target.module,
            noupdate=noupdate,
            new=self._target.new,
            create_missing=_flag(element, "forcecreate", True),
        )

    def _delete(self, element: Element) -> None:
        model = self._env[self._model(element)]
        if "search" in element.attrib:
            model.search(self._evaluate(element.attrib["search"])).unlink()
            return
        link = self._ids.known(_required(element, "id"), self._target.module, model._name)
        if link is not None:
            model.browse(link.res_id).exists().unlink()
            self._ids.forget([link])

    def _function(self, element: Element) -> None:
        model = self._env[self._model(element)]
        name = _required(element, "name")
        function = getattr(model, name, None)
        if function is None or name.startswith("__"):
            raise DataFileError(f"the model {model._name!r} has no method {name!r}.")
        arguments = [*self._evaluate(element.get("eval", "()"))]
        arguments += [self._evaluate(_required(value, "eval")) for value in element]
        if arguments and getattr(function, "_api", None) != "model" and _are_ids(arguments[0]):
            function = getattr(model.browse(arguments.pop(0)), name)
        function(*arguments)

    # -- values -------------------------------------------------------------

    def _value(self, model_name: str, element: Element) -> Any:
        name = element.attrib["name"]
        field = field_of(self._env, model_name, name)
        given = element.attrib
        if "ref" in given:
            return self._reference(field, given["ref"])
        if "eval" in given:
            return self._evaluate(given["eval"])
        if "search" in given:
            return self._search(field, element)
        if "file" in given:
            return self._file(element)
        if element.get("type") in ("xml", "html"):
            return "".join(_markup(child) for child in element).strip()
        if element.get("type") in ("int", "float"):
            return {"int": int, "float": float}[given["type"]](element.text or 0)
        if list(element):
            raise DataFileError(f'the field {name!r} has elements in it; write type="xml".')
        return from_text(field, element.text or "")

    def _reference(self, field: Any, xml_id: str) -> Any:
        if not xml_id:
            return False
        link = self._ids.resolve(xml_id, self._target.module, field.comodel_name)
        if field.type == "reference":
            return f"{link.model},{link.res_id}"
        if field.type in ("many2many", "one2many"):
            return [(4, link.res_id)]
        return link.res_id

    def _search(self, field: Any, element: Element) -> Any:
        comodel = self._env[element.get("model") or field.comodel_name]
        records = comodel.search(self._evaluate(element.attrib["search"]))
        if field.type in ("many2many", "one2many"):
            return [(6, 0, records.ids)]
        return records[:1].id

    def _file(self, element: Element) -> Any:
        content = self._found(element.attrib["file"]).read_bytes()
        if element.get("type") == "base64":
            return base64.b64encode(content)
        return content.decode()

    def _found(self, name: str) -> Path:
        """A file of the addon, named from the data file, from the addon or from all addons."""
        root = self._target.folder
        inside = name.removeprefix(f"{self._target.module}/")
        for path in (self._target.path.parent / name, root / inside):
            if path.resolve().is_relative_to(root) and path.is_file():
                return path
        raise DataFileError(f"the addon {self._target.module!r} has no file {name!r} in {root}.")

    def _evaluate(self, text: str) -> Any:
        names = {
            "ref": lambda xml_id: self._ids.resolve(xml_id, self._target.module).res_id,
            "uid": self._env.uid,
        }
        return evaluate(text, names)

    def _model(self, element: Element) -> str:
        name = _required(element, "model")
        if name not in self._env.registry:
            raise DataFileError(f"there is no model {name!r}.")
        return name


def _required(element: Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise DataFileError(f"the attribute {name!r} is missing.")
    return value


def _are_ids(value: Any) -> bool:
    """Whether a first argument says which records a method is called on."""
    given = value if isinstance(value, list | tuple) else [value]
    return bool(given) and all(type(each) is int for each in given)


def _flag(element: Element, name: str, default: bool) -> bool:
    value = element.get(name)
    return default if value is None else value.strip().lower() in TRUE_WORDS


def _described(element: Element) -> str:
    shown = [f'{name}="{element.get(name)}"' for name in ("id", "model") if element.get(name)]
    return f"<{' '.join([element.tag, *shown])}>"


def _markup(element: Element) -> str:
    text: str = SafeElementTree.tostring(element, encoding="unicode")
    return text
