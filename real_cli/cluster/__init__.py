"""Work on many devices: windows of lines, and workers that filter them. May import models and below."""
