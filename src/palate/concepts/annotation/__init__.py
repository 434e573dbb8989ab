"""Concepts annotated by a language model: pairs and definitions in, an `Annotation` out."""
