"""Platforms draw replies and hear messages. They import the core, and what they are handed."""
