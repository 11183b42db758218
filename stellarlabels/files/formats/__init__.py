"""The file formats, a module each: ``tables(place)`` finds the tables in a file, ``write`` writes one."""

__all__ = []
