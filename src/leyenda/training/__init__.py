"""A recipe and Examples become a run folder."""
