"""The information plane of a network of your own: any ``torch.nn.Module``.

``data`` reads inputs and loaders, ``targets`` labels; ``layers`` says what of a module's output is
a layer, ``passing`` runs the module and leaves no trace, ``counted`` lays counting rulers on any
number of batches, ``gathering`` holds what the passes leave, ``measuring`` puts them together.
"""

from ibcore.modules.layers import Layer
from ibcore.modules.measuring import layer_outputs, measure

__all__ = ["Layer", "layer_outputs", "measure"]
