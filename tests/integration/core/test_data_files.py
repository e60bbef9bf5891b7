"""Data files of addons, loaded into a transaction that is rolled back."""

import base64

import pytest

from connector.core.exceptions import DataFileError
from connector.core.modules.data import load_file
from connector.core.modules.data_target import Target

pytestmark = pytest.mark.addons("base")


@pytest.fixture
def load(env, tmp_path):
    """Load the text of a file as a file of the addon `shop`."""

    def load(text, name="data.xml", new=True, noupdate=False):
        path = tmp_path / name
        path.write_text(text if name.endswith(".csv") else f"<odoo>{text}</odoo>")
        load_file(Target(env, "shop", path, new, noupdate))

    return load


PARTNER = '<record id="{}" model="res.partner"><field name="name">{}</field>{}</record>'


def test_kinds_of_values(load, env):
    """
    Values are text, references, expressions, searches and contents of files.
    """
    load(
        PARTNER.format("parent", "Parent", "")
        + PARTNER.format(
            "child",
            "Child",
            """
            <field name="parent_id" ref="parent"/>
            <field name="country_id" search="[('code', '=', 'DE')]"/>
            <field name="category_id" eval="[(0, 0, {'name': 'New'})]"/>
            <field name="active" eval="False"/>
            <field name="is_company">True</field>
            <field name="comment" type="html"><p>One <b>two</b></p></field>
            """,
        )
    )
    child = env.ref("shop.child")
    assert child.parent_id == env.ref("shop.parent")
    assert child.country_id == env.ref("base.de")
    assert child.category_id.mapped("name") == ["New"]
    assert (child.active, child.is_company) == (False, True)
    assert child.comment == "<p>One <b>two</b></p>"


def test_binary_file(load, env, tmp_path):
    """
    A file can be the value of a field, encoded or as text.
    """
    (tmp_path / "note.txt").write_text("Grüße")
    load(
        PARTNER.format("p", "P", '<field name="comment" file="note.txt"/>')
        + PARTNER.format("q", "Q", '<field name="comment" type="base64" file="note.txt"/>')
    )
    assert env.ref("shop.p").comment == "Grüße"
    assert base64.b64decode(env.ref("shop.q").comment).decode() == "Grüße"


def test_file_is_named_from_the_addon(env, tmp_path):
    """
    A file is sought beside the data file, in the addon, and by the path that begins with its name.
    """
    (tmp_path / "static").mkdir()
    (tmp_path / "static/note.txt").write_text("Note")
    path = tmp_path / "data" / "data.xml"
    path.parent.mkdir()
    for name in ("../static/note.txt", "static/note.txt", "shop/static/note.txt"):
        partner = PARTNER.format("p", name, f"<field name='comment' file='{name}'/>")
        path.write_text(f"<odoo>{partner}</odoo>")
        load_file(Target(env, "shop", path, True, False, tmp_path))
        assert (env.ref("shop.p").name, env.ref("shop.p").comment) == (name, "Note")


def test_noupdate(load, env):
    """
    What is marked noupdate is written at the installation, and left alone by updates.
    """
    load(f'<data noupdate="1">{PARTNER.format("p", "Old", "")}</data>')
    load(PARTNER.format("p", "New", ""), new=False)
    assert env.ref("shop.p").name == "Old"
    load(PARTNER.format("p", "New", ""), new=True)
    assert env.ref("shop.p").name == "New"


def test_deleted_record_is_made_again(load, env):
    """
    A record that somebody deleted comes back with an update, unless forcecreate says no.
    """
    kept_away = PARTNER.replace("<record", '<record forcecreate="0"')
    load(PARTNER.format("p", "P", "") + kept_away.format("q", "Q", ""))
    env.ref("shop.p").unlink()
    env.ref("shop.q").unlink()
    load(PARTNER.format("p", "P", "") + kept_away.format("q", "Q", ""), new=False)
    assert env.ref("shop.p").name == "P"
    assert env.ref("shop.q", raise_if_not_found=False) is None


def test_new_id_is_found_at_once(load, env):
    """
    An id that was looked for in vain is found once a file has given it.
    """
    assert env.ref("shop.p", raise_if_not_found=False) is None
    load(PARTNER.format("p", "P", ""))
    assert env.ref("shop.p").name == "P"
    load('<delete model="res.partner" id="p"/>')
    assert env.ref("shop.p", raise_if_not_found=False) is None


def test_delete_and_function(load, env):
    """
    A file can delete records by id and by search, and call methods.
    """
    load("".join(PARTNER.format(name, f"Name {name}", "") for name in "abc"))
    load(
        """
        <delete model="res.partner" id="a"/>
        <delete model="res.partner" id="unknown"/>
        <delete model="res.partner" search="[('name', '=', 'Name b')]"/>
        <function model="ir.config_parameter" name="set_param" eval="('a.key', ref('c'))"/>
        <function model="res.partner" name="write" eval="([ref('c')], {'ref': 'called'})"/>
        <function model="res.partner" name="write">
            <value eval="ref('c')"/>
            <value eval="{'comment': 'as in 8.0'}"/>
        </function>
        """
    )
    left = env["res.partner"].search([("name", "like", "Name %")])
    assert left == env.ref("shop.c")
    assert (left.ref, left.comment) == ("called", "as in 8.0")
    assert env["ir.config_parameter"].get_param("a.key") == str(left.id)


def test_inherited_record_has_an_id_of_its_own(load, env):
    """
    The record behind `_inherits` gets the id `<id>_<model>`.
    """
    load(
        '<record id="u" model="res.users"><field name="login">u</field>'
        '<field name="name">U</field></record>'
    )
    assert env.ref("shop.u_res_partner") == env.ref("shop.u").partner_id


def test_csv(load, env):
    """
    Rows of a CSV file refer to records by external id, by number and by name.
    """
    number = env.ref("base.fr").id
    load(
        "id,name,country_id/id,parent_id:id,category_id/id\n"
        'a,"Name, of A",base.de,,\n'
        "b,B,base.fr,a,\n",
        "res.partner.csv",
    )
    assert env.ref("shop.a").name == "Name, of A"
    assert env.ref("shop.b").parent_id == env.ref("shop.a")
    load(f"id,name,country_id/.id\nc,C,{number}\n", "res.partner-more.csv")
    load("id,name,country_id\nd,D,France\n", "res.partner.csv")
    assert env.ref("shop.c").country_id == env.ref("shop.d").country_id == env.ref("base.fr")


def test_csv_of_odd_rows(load, env):
    """
    Empty lines are nothing, a later row of the same id is the last word, and texts may be long.
    """
    load(f"id,name,comment\na,First,\n\n,,\na,Second,{'x' * 200_000}\n", "res.partner.csv")
    assert (env.ref("shop.a").name, len(env.ref("shop.a").comment)) == ("Second", 200_000)
    assert env["res.partner"].search_count([("name", "=", "First")]) == 0


def test_csv_of_many_rows_takes_few_statements(load, env):
    """
    A thousand rows cost a handful of statements.
    """
    rows = "".join(f"p{number},Name {number},base.de\n" for number in range(1000))
    env.flush()
    before = env.cr.statement_count
    load(f"id,name,country_id/id\n{rows}", "res.partner.csv")
    env.flush()
    assert env.cr.statement_count - before < 20
    assert env.ref("shop.p999").name == "Name 999"


def test_csv_update_of_nothing_writes_nothing(load, env):
    """
    A row that says what the record is already is not written.
    """
    text = "id,name\na,A\nb,B\n"
    load(text, "res.partner.csv")
    env.flush()
    moment = env.ref("shop.a").write_date
    load(text, "res.partner.csv", new=False)
    env.flush()
    assert env.ref("shop.a").write_date == moment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<record id="x" model="no.model"/>', r"<record id=\"x\" model=\"no.model\">.*no model"),
        ('<record id="x"/>', "attribute 'model' is missing"),
        ('<record id="x" model="res.partner"><field name="nix">1</field></record>',
         "no field 'nix'"),
        ('<record id="a.b.c" model="res.partner"/>', "no external id"),
        (PARTNER.format("x", "X", '<field name="country_id" ref="nowhere"/>'),
         r"shop\.nowhere"),
        (PARTNER.format("x", "X", '<field name="country_id">Germany</field>'),
         "needs an external id"),
        (PARTNER.format("x", "X", '<field name="active">maybe</field>'), "cannot be 'maybe'"),
        (PARTNER.format("x", "X", '<field name="color" eval="open(1)"/>'), "no field 'color'"),
        (PARTNER.format("x", "X", '<field name="name" eval="open(1)"/>'), "unknown name 'open'"),
        ('<function model="res.partner" name="nothing"/>', "no method 'nothing'"),
        ('<menuitem id="x"/>', "only <record>"),
        ("<record", "cannot be read"),
        ("<data>" * 5000 + "</data>" * 5000, "nested too deeply"),
        ('<record id="x" model="res.partner"><field name="name" file="../out.txt"/></record>',
         r"no file '\.\./out\.txt'"),
        ('<record id="x" model="res.partner"><field name="name" file="/etc/hostname"/></record>',
         "no file '/etc/hostname'"),
        (PARTNER.format("nobody.x", "X", ""), "addon 'nobody'.*not installed"),
        (PARTNER.format("x", "X", '<field name="country_id" ref="base.main_company"/>'),
         r"'base\.main_company' names a record of 'res\.company', not of 'res\.country'"),
        ('<delete model="res.country" id="base.main_company"/>', "names a record of 'res.company'"),
        ('<delete model="res.partner" id="base.main_partner"/>', "still links to them"),
        ('<function model="res.partner" name="write" eval="(1, 2, 3)"/>', "<function.*positional"),
        (PARTNER.format("x", "X", '<field name="comment" eval="\'a\' * 99999999"/>'), "too often"),
        (PARTNER.format("x", "X", '<field name="comment" eval="int(\'a\')"/>'), "fails: invalid"),
        ('<record id="x" model="res.country"><field name="name">X</field>'
         '<field name="code">DE</field></record>', "country of this code already"),
    ],
)  # fmt: skip
def test_wrong_xml(load, text, message):
    """
    An element that is wrong is told with file, element and reason.
    """
    with pytest.raises(DataFileError, match=message) as caught:
        load(text)
    assert "data.xml" in str(caught.value)


@pytest.mark.parametrize(
    "declared",
    [
        ' [<!ENTITY a SYSTEM "file:///etc/passwd">]',
        ' [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]',
        ' [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]',
        ' SYSTEM "http://127.0.0.1:9/odoo.dtd"',
    ],
)
def test_declarations_are_refused(env, tmp_path, declared):
    """
    A file with a document type is refused: entities can fill the memory or read other files.
    """
    path = tmp_path / "bomb.xml"
    path.write_text(f"<!DOCTYPE odoo{declared}><odoo/>")
    with pytest.raises(DataFileError, match=r"bomb\.xml declares a document type"):
        load_file(Target(env, "shop", path, True, False))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("no.model.csv", "id\n", "no model 'no.model'"),
        ("res.partner.csv", "", "is empty"),
        ("res.partner.csv", "id,name\nx\n", "line 2: 1 values for 2 columns"),
        ("res.partner.csv", "id,nix\nx,1\n", "no field 'nix'"),
        ("res.partner.csv", "id,name,country_id/id\nx,X,nowhere\n", r"'country_id/id'.*nowhere"),
        (
            "res.partner.csv",
            "id,name,country_id/id\nx,X,base.main_company\n",
            "not of 'res.country'",
        ),
        ("res.partner.csv", "id,name,name\nx,X,Y\n", "two columns have the same name"),
        ("res.partner.csv", "id,name,country_id\nx,X,Atlantis\n", "0 records .* 'Atlantis'"),
        ("res.partner.csv", "id,name,active\nx,X,maybe\n", "cannot be 'maybe'"),
        ("res.partner.csv", "id,name,country_id/.id\nx,X,y\n", "'y' is no number"),
        ("res.partner.csv", "id,name\na.b.c,X\n", "'a.b.c' is no external id"),
        ("res.partner.txt", "", "not csv, xml or sql"),
    ],
)
def test_wrong_csv(env, tmp_path, name, text, message):
    """
    A CSV file that is wrong is told with file, column or line, and reason.
    """
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataFileError, match=message) as caught:
        load_file(Target(env, "shop", path, True, False))
    assert name in str(caught.value)


def test_unknown_encoding(env, tmp_path):
    """
    A file in an encoding that nobody knows is told as one that cannot be read.
    """
    path = tmp_path / "data.xml"
    path.write_bytes(b'<?xml version="1.0" encoding="nope"?><odoo/>')
    with pytest.raises(DataFileError, match=r"data\.xml cannot be read: unknown encoding: nope"):
        load_file(Target(env, "shop", path, True, False))


def test_wrong_sql(env, tmp_path):
    """
    What PostgreSQL says of an SQL file is told with the file.
    """
    path = tmp_path / "data.sql"
    path.write_text("SELECT * FROM no_such_table")
    with pytest.raises(DataFileError, match=r"data\.sql.*no_such_table"):
        load_file(Target(env, "shop", path, True, False))


def test_id_of_another_model(load):
    """
    An external id names records of one model only.
    """
    load(PARTNER.format("x", "X", ""))
    with pytest.raises(DataFileError, match=r"shop\.x.*res\.partner"):
        load('<record id="x" model="res.country"><field name="name">X</field></record>')


def test_missing_required_value(load, env):
    """
    A record without a required value is told with the file.
    """
    with pytest.raises(DataFileError, match=r"data\.xml.*code"), env.cr.savepoint():
        load('<record id="x" model="res.country"><field name="name">X</field></record>')
