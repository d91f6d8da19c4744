"""Hearsay: a chat assistant that helps people answer rumours with calm, facts and empathy."""
