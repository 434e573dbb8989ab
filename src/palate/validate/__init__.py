"""Whether judges and annotators can be trusted: agreement, order consistency, alternative test."""
