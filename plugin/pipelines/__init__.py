"""A search pipeline of the cluster, by which plain searches become personal."""
