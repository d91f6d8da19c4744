"""Turns of conversations."""
