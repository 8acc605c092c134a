"""The archive browser."""
