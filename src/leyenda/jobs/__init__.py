"""What each verb does, as a Python call."""
