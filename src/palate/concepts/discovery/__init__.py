"""Concepts found by a language model: one step of discovery per file, `discover` runs them."""
