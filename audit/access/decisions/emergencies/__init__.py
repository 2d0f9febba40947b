"""Break-glass: access in an emergency, declared by the person, alerted at once, reviewed by somebody else."""
