"""
Every model can delay its methods: `records.with_delay(...)` and `records.delayable(...)`.

Importing this module gives the two to all models; it belongs to the models of `connector`.
"""

from connector.core import api
from connector.core.models import BaseModel
from connector.queue.record_delay import delayable, with_delay

BaseModel.with_delay = api.private(with_delay)  # type: ignore[attr-defined]  # joins the model
BaseModel.delayable = api.private(delayable)  # type: ignore[attr-defined]  # joins the model
