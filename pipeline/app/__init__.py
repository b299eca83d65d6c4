"""The composition root: an ``App`` holds a publication's settings, and builder functions join them to jobs."""

from pipeline.app.app import App, resources_folder, user_name

__all__ = ["App", "resources_folder", "user_name"]
