"""A student of the language model: trained on its annotations, it annotates any number of pairs."""

from __future__ import annotations

from palate.distil.student import Student as Student
from palate.distil.train import distil as distil
