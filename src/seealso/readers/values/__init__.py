"""Values of columns: what single cells mean, whatever type and form a source gives them."""
