"""Training and judging of the voice embedding: who speaks, whatever is felt.

python -m training.voices train  CONFIG --data DIR --out DIR     one network on all speakers
python -m training.voices report CONFIG --data DIR --out DIR     folds of speakers never heard
"""
