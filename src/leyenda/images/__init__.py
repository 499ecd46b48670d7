"""Bytes, files, URLs and arrays become RGB pictures."""
