"""The words of exported documents, in English and Korean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.types import ContextResult, EmotionResult, ModelInfo

_EMOTIONS_KO: Mapping[str, str] = MappingProxyType(
    {
        "neutral": "중립",
        "happy": "기쁨",
        "angry": "분노",
        "surprise": "놀람",
        "sad": "슬픔",
        "fear": "두려움",
        "disgust": "혐오",
    }
)

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "title": ("Emotions in a conversation", "대화 속 감정"),
        "recorded": ("Analysed", "분석 시각"),
        "length": ("Length", "길이"),
        "turns": ("Turns", "발화 수"),
        "speakers": ("Speakers", "화자"),
        "speaker": ("Speaker", "화자"),
        "nobody": ("Speaker not known", "화자 미상"),
        "timeline": ("Timeline", "시간 흐름"),
        "timeline_help": (
            "One lane per speaker; each block is a turn. Curves: the probability of each emotion. "
            "Point at a block to read it.",
            "화자마다 한 줄이며, 칸 하나가 발화 하나입니다. 곡선은 감정별 확률입니다. "
            "칸 위에 마우스를 올리면 내용을 볼 수 있습니다.",
        ),
        "shares": ("Time spoken in each emotion", "감정별 말한 시간"),
        "plane": ("Arousal and valence", "각성도와 정서가"),
        "plane_derived": (
            "Derived from the probabilities, not measured.",
            "직접 측정한 값이 아니라 확률에서 계산한 값입니다.",
        ),
        "plane_help": (
            "Each dot is a turn; the larger, the longer it is.",
            "점 하나가 발화 하나이며, 클수록 깁니다.",
        ),
        "arousal": ("arousal", "각성도"),
        "valence": ("valence", "정서가"),
        "transcript": ("Transcript", "대화 내용"),
        "time": ("Time", "시각"),
        "text": ("Words", "말"),
        "emotion": ("Emotion", "감정"),
        "evidence": ("All probabilities", "전체 확률"),
        "no_text": ("(no text)", "(글자 없음)"),
        "no_emotion": ("(not judged)", "(판단 안 됨)"),
        "no_turns": (
            "No speech was found in this recording.",
            "이 녹음에서 말소리를 찾지 못했습니다.",
        ),
        "none_given": ("no emotion given", "해당 감정 없음"),
        "plane_measured": (
            "Measured by the model.",
            "모델이 직접 측정한 값입니다.",
        ),
        "independent_help": (
            "Each emotion is judged on its own: several can be given, or none, and the "
            "probabilities need not add up to 100 %.",
            "감정마다 따로 판단합니다. 여러 감정이 함께 나오거나 하나도 나오지 않을 수 있으며, "
            "확률의 합이 100 %가 아닐 수 있습니다.",
        ),
        "borderline": ("close to its threshold", "기준값에 아주 가까움"),
        "in_context": ("in context", "대화 맥락에서"),
        "with_hindsight": ("with hindsight", "뒤의 대화까지 보면"),
        "alone": ("by itself", "이 발화만 보면"),
        "looked_at": ("looked at", "참고한 발화"),
        "shift_from": ("shift from {}", "감정 변화(이전: {})"),
        "context_help": (
            "Where a model that reads the dialogue says something else, that stands below: in "
            "context, from the turns before; with hindsight, also from those after.",
            "대화를 함께 읽는 모델의 판단이 다르면 아래에 적었습니다. 대화 맥락에서: 앞선 발화까지 "
            "본 판단, 뒤의 대화까지 보면: 이후 발화까지 본 판단.",
        ),
        "shift_help": (
            "A shift is a change from the speaker's own turn before.",
            "감정 변화는 같은 화자의 이전 발화와 감정이 달라진 곳입니다.",
        ),
        "learned_from": (
            "The dialogue model learned from conversations in {} only: what it says of any other "
            "language means little.",
            "대화 모델은 {} 대화로만 학습했습니다. 다른 언어에 대한 판단은 믿기 어렵습니다.",
        ),
        "dialogue_model": ("Dialogue model", "대화 모델"),
        "not_sure": ("not sure", "확실하지 않음"),
        "share_speech": ("voice", "음성"),
        "share_text": ("words", "말"),
        "share_vision": ("face", "영상"),
        "too_short": ("too short", "너무 짧음"),
        "too_noisy": ("too noisy", "잡음이 많음"),
        "too_even": ("no emotion stands out", "뚜렷한 감정이 없음"),
        "how": ("How this was made", "만든 방법"),
        "model": ("Model", "모델"),
        "digest": ("Weights (SHA-256)", "가중치 (SHA-256)"),
        "transcriber": ("Words by", "받아 적기"),
        "annotated": ("a transcript that came with the recording", "녹음과 함께 있던 대본"),
        "speech_only": ("no words: speech alone", "없음: 음성만 사용"),
        "program": ("Program", "프로그램"),
        "limits_title": ("What these numbers are", "이 숫자의 의미"),
        "limits": (
            "They are a model's reading of how something was said (and of the words, where there "
            "are any). They are not facts about what a person feels: people differ, act, and mix "
            "emotions, and the model is often wrong, more so for voices, languages and situations "
            "unlike the ones it was trained on. Do not use them to decide about a person.",
            "이 숫자는 말하는 방식(글자가 있으면 그 내용도)을 모델이 읽은 결과입니다. "
            "그 사람이 실제로 느끼는 감정에 대한 사실이 아닙니다. 사람마다 표현이 다르고, "
            "감정은 꾸미거나 섞일 수 있으며, 모델은 자주 틀립니다. "
            "학습한 것과 다른 목소리, 언어, 상황에서는 더 그렇습니다. "
            "사람에 대한 결정을 내리는 데 쓰지 마십시오.",
        ),
    }
)  # fmt: skip

_NOTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "beyond_end_of_audio": ("cut at the end of the sound", "소리가 끝나는 곳에서 잘림"),
        "context_failed": ("not read in its context", "대화 맥락에서 판단하지 못함"),
        "emotion_failed": ("could not be judged", "판단하지 못함"),
        "emotion_skipped_falling_behind": (
            "not judged: the computer could not keep up",
            "컴퓨터가 따라가지 못해 판단하지 않음",
        ),
        "interrupted": ("the program ended before its text was there", "글자가 나오기 전에 종료됨"),
        "long_annotation_split": ("part of a longer line", "긴 발화의 일부"),
        "no_text_to_judge": (
            "not judged: the model reads text, and there is none it can read",
            "모델이 글을 읽고 판단하는데 읽을 수 있는 글이 없어 판단하지 않음",
        ),
        "text_awaited": ("waiting for its text", "글자를 기다리는 중"),
        "recognition_failed": ("its words could not be recognised", "말을 받아 적지 못함"),
        "speech_only": ("judged by speech alone", "음성만으로 판단"),
        "text_language_unknown": (
            "the model does not read this language: judged by speech",
            "모델이 모르는 언어라 음성으로 판단",
        ),
        "text_bettered": ("the words were looked at a second time", "말을 다시 한번 살펴봄"),
        "text_rejected": ("the recognised words were not credible", "받아 적은 말을 믿기 어려움"),
        "text_skipped": ("stopped before its text was there", "글자가 나오기 전에 중지됨"),
        "text_skipped_falling_behind": (
            "no words: the computer could not keep up",
            "컴퓨터가 따라가지 못해 받아 적지 않음",
        ),
    }
)


def words(language: str) -> dict[str, str]:
    """Return every fixed phrase of a report in a language."""
    column = 1 if language == "ko" else 0
    return {name: pair[column] for name, pair in _WORDS.items()}


def note_phrase(code: str, language: str) -> str:
    """Return a turn's note as a phrase; an unknown code as it is."""
    pair = _NOTES.get(code)
    return pair[1 if language == "ko" else 0] if pair else code.replace("_", " ")


def emotion_word(label: str, language: str) -> str:
    """Return the word for a class; one without a translation keeps its own name."""
    return _EMOTIONS_KO.get(label, label) if language == "ko" else label


def given_words(emotion: EmotionResult, language: str) -> str:
    """Return the labels a result gives, as "happy" or "happy + surprise"; or that it gives none."""
    given = [emotion_word(label, language) for label in emotion.given]
    return " + ".join(given) or words(language)["none_given"]


def emotion_phrase(emotion: EmotionResult, language: str) -> str:
    """Return for example "happy 71 %", with a question mark when the result is uncertain.

    Where labels stand for themselves, for example "happy 71 % + surprise 55 %".
    """
    doubt = "?" if emotion.uncertain else ""
    if not emotion.given:
        return f"{words(language)['none_given']}{doubt}"
    shares = dict(zip(emotion.labels, emotion.probabilities, strict=True))
    return " + ".join(
        f"{emotion_word(label, language)}{doubt} {shares[label] * 100:.0f} %"
        for label in emotion.given
    )


def context_phrase(result: ContextResult, language: str) -> str:
    """Return for example "happy 71 %", with a question mark when the result is uncertain."""
    doubt = "?" if result.uncertain else ""
    return f"{emotion_word(result.label, language)}{doubt} {100 * result.confidence:.0f} %"


_LANGUAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"en": ("English", "영어"), "ko": ("Korean", "한국어")}
)


def languages_phrase(model: ModelInfo, language: str) -> str:
    """Return which languages a dialogue model learned from; empty where it does not say."""
    column = 1 if language == "ko" else 0
    named = [_LANGUAGES.get(code, (code, code))[column] for code in model.languages]
    return words(language)["learned_from"].format(", ".join(named)) if named else ""


def clock(duration: float) -> str:
    """Return seconds as m:ss or h:mm:ss."""
    whole = int(duration)
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}"


def span(duration: float) -> str:
    """Return a length of time: "0.6 s", "42 s", then as a clock."""
    if duration < 60:
        return f"{duration:.1f} s" if duration < 10 else f"{duration:.0f} s"
    return clock(duration)
