# A part of ruamel.yaml, as far as Vedette uses it.

from ruamel.yaml.error import StringMark

class Event:
    start_mark: StringMark
    end_mark: StringMark

class DocumentEndEvent(Event): ...
