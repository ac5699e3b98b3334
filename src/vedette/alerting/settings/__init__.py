"""The settings of an alertmanager.yml. Nothing is offered here: receivers build on parts of it, and it on receivers."""
