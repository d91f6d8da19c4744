"""Files become checked, frozen objects. Knows no feature."""
