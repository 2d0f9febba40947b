"""My Numbers never enter: twelve digits with a valid check digit are masked at the door, in whatever writing.

`writing` knows digits, separators and what only looks like a number; `encoding` sees through escapes and Base64;
`suspect` is the one pattern that decides whether a text is worth all that; `split` finds a number cut into pieces.
What is not seen through is listed in `docs/adr/0009-my-number-at-the-door.md`.
"""

from audit.events.mynumber.door import mask, mask_id
from audit.events.mynumber.split import split_numbers
from audit.events.mynumber.suspect import SUSPECT
from audit.events.mynumber.writing import DIGIT, MASK, is_my_number

__all__ = ["DIGIT", "MASK", "SUSPECT", "is_my_number", "mask", "mask_id", "split_numbers"]
