"""From the entries of a week to an edition: pair, select, compose, render, check and seal. Pure but for ``render``."""
