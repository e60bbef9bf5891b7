"""What `Odoo` and `AsyncOdoo` share: the address, the account, the context, models by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from connector.rpc import services
from connector.rpc.conversation import Account, Retries
from connector.rpc.helpers import odoo_base_url2jsonrpc_endpoint
from connector.rpc.model_calls import METHODS, ModelCall
from connector.rpc.protocol import Call
from connector.rpc.redaction import shown_url

Context = Mapping[str, Any] | None


class Face:
    """The part of a friendly face that waits for nothing."""

    def __init__(
        self, url: str, account: Account, retries: Retries | None, context: Context
    ) -> None:
        if account.login is None and account.uid is None:
            raise ValueError("Give the login of the user, or the uid.")
        self._url = odoo_base_url2jsonrpc_endpoint(url)
        self._account = account
        self._retries = retries or Retries()
        self._context = dict(context or {})

    @property
    def uid(self) -> int | None:
        """The user's id, once it is known."""
        return self._account.uid

    def __getitem__(self, model: str) -> BoundModel:
        """The methods of one model: `odoo["res.partner"].search(domain)`."""
        return BoundModel(self, model)

    def __repr__(self) -> str:
        user = self._account.login or self._account.uid
        place = shown_url(self._url)
        return f"<{type(self).__name__} {user} in {self._account.database} on {place}>"

    def _login_call(self) -> Call[services.Uid]:
        account = self._account
        assert account.login is not None
        return services.login(db=account.database, login=account.login, password=account.password)

    def _model_call(self, uid: int, call: ModelCall, context: Context) -> Call[Any]:
        kwargs = dict(call.kwargs)
        merged = {**self._context, **(kwargs.get("context") or {}), **(context or {})}
        if merged:
            kwargs["context"] = merged
        return services.execute_kw(
            db=self._account.database,
            uid=uid,
            password=self._account.password,
            obj=call.model,
            method=call.method,
            args=call.args,
            kwargs=kwargs,
        )


class BoundModel:
    """A model whose methods, any public ones, are called like those of an object."""

    def __init__(self, face: Face, model: str) -> None:
        self._face = face
        self._model = model

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(f"Private methods such as {method!r} cannot be called.")
        if method in METHODS:
            return partial(getattr(self._face, method), self._model)
        return partial(getattr(self._face, "execute"), self._model, method)  # noqa: B009

    def __repr__(self) -> str:
        return f"<{self._model} of {self._face!r}>"
