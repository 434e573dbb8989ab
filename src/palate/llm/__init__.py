"""The one place that talks to language models: structured questions in, one outcome each out."""
