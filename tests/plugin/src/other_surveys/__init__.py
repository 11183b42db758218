"""Systems for surveys that stellarlabels does not know."""
