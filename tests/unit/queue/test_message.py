"""The messages of Redis: one entry point, and nothing else."""

import json
import zlib

import pytest

from connector.queue.broker import ENTRY_POINT, message_id
from queue_worker.message import Message, RefusedMessageError


class NoRedis:
    """Stands where a connection is needed to make a message, and answers nothing."""


def message(data):
    made = Message("id", connection=NoRedis())
    raw = data if isinstance(data, bytes) else zlib.compress(json.dumps(data).encode())
    from rq.serializers import JSONSerializer

    made.serializer = JSONSerializer
    made.restore({b"data": raw, b"created_at": b"2026-11-21T09:00:00.000000Z"})
    return made


def test_database_and_uuid_are_read():
    """
    A message of the entry point gives its database and uuid.
    """
    assert message([ENTRY_POINT, None, ["shop", "u-1"], {}]).call == ("shop", "u-1")


@pytest.mark.parametrize(
    "data",
    [
        ["os.system", None, ["true"], {}],
        ["os.system", None, ["shop", "u-1"], {}],
        [ENTRY_POINT, "instance", ["shop", "u-1"], {}],
        [ENTRY_POINT, None, ["shop"], {}],
        [ENTRY_POINT, None, ["shop", 1], {}],
        [ENTRY_POINT, None, ["shop", "u-1"], {"timeout": 1}],
        ["queue_worker.runner.os.system", None, ["shop", "u-1"], {}],
        {"not": "a call"},
        b"\x80\x04cos\nsystem\n",
    ],
)
def test_everything_else_is_refused(data):
    """
    A message that is not the entry point with two texts is refused before anything is imported.
    """
    refused = message(data)

    with pytest.raises(RefusedMessageError):
        refused.call  # noqa: B018
    with pytest.raises(RefusedMessageError):
        refused.func  # noqa: B018


def test_one_job_has_one_message_per_database():
    """
    The id of a message is the same for each delivery and differs between databases.
    """
    assert message_id("shop", "u-1") == message_id("shop", "u-1")
    assert message_id("shop", "u-1") != message_id("other", "u-1")
    assert message_id('odd "name"', "u-1").replace("-", "").isalnum()
