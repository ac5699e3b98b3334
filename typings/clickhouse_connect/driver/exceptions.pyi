"""What the client raises."""

class ClickHouseError(Exception): ...

class Error(ClickHouseError):
    code: int | None
    name: str | None
