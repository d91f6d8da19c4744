"""The content library, held to account part by part."""
