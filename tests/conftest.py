from __future__ import annotations

from hypothesis import settings

# Kernels compile when they are first called, so one slow example says nothing.
settings.register_profile("vedette", deadline=None)
settings.load_profile("vedette")
