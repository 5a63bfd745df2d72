"""A head trained together with the decoder of the network."""
