"""SASRec: what a user chooses next, from the order of what the user chose before."""
