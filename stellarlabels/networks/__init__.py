"""Networks, layers, losses and training: the only room that imports Keras, and only when it is used."""
