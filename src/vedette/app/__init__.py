"""The composition root: builds services from the configuration, starts them in order, stops them in the reverse."""

from vedette.app.process import ServerOptions, run

__all__ = ["ServerOptions", "run"]
