"""What the labels say: diagrams, abundance planes, gradients of metallicity, and what networks read in a spectrum."""
