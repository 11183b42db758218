"""Time and memory of imports, in processes of their own."""


def timeraw_package():
    """The package alone, which loads nothing heavy."""
    return "import stellarlabels"


def timeraw_parallax():
    """A room that needs Astropy."""
    return "import stellarlabels.corrections.parallax"


def timeraw_system():
    """A system without its networks."""
    return "from stellarlabels import UACSNet"


def peakmem_package():
    """Memory after the import."""
    import stellarlabels  # noqa: F401
