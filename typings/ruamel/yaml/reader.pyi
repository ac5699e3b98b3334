# A part of ruamel.yaml, as far as Vedette uses it.

from ruamel.yaml.error import YAMLError

class ReaderError(YAMLError):
    position: int
