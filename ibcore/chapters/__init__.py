"""Chapter files: experiments and claims of each source, as package data."""
