"""Items and events become an index: build beside the live one, verify, swap, update, roll back."""
