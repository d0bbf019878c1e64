"""Work on several devices or machines: windows of records as bytes, and their workers. May import models and below."""
