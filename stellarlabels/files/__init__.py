"""Files: containers and formats, read, scanned in parts, streamed and written, under their name only when complete."""
