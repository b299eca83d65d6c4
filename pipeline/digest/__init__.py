"""Room 3: from the entries of a week to an edition: select, pair, compose, render, seal."""
