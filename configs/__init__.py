"""YAML presets of run configurations."""
