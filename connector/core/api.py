"""The face of the core for model code: the decorators, and the environments."""

from connector.core.decorators import (
    constrains,
    depends,
    model,
    model_cr,
    model_cr_context,
    model_create_multi,
    multi,
    onchange,
    one,
    private,
    returns,
)
from connector.core.environment import Environment, Environments

__all__ = [
    "Environment",
    "Environments",
    "constrains",
    "depends",
    "model",
    "model_cr",
    "model_cr_context",
    "model_create_multi",
    "multi",
    "onchange",
    "one",
    "private",
    "returns",
]
