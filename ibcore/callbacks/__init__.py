"""Trainers of other libraries that call a tracker: ``lightning`` and ``huggingface``.

Each file imports its library only where it is installed; ibcore needs neither.
"""
