"""Job functions: the registry of what a job may call, and the names it is kept under."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

from connector.exception import JobDefinitionError, NotReadableJobError

JobFunction: TypeAlias = Callable[..., Any]

#: Every function decorated with `@job`; no other one is ever called by a worker.
JOB_REGISTRY: set[JobFunction] = set()


def function_name(func: JobFunction) -> str:
    """
    The name under which a job keeps its function: `module.name`.

    Raises:
        TypeError: *func* is no function.
        NotImplementedError: it is a method, or hidden in another function, so that a worker
            could not find it by name.
    """
    name = getattr(func, "__qualname__", None)
    if name is None or not callable(func):
        raise TypeError(f"{func!r} is no function.")
    if "." in name:
        raise NotImplementedError(
            f"{name} cannot be a job function: a worker finds only functions of a module."
        )
    return f"{func.__module__}.{name}"


def is_method(func: JobFunction) -> bool:
    """Whether *func* is written in the body of a class."""
    owner = getattr(func, "__qualname__", "").rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>")


def register(func: JobFunction) -> None:
    """Allow workers to call *func*."""
    JOB_REGISTRY.add(func)


def load_function(name: str) -> JobFunction:
    """
    The job function of that name; its module is imported when need be.

    Raises:
        NotReadableJobError: the module or the function is missing, or no job function.
    """
    module_name, _, attribute = name.rpartition(".")
    func = getattr(sys.modules.get(module_name), attribute, None)
    if func is None:
        try:
            func = getattr(import_module(module_name), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise NotReadableJobError(
                f"The job function {name!r} cannot be found: {error}. "
                "Install the addon that defines it, or cancel the job."
            ) from error
    if func not in JOB_REGISTRY:
        raise NotReadableJobError(f"{name!r} is no job function. Decorate it with @job.")
    found: JobFunction = func
    return found


#: What PostgreSQL keeps in an index, in any alphabet.
LONGEST_CHANNEL = 250
#: Between the dots of a channel's name: text that a configuration can name too.
_CHANNEL_PART = re.compile(r"[^\s.,:=\0](?:[^.,:=\n\0]*[^\s.,:=\0])?")


def check_channel(channel: str) -> None:
    """
    Refuse a channel name that is not below `root`, or that no configuration could name.

    Raises:
        JobDefinitionError: it neither is `root` nor begins with `root.`, is too long, or a part
            of it is empty, begins or ends with a blank, or holds a comma, colon or equals sign.
    """
    if not isinstance(channel, str) or (channel != "root" and not channel.startswith("root.")):
        raise JobDefinitionError(f"The channel {channel!r} is not below root; write 'root.…'.")
    if len(channel) > LONGEST_CHANNEL:
        raise JobDefinitionError(
            f"The channel {channel:.40}… has {len(channel)} characters; write at most "
            f"{LONGEST_CHANNEL}."
        )
    for part in channel.split("."):
        if not _CHANNEL_PART.fullmatch(part):
            raise JobDefinitionError(
                f"The channel {channel!r} has the part {part!r}; give each a name without "
                "comma, colon, equals sign and blanks around it."
            )
