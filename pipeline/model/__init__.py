"""The words of the house: frozen data and errors. Imports nothing of the project, does nothing."""
