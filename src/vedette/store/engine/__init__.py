"""The SQL engine under every signal: ClickHouse, in this process or on a server."""

from vedette.store.engine.chdb import ChdbEngine
from vedette.store.engine.clickhouse import ClickHouseEngine, ClickHouseServer
from vedette.store.engine.protocol import Engine, EngineSettings, Parameter, Parameters

__all__ = [
    "ChdbEngine",
    "ClickHouseEngine",
    "ClickHouseServer",
    "Engine",
    "EngineSettings",
    "Parameter",
    "Parameters",
]
