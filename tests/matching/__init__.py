"""How what people type is matched."""
