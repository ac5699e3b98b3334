"""One file per collector of host metrics; `vedette.collect.host.registry` lists them."""
