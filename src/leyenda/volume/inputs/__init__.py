"""What a user names becomes a stream of items: files, folders, globs, lists, tables, shards, data sets."""
