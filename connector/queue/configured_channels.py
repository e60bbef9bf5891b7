"""The channels of the configuration, followed while they change."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from connector.config import Config
from connector.exception import ConnectorException
from connector.queue.channels import ChannelSettings, settings_from_text

logger = logging.getLogger(__name__)


class ConfiguredChannels:
    """
    The channels that a configuration names, read again whenever its file has changed.

    A file that cannot be read any more leaves the channels as they were, and is told once.

    Raises:
        ChannelSettingsError: they cannot be read at the beginning.
    """

    def __init__(self, config: Config) -> None:
        self._conffile = config.conffile
        self._stamp = self._stamp_of_file()
        self._settings = settings_from_text(config.channels)

    def __iter__(self) -> Iterator[ChannelSettings]:
        stamp = self._stamp_of_file()
        if stamp != self._stamp:
            self._stamp = stamp
            self._read()
        return iter(self._settings)

    def _read(self) -> None:
        try:
            self._settings = settings_from_text(Config.load(conffile=self._conffile).channels)
            logger.info("The channels of %s are read again", self._conffile)
        except ConnectorException as error:
            logger.warning("The channels stay as they were: %s", error)

    def _stamp_of_file(self) -> tuple[int, int, int] | None:
        if self._conffile is None:
            return None
        try:
            found = os.stat(self._conffile)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
