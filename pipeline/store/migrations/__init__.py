"""The migrations: one numbered module for each step, such as ``m0002_add_topics``, with ``upgrade(connection)``.

To change the schema, add a module and change ``schema/`` to match; a test compares the two. A migration names its own
tables instead of importing today's, and is never edited once it has been released.
"""
