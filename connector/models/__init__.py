"""The models of the addon `connector`."""

from connector.models import backend
from connector.models import binding
from connector.models import checkpoint
