"""How fast, how small: each figure against a baseline measured in the same run."""
