"""Reward models as mechanisms: a score per response, and the verdicts that follow from two."""
