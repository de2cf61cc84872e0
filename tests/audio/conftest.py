from tests.pulse import virtual_microphone

__all__ = ["virtual_microphone"]
