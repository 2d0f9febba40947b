"""Look-ups that cite a case which does not account for them."""
