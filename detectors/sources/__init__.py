"""What befalls a source as its log tells it afterwards: silence, missing numbers, a wrong clock, backdated acts."""
