"""Importing the image of a record."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable
from typing import Any, ClassVar

from connector.connector import ExternalId
from connector.exception import IDMissingInBackend
from connector.session import Recordset
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.synchronizer import Importer

__all__ = ["ImageImporter"]

logger = logging.getLogger(__name__)


class ImageImporter(Importer):
    """
    Writes the first image of a record that the backend really has.

    A record importer runs it from `after_import`.  An image that is gone (404) is passed over for
    the next one; any other error is raised, so that no image is lost to a network that fails.
    """

    _base_backend_adapter = CRUDAdapter

    #: Field that takes the image, as base64.
    _image_field: ClassVar[str] = "image"

    def images(self, external_id: ExternalId) -> Iterable[Any]:
        """Give what the backend tells of a record's images."""
        return self.backend_adapter.images(external_id)  # type: ignore[no-any-return]

    def sort_key(self, image: Any) -> Any:
        """Hook: the image with the smallest key is tried first; by default the order given."""
        return 0

    def read_image(self, image: Any) -> bytes:
        """Give the bytes of an image; IDMissingInBackend when it is gone."""
        return self.backend_adapter.read_image(image)  # type: ignore[no-any-return]

    def run(self, external_id: ExternalId, binding: Recordset) -> bool:
        """Write the image, and say whether there was one; without any, nothing is written."""
        for image in sorted(self.images(external_id), key=self.sort_key):
            try:
                content = self.read_image(image)
            except IDMissingInBackend:
                logger.info("Image is gone", extra={"external_id": external_id})
                continue
            silent = binding.with_context(connector_no_export=True)
            silent.write({self._image_field: base64.b64encode(content)})
            return True
        return False
