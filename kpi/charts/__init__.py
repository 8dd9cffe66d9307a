"""Pictures of numbers: what to draw (`chart`), how (`draw`), and where it is safe to do so (`pool`)."""
