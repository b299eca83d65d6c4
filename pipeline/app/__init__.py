"""The composition root: one Config becomes the objects that jobs work with.

The only place that joins rooms to settings. Each file adds to the one before: ``house`` (settings, feeds, the store),
``reading`` (feeds in), ``making`` (editions), ``leaving`` (editions out), ``running`` (all of it by itself), ``living``
(and while config.toml changes).
"""

from pipeline.app.app import resources_folder
from pipeline.app.tasks import App

__all__ = ["App", "resources_folder"]
