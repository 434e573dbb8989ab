"""Explanations put to work, which also tests them: judge hack and tie break."""
