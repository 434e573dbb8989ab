"""Things that give verdicts: LLM judges in all their modes, and reward models."""
