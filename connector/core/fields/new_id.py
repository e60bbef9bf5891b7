"""NewId, the id of a record in draft."""

__all__ = ["NewId"]


class NewId:
    """The id of a record in draft: false, and equal to itself only."""

    __slots__ = ("origin",)

    def __init__(self, origin: int | None = None) -> None:
        self.origin = origin

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<NewId {self.origin or hex(id(self))}>"
