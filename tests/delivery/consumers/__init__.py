"""Exports as the programs read them that they are made for."""
