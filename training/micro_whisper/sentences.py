"""What the micro Whisper knows, and what it must not claim to know."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ko": (
            "오늘 아침에 비가 많이 왔어요.",
            "저는 지금 정말 행복합니다.",
            "내일 친구를 만나러 갈 거예요.",
            "그 소식을 듣고 너무 놀랐어요.",
            "어제 밤에는 잠을 못 잤습니다.",
            "따뜻한 커피 한 잔 주세요.",
            "우리 가족은 바다를 좋아해요.",
            "왜 그렇게 화가 났어요?",
            "새로운 책을 도서관에서 빌렸습니다.",
            "기차가 열 시에 출발합니다.",
            "혼자 있으면 조금 무서워요.",
            "음악을 들으면 마음이 편해집니다.",
        ),
        "en": (
            "The train leaves at seven tomorrow morning.",
            "I am really happy to see you.",
            "Please close the window before you sleep.",
            "My brother lost his keys yesterday.",
            "She was afraid of the dark forest.",
            "This coffee tastes better than usual.",
            "Why are you so angry with me?",
            "We walked along the river after dinner.",
            "Nobody expected such a big surprise.",
            "The doctor will call you next week.",
            "Music helps me forget my worries.",
            "Children were playing in the garden.",
        ),
    }
)
"""The twelve Korean and twelve English sentences."""

UNKNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ko": (
            "회의는 오후 세 시로 미뤄졌어요.",
            "이 문제는 생각보다 어렵네요.",
            "버스 정류장이 어디에 있습니까?",
            "할머니께서 김치를 보내셨어요.",
            "컴퓨터가 갑자기 꺼졌습니다.",
            "주말마다 등산을 합니다.",
            "눈이 와서 길이 미끄러워요.",
            "전화번호를 다시 알려 주세요.",
            "시험 결과가 궁금해요.",
            "고양이가 지붕 위에 앉아 있어요.",
        ),
        "en": (
            "A strange noise came from upstairs.",
            "Our neighbours bought another old car.",
            "He forgot to mention the price.",
            "Turn left at the second traffic light.",
            "Winter evenings feel very long here.",
            "They argued about politics for hours.",
            "Could someone bring more chairs?",
            "It costs twenty dollars and fifty cents.",
            "Every student wrote a short essay.",
            "Do not touch that hot stove.",
        ),
        "de": (
            "Morgen fahren wir mit dem Fahrrad an den See.",
            "Das Wetter soll am Wochenende besser werden.",
        ),
        "es": ("Mañana por la tarde vamos al mercado.", "No encuentro mis zapatos nuevos."),
        "fr": ("Nous avons mangé une soupe délicieuse.", "Il pleut depuis trois jours."),
    }
)
"""Speech heard in training as "nothing that I know": its text is empty."""

UNHEARD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ko": ("지하철에서 지갑을 잃어버렸어요.", "축구 경기가 연기되었습니다."),
        "en": ("Several boxes arrived without a label.", "Farmers hope for rain this summer."),
        "it": ("Questa sera guardiamo un film insieme.",),
        "nl": ("De winkel is vandaag helaas gesloten.",),
    }
)
"""Speech that is neither transcribed nor refused in training; the tests ask what happens then."""
