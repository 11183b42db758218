"""What the labels say: abundance planes, gradients of metallicity, and what networks read in a spectrum."""
