"""Turns cells into ids, texts, numbers, times and lists, whatever type a source gives them."""
