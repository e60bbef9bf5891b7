"""Where a value of the configuration comes from, and what is refused."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import OPTIONS, SECRETS, Config
from connector.config_sources import COMMAND_LINE_ONLY
from connector.exception import ConfigurationError
from connector.server_url import without_password

URL = "postgresql://alice:s3cret@db.example/shop?sslmode=require"


@pytest.fixture
def conffile(tmp_path):
    def write(text):
        path = tmp_path / "connector.conf"
        path.write_text(text)
        return path

    return write


def load(command_line=None, conffile=None, environ=None):
    return Config.load(command_line, conffile, environ or {})


def test_defaults_need_no_source():
    """Without any source every key has its default, and no server is configured."""
    config = load()

    assert config.workers == 2
    assert config.dsn() is None
    assert config.redis_url is None
    assert config.sources == {}


def test_file_beats_default_environment_beats_file_command_line_beats_both(conffile):
    """The command line wins over the environment, which wins over the file."""
    path = conffile("[options]\ndb_name = file\nlogfile = /f\ndata_dir = /f\n")
    environ = {"CONNECTOR_DB_NAME": "environ", "CONNECTOR_LOGFILE": "/e"}

    config = load({"db_name": "line", "data_dir": None}, path, environ)

    assert (config.db_name, config.logfile, config.data_dir) == ("line", "/e", "/f")
    assert config.sources == {
        "db_name": "the command line",
        "logfile": "CONNECTOR_LOGFILE",
        "data_dir": f"{path} [options]",
    }


def test_a_loaded_configuration_cannot_be_changed():
    """Nothing changes a Config after it was loaded, its sources included."""
    config = load({"workers": 3})

    with pytest.raises(dataclasses.FrozenInstanceError):
        config.workers = 4
    with pytest.raises(TypeError):
        config.sources["workers"] = "elsewhere"


def test_queue_section_is_read(conffile):
    """Keys of the queue stand in the section [queue]."""
    config = load(conffile=conffile("[queue]\nchannels = root:4,root.shop:1\nmax_jobs = 500\n"))

    assert config.channels == "root:4,root.shop:1"
    assert config.max_jobs == 500


@pytest.mark.parametrize("key", sorted(COMMAND_LINE_ONLY))
def test_command_line_only_option_is_refused_in_the_file_by_name(conffile, key):
    """An option that asks for one act is refused in the file, by its name."""
    with pytest.raises(ConfigurationError, match=rf"'{key}'.*command line only"):
        load(conffile=conffile(f"[options]\n{key} = x\n"))


def test_command_line_only_option_is_known_by_its_dashes_too(conffile):
    """An option written as on the command line is refused in the same way."""
    with pytest.raises(ConfigurationError, match="'stop-after-init'.*command line only"):
        load(conffile=conffile("[options]\nstop-after-init = True\n"))


def test_data_directory_is_shown_where_none_is_given():
    """The home of the servers is told, chosen or not."""
    assert load().shown("data_dir") == str(load().home)
    assert load({"data_dir": "/srv/x"}).shown("data_dir") == "/srv/x"


def test_unknown_key_is_named_with_the_nearest_known_one(conffile):
    """A misspelt key in the file names its place and the key that is probably meant."""
    path = conffile("[options]\ndb_pasword = x\n")

    with pytest.raises(ConfigurationError) as caught:
        load(conffile=path)

    assert "'db_pasword'" in str(caught.value)
    assert "'db_password' in [options]" in str(caught.value)
    assert str(path) in str(caught.value)


def test_key_in_the_wrong_section_is_told_its_own(conffile):
    """A known key in another section is refused, and its own section named."""
    with pytest.raises(ConfigurationError, match=r"'workers' in \[queue\]"):
        load(conffile=conffile("[options]\nworkers = 3\n"))


def test_misspelt_variable_is_refused_and_a_foreign_one_is_not():
    """A variable close to a key is a typing error; one that is close to none is someone else's."""
    with pytest.raises(ConfigurationError, match=r"CONNECTOR_DB_NAEM.*'db_name'"):
        load(environ={"CONNECTOR_DB_NAEM": "x"})

    assert load(environ={"CONNECTOR_EXAMPLE_TOKEN": "x"}) == load()


def test_misspelt_section_is_refused_and_a_foreign_one_is_not(conffile):
    """[option] would silently set nothing; a section of an addon's own is left alone."""
    with pytest.raises(ConfigurationError, match="'options'"):
        load(conffile=conffile("[option]\ndb_name = x\n"))

    assert load(conffile=conffile("[shop]\nurl = x\n")) == load()


def test_missing_file_says_what_to_do(tmp_path):
    """A file that cannot be read is an error that names it and the ways out."""
    with pytest.raises(ConfigurationError, match=r"none\.conf.*CONNECTOR_CONFIG"):
        load(conffile=tmp_path / "none.conf")


def test_broken_file_does_not_show_its_lines(conffile):
    """The message about a broken file names the line by number: it may hold a password."""
    with pytest.raises(ConfigurationError, match="line 2") as caught:
        load(conffile=conffile("[options]\ndb_password s3cret\n"))

    assert "s3cret" not in str(caught.value)


def test_wrong_value_names_key_place_and_value():
    """A value that cannot be read is named with its key and its place."""
    with pytest.raises(ConfigurationError, match=r"'many' for 'workers' in CONNECTOR_WORKERS"):
        load(environ={"CONNECTOR_WORKERS": "many"})


def test_wrong_secret_is_not_shown():
    """The message about a wrong secret does not hold it."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ={"DATABASE_URL": "mysql://alice:s3cret@db/shop"})

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("unset", ["", "False", "None"])
def test_what_8_0_writes_for_not_set_is_not_set(conffile, unset):
    """An 8.0 file writes False where nothing is set."""
    config = load(conffile=conffile(f"[options]\ndb_host = {unset}\ndb_maxconn = {unset}\n"))

    assert config.db_host is None
    assert config.db_maxconn == 64


def test_percent_signs_are_kept(conffile):
    """A password may hold any character; there is no interpolation."""
    assert load(conffile=conffile("[options]\ndb_password = a%b%%c\n")).db_password == "a%b%%c"


def test_secrets_are_hidden_in_repr_and_display():
    """Neither `repr` nor `shown` tells a secret."""
    environ = {
        "DATABASE_URL": URL,
        "REDIS_URL": "redis://:s3cret@cache:6379/0",
        "CONNECTOR_DB_PASSWORD": "s3cret",
        "CONNECTOR_ADMIN_PASSWD": "s3cret",
    }
    config = load(environ=environ)

    assert "s3cret" not in repr(config)
    assert not any("s3cret" in config.shown(key) for key in [*OPTIONS, *SECRETS])
    assert "db.example" in config.shown("database_url")


def test_url_gives_server_and_default_database():
    """DATABASE_URL names the server and its default database; another database keeps the server."""
    config = load(environ={"DATABASE_URL": URL})

    assert config.dsn() == URL
    assert config.dsn("other") == URL.replace("/shop", "/other")


def test_url_replaces_the_servers_of_the_file_as_a_whole(conffile):
    """The file's password is not sent to the server of DATABASE_URL."""
    path = conffile("[options]\ndb_host = filehost\ndb_password = s3cret\ndb_name = filedb\n")

    config = load(None, path, {"DATABASE_URL": "postgresql://db.example/shop"})

    assert config.dsn() == "postgresql://db.example/shop"


def test_a_closer_word_changes_one_part_of_the_url():
    """What the command line says of the server replaces that part of DATABASE_URL."""
    config = load({"db_name": "mine", "db_port": "5433"}, None, {"DATABASE_URL": URL})

    assert config.dsn() == ("postgresql://alice:s3cret@db.example/mine?sslmode=require&port=5433")


def test_server_is_made_of_its_parts(conffile):
    """Without a URL, the 8.0 keys make one; odd characters are quoted."""
    path = conffile("[options]\ndb_host = /run/pg\ndb_user = al@ice\ndb_name = my shop\n")

    assert load(conffile=path).dsn() == "postgresql:///my%20shop?host=%2Frun%2Fpg&user=al%40ice"


def test_own_redis_variable_beats_the_common_one():
    """CONNECTOR_REDIS_URL says it more closely than REDIS_URL."""
    both = {"CONNECTOR_REDIS_URL": "redis://mine/0", "REDIS_URL": "redis://common/0"}

    assert load(environ=both).redis_url == "redis://mine/0"


words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


@given(user=words, password=words.map("pw".__add__), host=words, query=st.booleans())
def test_no_password_survives_in_a_shown_url(user, password, host, query):
    """Wherever a URL holds its password, the shown one does not, and keeps the host."""
    secret = f"{password}.{password}"
    if query:
        url = f"postgresql://{user}@{host}/db?password={secret}&port=1"
    else:
        url = f"postgresql://{user}:{secret}@{host}:1/db"

    shown = without_password(url)

    assert secret not in shown
    assert re.search(re.escape(host), shown)


@pytest.mark.parametrize("url", ["unix:///run/redis.sock?db=0", "postgresql:///shop?port=5432"])
def test_a_url_without_secrets_is_shown_as_it_is(url):
    """A URL of a local socket keeps its three slashes."""
    assert without_password(url) == url


def test_every_key_is_in_the_reference():
    """The reference page names each key in its section, and none that is unknown."""
    page = (Path(__file__).parents[2] / "docs/reference/configuration.md").read_text()
    _, options, rest = re.split(r"^## `\[\w+\]`$", page, flags=re.MULTILINE)
    queue, _, _ = rest.partition("\n## ")
    named = {
        section: set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
        for section, text in (("options", options), ("queue", queue))
    }

    assert named == {
        section: {key for key, of in OPTIONS.items() if of == section} for section in named
    }
