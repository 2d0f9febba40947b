"""Where accounts act: new places, several at once, somebody else's."""
