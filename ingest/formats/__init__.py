"""One module a format; `registry.py` names them."""
