"""Vedette: observability in one process."""
