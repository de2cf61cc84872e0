"""Recipe of the micro Whisper: a test fixture that transcribes two dozen synthetic sentences.

Recognition can't be tested end to end without a Whisper model, and no published one is small
enough to commit. This recipe over-fits a Whisper of under a million parameters, on purpose, on
sentences spoken by espeak-ng, and converts it for faster-whisper. It knows nothing else: of other
speech, noise and silence it learns to say nothing.
"""
