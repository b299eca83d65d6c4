"""How the database came to be what it is: one numbered file a step.

To change the schema, add ``m0002_what_it_does.py`` with ``upgrade(connection)`` and change ``tables.py`` to match.
A step is history: it names its own tables instead of importing today's, and is never edited once released.
"""
