<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ko" sourcelanguage="en">
<context>
    <name>AboutDialog</name>
    <message>
        <source>About Emoscope</source>
        <translation>Emoscope 정보</translation>
    </message>
    <message>
        <source>&lt;h3&gt;Emoscope {version}&lt;/h3&gt;&lt;p&gt;Listens to people talk and shows, live, what they may feel and what that was read from.&lt;/p&gt;&lt;p&gt;Free software under the Apache License 2.0. The weights that ship with it have a licence of their own: see the model card.&lt;/p&gt;&lt;p&gt;Built with Qt for Python, PyQtGraph, PyTorch and faster-whisper.&lt;/p&gt;</source>
        <translation>&lt;h3&gt;Emoscope {version}&lt;/h3&gt;&lt;p&gt;대화를 들으며, 어떤 감정이 담겨 있을지와 그렇게 본 근거를 실시간으로 보여 줍니다.&lt;/p&gt;&lt;p&gt;Apache License 2.0에 따른 자유 소프트웨어입니다. 함께 제공되는 가중치에는 별도의 이용 조건이 있습니다. 모델 카드를 보세요.&lt;/p&gt;&lt;p&gt;Qt for Python, PyQtGraph, PyTorch, faster-whisper로 만들었습니다.&lt;/p&gt;</translation>
    </message>
</context>
<context>
    <name>Actions</name>
    <message>
        <source>Record or stop</source>
        <translation>녹음 시작/정지</translation>
    </message>
    <message>
        <source>Hear the selected turn</source>
        <translation>선택한 발화 듣기</translation>
    </message>
    <message>
        <source>Previous turn</source>
        <translation>이전 발화</translation>
    </message>
    <message>
        <source>Next turn</source>
        <translation>다음 발화</translation>
    </message>
    <message>
        <source>Follow the newest turn</source>
        <translation>최신 발화 따라가기</translation>
    </message>
    <message>
        <source>Model…</source>
        <translation>모델…</translation>
    </message>
    <message>
        <source>Show the whole recording</source>
        <translation>녹음 전체 보기</translation>
    </message>
    <message>
        <source>Open a recording…</source>
        <translation>녹음 열기…</translation>
    </message>
    <message>
        <source>Try the sample</source>
        <translation>샘플 체험</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>내보내기…</translation>
    </message>
    <message>
        <source>Back to the start page</source>
        <translation>시작 화면으로</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>설정…</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>끝내기</translation>
    </message>
    <message>
        <source>Find in the transcript</source>
        <translation>대화록에서 찾기</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>전체 화면</translation>
    </message>
    <message>
        <source>Restore the layout</source>
        <translation>배치 초기화</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>단축키</translation>
    </message>
    <message>
        <source>What the numbers mean</source>
        <translation>숫자의 의미</translation>
    </message>
    <message>
        <source>Get a speech recognition model…</source>
        <translation>음성 인식 모델 받기…</translation>
    </message>
    <message>
        <source>Open the log folder</source>
        <translation>로그 폴더 열기</translation>
    </message>
    <message>
        <source>About Emoscope</source>
        <translation>Emoscope 정보</translation>
    </message>
    <message>
        <source>Show the dialogue</source>
        <translation>대화 보기</translation>
    </message>
    <message>
        <source>Turns with or without context</source>
        <translation>발화를 맥락과 함께/없이 보기</translation>
    </message>
    <message>
        <source>Say how a turn sounded…</source>
        <translation>발화가 어떻게 들렸는지 알려 주기…</translation>
    </message>
    <message>
        <source>Personal adapter…</source>
        <translation>개인 어댑터…</translation>
    </message>
    <message>
        <source>Use the personal adapter</source>
        <translation>개인 어댑터 사용</translation>
    </message>
</context>
<context>
    <name>AffectPanel</name>
    <message>
        <source>Arousal and valence</source>
        <translation>각성도와 정서가</translation>
    </message>
    <message>
        <source>Plane of valence and arousal</source>
        <translation>정서가–각성도 평면</translation>
    </message>
    <message>
        <source>valence {valence}, arousal {arousal}</source>
        <translation>정서가 {valence}, 각성도 {arousal}</translation>
    </message>
    <message>
        <source>derived from the probabilities</source>
        <translation>확률에서 계산한 값</translation>
    </message>
    <message>
        <source>measured by the model</source>
        <translation>모델이 직접 측정한 값</translation>
    </message>
    <message>
        <source>no position: not measured, and not every emotion has a place here</source>
        <translation>위치 없음: 측정하지 않았고, 평면에 자리가 없는 감정이 있음</translation>
    </message>
</context>
<context>
    <name>AffectPlane</name>
    <message>
        <source>unpleasant</source>
        <translation>불쾌</translation>
    </message>
    <message>
        <source>pleasant</source>
        <translation>유쾌</translation>
    </message>
    <message>
        <source>excited</source>
        <translation>흥분</translation>
    </message>
    <message>
        <source>calm</source>
        <translation>차분</translation>
    </message>
</context>
<context>
    <name>AttentionPlot</name>
    <message>
        <source>{modality}: {times} × as much as if all were alike</source>
        <translation>{modality}: 모두 고를 때의 {times}배</translation>
    </message>
    <message>
        <source>{time} s</source>
        <translation>{time}초</translation>
    </message>
</context>
<context>
    <name>Axis</name>
    <message>
        <source>−{seconds} s</source>
        <translation>−{seconds}초</translation>
    </message>
</context>
<context>
    <name>CapturePanel</name>
    <message>
        <source>Microphone</source>
        <translation>마이크</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>언어</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Channels</source>
        <translation>채널</translation>
    </message>
    <message>
        <source>Which channels are heard; two can be two speakers</source>
        <translation>어떤 채널을 들을지 고릅니다. 두 채널은 두 사람일 수 있습니다</translation>
    </message>
    <message>
        <source>Level of the sound</source>
        <translation>소리 크기</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>열기…</translation>
    </message>
    <message>
        <source>Open a recording (Ctrl+O)</source>
        <translation>녹음 열기 (Ctrl+O)</translation>
    </message>
    <message>
        <source>Open a recording</source>
        <translation>녹음 열기</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>설정 (Ctrl+,)</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Mixed</source>
        <translation>섞어서</translation>
    </message>
    <message>
        <source>Left</source>
        <translation>왼쪽</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>오른쪽</translation>
    </message>
    <message>
        <source>Two speakers</source>
        <translation>두 사람</translation>
    </message>
    <message>
        <source>System default</source>
        <translation>시스템 기본값</translation>
    </message>
    <message>
        <source>Look again…</source>
        <translation>다시 찾기…</translation>
    </message>
    <message>
        <source>Embedded</source>
        <translation>내장 모델</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>폴더 선택…</translation>
    </message>
    <message>
        <source>Finishing…</source>
        <translation>마무리 중…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>정지</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>녹음</translation>
    </message>
    <message>
        <source>{action} (Ctrl+R)</source>
        <translation>{action} (Ctrl+R)</translation>
    </message>
</context>
<context>
    <name>Controller</name>
    <message>
        <source>Folder of a model</source>
        <translation>모델 폴더</translation>
    </message>
    <message>
        <source>Sound and video ({patterns})</source>
        <translation>소리와 동영상 ({patterns})</translation>
    </message>
    <message>
        <source>Open a recording</source>
        <translation>녹음 열기</translation>
    </message>
    <message>
        <source>Folder of a dialogue model</source>
        <translation>대화 모델 폴더</translation>
    </message>
</context>
<context>
    <name>Correcting</name>
    <message>
        <source>me</source>
        <translation>나</translation>
    </message>
    <message>
        <source>Whose voice is it?</source>
        <translation>누구의 목소리인가요?</translation>
    </message>
    <message>
        <source>Name of the person, for you alone:</source>
        <translation>사람 이름(나만 봅니다):</translation>
    </message>
</context>
<context>
    <name>CorrectionMenu</name>
    <message>
        <source>Take back what I said</source>
        <translation>내가 알려 준 것 되돌리기</translation>
    </message>
    <message>
        <source>Personal adapter…</source>
        <translation>개인 어댑터…</translation>
    </message>
    <message>
        <source>How did “{text}” sound?</source>
        <translation>“{text}”, 어떻게 들렸나요?</translation>
    </message>
    <message>
        <source>How did it sound?</source>
        <translation>어떻게 들렸나요?</translation>
    </message>
    <message>
        <source>&amp;0  Right as it is: {emotion}</source>
        <translation>&amp;0  그대로 맞음: {emotion}</translation>
    </message>
    <message>
        <source>Whose voice: {person}</source>
        <translation>목소리의 주인: {person}</translation>
    </message>
    <message>
        <source>Somebody else…</source>
        <translation>다른 사람…</translation>
    </message>
</context>
<context>
    <name>CorrectionRow</name>
    <message>
        <source>Was that right?</source>
        <translation>맞았나요?</translation>
    </message>
    <message>
        <source>Say what it was…</source>
        <translation>알려 주기…</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>바꾸기…</translation>
    </message>
    <message>
        <source>Your word is kept beside the model&apos;s (Ctrl+L)</source>
        <translation>알려 준 것은 모델의 판단 옆에 따로 남습니다(Ctrl+L)</translation>
    </message>
    <message>
        <source>You say: right, {emotion} ({person})</source>
        <translation>내 판단: 맞음, {emotion} ({person})</translation>
    </message>
    <message>
        <source>You say: {emotion} ({person})</source>
        <translation>내 판단: {emotion} ({person})</translation>
    </message>
</context>
<context>
    <name>CurvesPanel</name>
    <message>
        <source>Emotion over time</source>
        <translation>시간에 따른 감정</translation>
    </message>
    <message>
        <source>Probability of each emotion over time</source>
        <translation>시간에 따른 감정별 확률</translation>
    </message>
    <message>
        <source>voice</source>
        <translation>목소리</translation>
    </message>
</context>
<context>
    <name>DelayLabel</name>
    <message>
        <source>How long after something was said its result is shown. The pause that tells that a turn is over is part of it.</source>
        <translation>말한 뒤 그 결과가 나오기까지 걸린 시간입니다. 발화가 끝났음을 알아차리는 데 필요한 침묵도 들어 있습니다.</translation>
    </message>
    <message>
        <source>Delay of the results: {delay}</source>
        <translation>결과 지연: {delay}</translation>
    </message>
</context>
<context>
    <name>DialoguePanel</name>
    <message>
        <source>With context</source>
        <translation>맥락 있음</translation>
    </message>
    <message>
        <source>Without context</source>
        <translation>맥락 없음</translation>
    </message>
    <message>
        <source>With later turns too</source>
        <translation>뒤의 대화까지</translation>
    </message>
    <message>
        <source>Dialogue</source>
        <translation>대화</translation>
    </message>
    <message>
        <source>Turns by speaker, and what the shown turn drew on</source>
        <translation>화자별 발화와, 표시된 발화가 참고한 발화</translation>
    </message>
    <message>
        <source>With or without context</source>
        <translation>맥락 있음/없음</translation>
    </message>
    <message>
        <source>What is shown beside the turns</source>
        <translation>발화 옆에 보여 줄 내용</translation>
    </message>
    <message>
        <source>This turn</source>
        <translation>이 발화</translation>
    </message>
    <message>
        <source>Influence</source>
        <translation>영향</translation>
    </message>
    <message>
        <source>Sizes</source>
        <translation>크기</translation>
    </message>
    <message>
        <source>Who follows whom</source>
        <translation>누가 누구를 따라가는지</translation>
    </message>
    <message>
        <source>Nested sizes of the dialogue model</source>
        <translation>대화 모델의 중첩 크기(마트료시카)</translation>
    </message>
    <message>
        <source>Arcs: what the dialogue model drew on for this turn, not a proof of why.</source>
        <translation>곡선: 대화 모델이 이 발화를 볼 때 참고한 발화이며, 판단 이유의 증거는 아닙니다.</translation>
    </message>
    <message>
        <source>▼ a speaker&apos;s emotion shifts.</source>
        <translation>▼ 화자의 감정이 바뀜.</translation>
    </message>
    <message>
        <source>Strip below a turn: seen later.</source>
        <translation>발화 아래 띠: 뒤의 대화까지 본 결과.</translation>
    </message>
    <message>
        <source>voice</source>
        <translation>목소리</translation>
    </message>
    <message>
        <source>others</source>
        <translation>그 밖</translation>
    </message>
    <message>
        <source>This turn has not been read in context.</source>
        <translation>이 발화는 아직 맥락 속에서 판단하지 않았습니다.</translation>
    </message>
    <message>
        <source>Without context a turn draws on no other.</source>
        <translation>맥락 없이는 다른 발화를 참고하지 않습니다.</translation>
    </message>
    <message>
        <source>No earlier turn to draw on yet.</source>
        <translation>아직 참고할 앞선 발화가 없습니다.</translation>
    </message>
    <message>
        <source>There is no dialogue model: every turn is judged on its own. With one, a turn is read among those before it.</source>
        <translation>대화 모델이 없어 발화를 하나씩 따로 판단합니다. 대화 모델이 있으면 앞선 발화들과 함께 판단합니다.</translation>
    </message>
    <message>
        <source>The turns of the conversation appear here as they are judged.</source>
        <translation>발화를 판단하는 대로 여기에 나타납니다.</translation>
    </message>
    <message>
        <source>The dialogue model says nothing of this turn.</source>
        <translation>이 발화에 대한 대화 모델의 판단이 없습니다.</translation>
    </message>
    <message>
        <source>{model} {version}, looks at {window} turns</source>
        <translation>{model} {version}, 발화 {window}개를 함께 봄</translation>
    </message>
</context>
<context>
    <name>EffortLabel</name>
    <message>
        <source>This computer is busy, so what is shown while somebody speaks gives way, one step at a time, and comes back by itself. The result of a finished turn and the recorded sound never give way.</source>
        <translation>컴퓨터가 바빠서, 말하는 동안 보여 주는 것을 한 단계씩 줄입니다. 여유가 생기면 저절로 돌아옵니다. 끝난 발화의 결과와 녹음된 소리는 절대 줄이지 않습니다.</translation>
    </message>
</context>
<context>
    <name>Engine</name>
    <message>
        <source>PyTorch (as it comes)</source>
        <translation>PyTorch(그대로)</translation>
    </message>
    <message>
        <source>oneDNN (a part of PyTorch)</source>
        <translation>oneDNN(PyTorch의 일부)</translation>
    </message>
    <message>
        <source>ONNX Runtime (a library of Microsoft)</source>
        <translation>ONNX Runtime(Microsoft 라이브러리)</translation>
    </message>
    <message>
        <source>OpenVINO (a library of Intel)</source>
        <translation>OpenVINO(Intel 라이브러리)</translation>
    </message>
    <message>
        <source>{runtime} with {precision}</source>
        <translation>{runtime}, {precision}</translation>
    </message>
    <message>
        <source>32-bit numbers</source>
        <translation>32비트 수</translation>
    </message>
    <message>
        <source>16-bit numbers (fp16)</source>
        <translation>16비트 수(fp16)</translation>
    </message>
    <message>
        <source>16-bit numbers (bf16)</source>
        <translation>16비트 수(bf16)</translation>
    </message>
    <message>
        <source>8-bit numbers (int8)</source>
        <translation>8비트 수(int8)</translation>
    </message>
    <message>
        <source>Speech encoder</source>
        <translation>음성 인코더</translation>
    </message>
    <message>
        <source>Text encoder</source>
        <translation>글 인코더</translation>
    </message>
    <message>
        <source>Face encoder</source>
        <translation>얼굴 인코더</translation>
    </message>
    <message>
        <source>The fastest on this computer.</source>
        <translation>이 컴퓨터에서 가장 빠릅니다.</translation>
    </message>
    <message>
        <source>As chosen in the settings.</source>
        <translation>설정에서 고른 대로입니다.</translation>
    </message>
    <message>
        <source>The only one that fits here.</source>
        <translation>여기서 쓸 수 있는 유일한 방법입니다.</translation>
    </message>
    <message>
        <source>In the place of another one: {detail}.</source>
        <translation>다른 것을 대신합니다: {detail}.</translation>
    </message>
    <message>
        <source>nothing prepared ahead</source>
        <translation>미리 준비하지 않음</translation>
    </message>
    <message>
        <source>Results are no longer prepared during a pause.</source>
        <translation>잠깐 쉬는 동안 결과를 미리 준비하지 않습니다.</translation>
    </message>
    <message>
        <source>text after each turn only</source>
        <translation>글은 발화가 끝난 뒤에만</translation>
    </message>
    <message>
        <source>Text appears when a turn is over, not while it is spoken.</source>
        <translation>글은 말하는 동안이 아니라 발화가 끝난 뒤에 나옵니다.</translation>
    </message>
    <message>
        <source>shorter live looks</source>
        <translation>짧은 구간만 실시간 분석</translation>
    </message>
    <message>
        <source>Live updates look at the newest seconds only.</source>
        <translation>실시간 갱신은 마지막 몇 초만 봅니다.</translation>
    </message>
    <message>
        <source>fewer live updates</source>
        <translation>실시간 갱신 줄임</translation>
    </message>
    <message>
        <source>What is shown while somebody speaks is renewed less often.</source>
        <translation>말하는 동안 화면을 덜 자주 갱신합니다.</translation>
    </message>
    <message>
        <source>no second look at texts</source>
        <translation>글 다듬기 생략</translation>
    </message>
    <message>
        <source>Finished texts are not looked at a second time.</source>
        <translation>완성된 글을 다시 살펴보지 않습니다.</translation>
    </message>
    <message>
        <source>{device}, {runtimes}</source>
        <translation>{device}, {runtimes}</translation>
    </message>
    <message>
        <source>{device}, {runtimes} (approximate)</source>
        <translation>{device}, {runtimes}(근삿값)</translation>
    </message>
    <message>
        <source>{device}: {reason}.</source>
        <translation>{device}: {reason}.</translation>
    </message>
    <message>
        <source>{runtime} with {precision}: approximate results.</source>
        <translation>{runtime}, {precision}: 결과가 근삿값입니다.</translation>
    </message>
    <message>
        <source>{runtime} with {precision}.</source>
        <translation>{runtime}, {precision}.</translation>
    </message>
    <message>
        <source>{runtime} with {precision}: the same results.</source>
        <translation>{runtime}, {precision}: 결과가 같습니다.</translation>
    </message>
    <message>
        <source>Its largest difference from PyTorch when it was checked: {difference}.</source>
        <translation>확인했을 때 PyTorch와의 가장 큰 차이: {difference}.</translation>
    </message>
    <message>
        <source>{times} times as fast as PyTorch, measured on this computer.</source>
        <translation>이 컴퓨터에서 재어 보니 PyTorch보다 {times}배 빠릅니다.</translation>
    </message>
    <message>
        <source>{seconds} s behind</source>
        <translation>{seconds}초 지연</translation>
    </message>
    <message>
        <source>keeping up: {what} ({level} of {last})</source>
        <translation>따라가는 중: {what}({level}/{last})</translation>
    </message>
</context>
<context>
    <name>EngineButton</name>
    <message>
        <source>{title}: {words}</source>
        <translation>{title}: {words}</translation>
    </message>
    <message>
        <source>What computes the results</source>
        <translation>결과를 계산하는 엔진</translation>
    </message>
</context>
<context>
    <name>EnginePage</name>
    <message>
        <source>Change…</source>
        <translation>바꾸기…</translation>
    </message>
    <message>
        <source>Change these settings</source>
        <translation>이 설정 바꾸기</translation>
    </message>
</context>
<context>
    <name>EngineSettings</name>
    <message>
        <source>All of this holds from the next recording on.</source>
        <translation>모두 다음 녹음부터 적용됩니다.</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>처리 장치</translation>
    </message>
    <message>
        <source>Large models are many times as fast on a GPU; small ones need none.</source>
        <translation>큰 모델은 GPU에서 몇 배나 빠릅니다. 작은 모델에는 필요 없습니다.</translation>
    </message>
    <message>
        <source>Encoders computed by</source>
        <translation>인코더 계산</translation>
    </message>
    <message>
        <source>Tried out on this computer when a model with large encoders is loaded; approximate ones are faster and answer a little differently.</source>
        <translation>큰 인코더가 있는 모델을 불러올 때 이 컴퓨터에서 재어 봅니다. 근삿값을 쓰면 더 빠르지만 답이 조금 달라집니다.</translation>
    </message>
    <message>
        <source>Text of a turn</source>
        <translation>발화의 글</translation>
    </message>
    <message>
        <source>Quick: the text is there at once, and a more careful look may replace some words a moment later. Careful: it comes later and stays.</source>
        <translation>빠르게: 글이 바로 나오고, 잠시 뒤 더 꼼꼼히 보아 몇 낱말이 바뀔 수 있습니다. 꼼꼼히: 늦게 나오지만 바뀌지 않습니다.</translation>
    </message>
    <message>
        <source>A turn is over after</source>
        <translation>발화의 끝</translation>
    </message>
    <message>
        <source>Less shows results sooner; more keeps slow sentences in one piece.</source>
        <translation>짧으면 결과가 빨리 나오고, 길면 느린 문장이 끊기지 않습니다.</translation>
    </message>
    <message>
        <source>The GPU if it can be used, else the CPU</source>
        <translation>GPU를 쓸 수 있으면 GPU, 아니면 CPU</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>The fastest with the same results</source>
        <translation>결과가 같은 것 중 가장 빠른 것</translation>
    </message>
    <message>
        <source>The fastest, also approximate if a check was passed</source>
        <translation>가장 빠른 것(점검을 통과했으면 근삿값도)</translation>
    </message>
    <message>
        <source>{name}, not installed</source>
        <translation>{name}, 설치되지 않음</translation>
    </message>
    <message>
        <source>{name}, approximate</source>
        <translation>{name}, 근삿값</translation>
    </message>
    <message>
        <source>Quick, then better</source>
        <translation>빠르게 쓰고 나중에 다듬기</translation>
    </message>
    <message>
        <source>Careful from the start</source>
        <translation>처음부터 꼼꼼히</translation>
    </message>
    <message>
        <source>{seconds} s of silence</source>
        <translation>침묵 {seconds}초 뒤</translation>
    </message>
</context>
<context>
    <name>Exporting</name>
    <message>
        <source>Export</source>
        <translation>내보내기</translation>
    </message>
    <message>
        <source>Written to {path}.</source>
        <translation>{path}에 저장했습니다.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>열기</translation>
    </message>
</context>
<context>
    <name>FeaturePictures</name>
    <message>
        <source>{modality} looks at</source>
        <translation>{modality} 쪽에서</translation>
    </message>
</context>
<context>
    <name>InfluencePage</name>
    <message>
        <source>Whose emotions follow whose</source>
        <translation>누구의 감정이 누구를 따라가는지</translation>
    </message>
    <message>
        <source>Computing who follows whom failed. It is tried again with the next turn.</source>
        <translation>누가 누구를 뒤따르는지 계산하지 못했습니다. 다음 발화 때 다시 계산합니다.</translation>
    </message>
    <message>
        <source>Who follows whom can be said where at least two speakers are known.</source>
        <translation>화자가 둘 이상 구분되어야 누가 누구를 따라가는지 알 수 있습니다.</translation>
    </message>
    <message>
        <source>Too few turns yet: one speaker must have answered another {needed} times; so far it was {most}.</source>
        <translation>아직 발화가 적습니다. 한 화자가 다른 화자에게 {needed}번 대답해야 하는데 지금까지 {most}번입니다.</translation>
    </message>
    <message>
        <source>{follower} after {leader}</source>
        <translation>{leader} 뒤의 {follower}</translation>
    </message>
    <message>
        <source>too few ({pairs})</source>
        <translation>부족({pairs})</translation>
    </message>
    <message>
        <source>{share}, p {p}</source>
        <translation>{share}, p {p}</translation>
    </message>
    <message>
        <source>Bar: how likely a turn has the emotion of the other&apos;s 1, 2 or 3 turns back. Line: by chance. Bold: hardly by chance. It shows order in time, no cause.</source>
        <translation>막대: 1~3번 앞의 상대 발화와 감정이 같을 가능성. 선: 우연일 때. 굵게: 우연으로 보기 어려움. 시간 순서일 뿐 원인은 아닙니다.</translation>
    </message>
    <message>
        <source>{lag} back</source>
        <translation>{lag}번 앞</translation>
    </message>
</context>
<context>
    <name>KeptCorrections</name>
    <message>
        <source>Remove the chosen ones</source>
        <translation>선택한 것 삭제</translation>
    </message>
    <message>
        <source>Open the folder</source>
        <translation>폴더 열기</translation>
    </message>
    <message>
        <source>Remove everything</source>
        <translation>모두 삭제</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>그대로 두기</translation>
    </message>
    <message>
        <source>Remove everything of “{name}”…</source>
        <translation>“{name}”의 모든 것 삭제…</translation>
    </message>
    <message>
        <source>What you said</source>
        <translation>알려 준 것</translation>
    </message>
    <message>
        <source>You say</source>
        <translation>내 판단</translation>
    </message>
    <message>
        <source>The model said</source>
        <translation>모델의 판단</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>글</translation>
    </message>
    <message>
        <source>When</source>
        <translation>시각</translation>
    </message>
    <message>
        <source>Turns you spoke about</source>
        <translation>알려 준 발화</translation>
    </message>
    <message>
        <source>not sure</source>
        <translation>확실하지 않음</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(글 없음)</translation>
    </message>
    <message>
        <source>{emotion} (left alone)</source>
        <translation>{emotion} (그냥 지나감)</translation>
    </message>
    <message>
        <source>Remove all sound of “{name}”, and what was learned from it?</source>
        <translation>“{name}”의 소리와 거기서 배운 것을 모두 삭제할까요?</translation>
    </message>
</context>
<context>
    <name>Learning</name>
    <message>
        <source>Adapt</source>
        <translation>맞추기</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message>
        <source>Learn from it, for the model {model}</source>
        <translation>배우기, 모델 {model}</translation>
    </message>
    <message>
        <source>Turns I passed without a word were right (up to the last one I spoke about; they weigh less)</source>
        <translation>말없이 지나간 발화는 맞은 것으로 봅니다(마지막으로 알려 준 발화까지, 비중은 작게)</translation>
    </message>
    <message>
        <source>{text}: {count}</source>
        <translation>{text}: {count}개</translation>
    </message>
    <message>
        <source>How far learning is</source>
        <translation>배우기 진행률</translation>
    </message>
</context>
<context>
    <name>LevelMeter</name>
    <message>
        <source>no sound</source>
        <translation>소리 없음</translation>
    </message>
    <message>
        <source>{level} dB</source>
        <translation>{level} dB</translation>
    </message>
    <message>
        <source>clipped</source>
        <translation>과입력</translation>
    </message>
</context>
<context>
    <name>LimitsDialog</name>
    <message>
        <source>What the numbers mean</source>
        <translation>숫자의 의미</translation>
    </message>
    <message>
        <source>&lt;h3&gt;What the numbers mean&lt;/h3&gt;&lt;p&gt;Emoscope reads an &lt;b&gt;expression&lt;/b&gt;: how a voice sounds and what the words say. It does not know what a person feels. People hide, act, joke, and differ from each other and between cultures.&lt;/p&gt;&lt;p&gt;The model that ships with it was trained on &lt;b&gt;acted&lt;/b&gt; speech in English, Polish and Korean and on written comments. Everyday speech is quieter and more mixed, so expect more mistakes than on such recordings. The model card lists what was measured and on whom.&lt;/p&gt;&lt;ul&gt;&lt;li&gt;A probability is the model&apos;s own estimate among the classes it knows. It can&apos;t say “something else”.&lt;/li&gt;&lt;li&gt;“Not sure” means too little speech, too much noise, or several emotions about equally likely. Believe it.&lt;/li&gt;&lt;li&gt;Arousal and valence are derived from the probabilities unless a model measures them.&lt;/li&gt;&lt;li&gt;After some ten seconds of a voice the model compares with that voice&apos;s own usual sound. The first seconds are the least reliable.&lt;/li&gt;&lt;li&gt;The pictures under “Why” show where the model looked. They are not a proof of why it decided.&lt;/li&gt;&lt;/ul&gt;&lt;p&gt;Do not use it to judge people: not for hiring, teaching, policing, medicine or law. Tell people when you record them. Sound and text stay on this computer.&lt;/p&gt;</source>
        <translation>&lt;h3&gt;숫자의 의미&lt;/h3&gt;&lt;p&gt;Emoscope는 &lt;b&gt;표현&lt;/b&gt;을 읽습니다. 목소리가 어떻게 들리는지, 단어가 무엇을 말하는지를 봅니다. 그 사람이 실제로 무엇을 느끼는지는 알지 못합니다. 사람은 감정을 숨기고, 연기하고, 농담하며, 사람마다 문화마다 다르게 표현합니다.&lt;/p&gt;&lt;p&gt;함께 제공되는 모델은 영어·폴란드어·한국어의 &lt;b&gt;연기된&lt;/b&gt; 음성과 글로 쓴 댓글로 학습했습니다. 일상의 말은 더 잔잔하고 감정이 섞여 있으므로, 그런 녹음에서보다 더 자주 틀립니다. 무엇을 누구로 측정했는지는 모델 카드에 있습니다.&lt;/p&gt;&lt;ul&gt;&lt;li&gt;확률은 모델이 아는 감정들 사이에서 스스로 추정한 값입니다. “그 밖의 감정”이라고는 말하지 못합니다.&lt;/li&gt;&lt;li&gt;“불확실”은 말이 너무 짧거나, 잡음이 많거나, 여러 감정의 가능성이 비슷하다는 뜻입니다. 그대로 받아들이세요.&lt;/li&gt;&lt;li&gt;각성도와 정서가는 모델이 직접 측정하지 않는 한 확률에서 계산한 값입니다.&lt;/li&gt;&lt;li&gt;한 목소리를 10초쯤 들은 뒤에는 그 목소리의 평소 소리와 비교합니다. 처음 몇 초가 가장 부정확합니다.&lt;/li&gt;&lt;li&gt;“근거”의 그림은 모델이 어디를 보았는지 보여 줄 뿐, 결정의 이유를 증명하지 않습니다.&lt;/li&gt;&lt;/ul&gt;&lt;p&gt;사람을 평가하는 데 쓰지 마세요. 채용, 교육, 치안, 의료, 법률에 쓰지 마세요. 녹음할 때는 상대에게 알리세요. 소리와 글은 이 컴퓨터에만 남습니다.&lt;/p&gt;</translation>
    </message>
</context>
<context>
    <name>LostSessions</name>
    <message>
        <source>Open it</source>
        <translation>열기</translation>
    </message>
    <message>
        <source>Delete it</source>
        <translation>삭제</translation>
    </message>
    <message>
        <source>The recording of {when} ({length}) was interrupted. What was heard has been kept.</source>
        <translation>{when}의 녹음({length})이 중단되었습니다. 그때까지 들은 내용은 보존되어 있습니다.</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Recording</source>
        <translation>녹음</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>&amp;File</source>
        <translation>파일(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Session</source>
        <translation>세션(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>보기(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>도움말(&amp;H)</translation>
    </message>
    <message>
        <source>Recent recordings</source>
        <translation>최근 녹음</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>색상</translation>
    </message>
    <message>
        <source>Language of the window</source>
        <translation>화면 언어</translation>
    </message>
    <message>
        <source>Panels</source>
        <translation>패널</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>시스템 설정</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>밝게</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>어둡게</translation>
    </message>
    <message>
        <source>The one that ships with Emoscope</source>
        <translation>Emoscope에 들어 있는 것</translation>
    </message>
    <message>
        <source>None: each turn on its own</source>
        <translation>없음: 발화를 하나씩 따로</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>폴더 선택…</translation>
    </message>
    <message>
        <source>From the transcript or the channels</source>
        <translation>대본이나 채널에서</translation>
    </message>
    <message>
        <source>Also by the voice (experimental)</source>
        <translation>목소리로도 구분(실험적)</translation>
    </message>
    <message>
        <source>Dialogue model</source>
        <translation>대화 모델</translation>
    </message>
    <message>
        <source>Speakers</source>
        <translation>화자</translation>
    </message>
</context>
<context>
    <name>Messages</name>
    <message>
        <source>The microphone {name} is gone. It is looked for; everything before is kept.</source>
        <translation>마이크 {name}의 연결이 끊겼습니다. 다시 찾고 있으며, 그 전까지의 내용은 모두 보존됩니다.</translation>
    </message>
    <message>
        <source>The microphone {name} is back.</source>
        <translation>마이크 {name}이(가) 다시 연결되었습니다.</translation>
    </message>
    <message>
        <source>{seconds} s of sound were lost: the computer was too busy.</source>
        <translation>컴퓨터가 너무 바빠 소리 {seconds}초를 놓쳤습니다.</translation>
    </message>
    <message>
        <source>The disk is nearly full: {megabytes} MB are left in {folder}. Make room, or the recording ends.</source>
        <translation>디스크가 거의 찼습니다. {folder}에 {megabytes} MB가 남았습니다. 공간을 비우지 않으면 녹음이 끊깁니다.</translation>
    </message>
    <message>
        <source>The recording can&apos;t be saved in {folder} ({reason}). Listening goes on; make room or choose another folder in the settings.</source>
        <translation>{folder}에 녹음을 저장할 수 없습니다({reason}). 듣기는 계속됩니다. 공간을 비우거나 설정에서 다른 폴더를 고르세요.</translation>
    </message>
    <message>
        <source>This computer can&apos;t keep up: {dropped} intermediate updates were left out, no sound was.</source>
        <translation>컴퓨터가 따라가지 못해 중간 갱신 {dropped}건을 건너뛰었습니다. 소리는 하나도 빠지지 않았습니다.</translation>
    </message>
    <message>
        <source>A turn could not be judged ({reason}). The rest goes on.</source>
        <translation>발화 하나를 판단하지 못했습니다({reason}). 나머지는 계속됩니다.</translation>
    </message>
    <message>
        <source>{model} failed on a turn ({reason}); its text is missing.</source>
        <translation>{model}이(가) 발화 하나를 인식하지 못했습니다({reason}). 그 발화에는 글이 없습니다.</translation>
    </message>
    <message>
        <source>{model} failed several times and is switched off ({reason}).</source>
        <translation>{model}이(가) 여러 번 실패하여 꺼졌습니다({reason}).</translation>
    </message>
    <message>
        <source>{model} can&apos;t be used ({reason}). Going on with speech alone.</source>
        <translation>{model}을(를) 사용할 수 없습니다({reason}). 음성만으로 계속합니다.</translation>
    </message>
    <message>
        <source>The Whisper model {model} is not on this computer ({megabytes} MB). Going on with speech alone.</source>
        <translation>Whisper 모델 {model}({megabytes} MB)이 이 컴퓨터에 없습니다. 음성만으로 계속합니다.</translation>
    </message>
    <message>
        <source>There is no Whisper model in {folder}. Going on with speech alone.</source>
        <translation>{folder}에 Whisper 모델이 없습니다. 음성만으로 계속합니다.</translation>
    </message>
    <message>
        <source>{reason} Going on with speech alone.</source>
        <translation>{reason} 음성만으로 계속합니다.</translation>
    </message>
    <message>
        <source>The recording {name} ends early: {decoded} s could be read of the {stated} s that its header promises.</source>
        <translation>녹음 {name}이(가) 일찍 끝납니다. 파일에 적힌 {stated}초 가운데 {decoded}초만 읽을 수 있었습니다.</translation>
    </message>
    <message>
        <source>The recording {name} breaks off after {decoded} s; it was probably cut.</source>
        <translation>녹음 {name}이(가) {decoded}초 뒤에 끊깁니다. 잘린 파일로 보입니다.</translation>
    </message>
    <message>
        <source>{count} lines of the transcript lie beyond the end of the recording and were left out.</source>
        <translation>대화록의 {count}줄이 녹음이 끝난 뒤에 있어 제외했습니다.</translation>
    </message>
    <message>
        <source>{name}: {count} lines without a text or a possible time were left out.</source>
        <translation>{name}: 글이 없거나 시간이 잘못된 {count}줄을 제외했습니다.</translation>
    </message>
    <message>
        <source>{name}: {count} lines were out of order and were sorted.</source>
        <translation>{name}: 순서가 어긋난 {count}줄을 정렬했습니다.</translation>
    </message>
    <message>
        <source>{name}: {count} lines overlap another of the same speaker.</source>
        <translation>{name}: {count}줄이 같은 화자의 다른 줄과 겹칩니다.</translation>
    </message>
    <message>
        <source>The model now runs on the {device}: {reason}. The recording goes on, and nothing is lost.</source>
        <translation>모델이 이제 {device}에서 돌아갑니다: {reason}. 녹음은 계속되며 잃은 것은 없습니다.</translation>
    </message>
    <message>
        <source>{model} takes more time than this computer has. Whisper {smaller} would keep up, with more mistakes in the text.</source>
        <translation>{model} 모델은 이 컴퓨터에서 너무 느립니다. Whisper {smaller} 모델이라면 따라갈 수 있지만 글에 틀린 곳이 늘어납니다.</translation>
    </message>
    <message>
        <source>{model} could not run on the GPU ({reason}) and runs on the CPU now.</source>
        <translation>{model} 모델을 GPU에서 돌릴 수 없어({reason}) 이제 CPU에서 돌립니다.</translation>
    </message>
    <message>
        <source>Whisper {model} writes the text from the next recording on.</source>
        <translation>다음 녹음부터 Whisper {model} 모델이 글을 씁니다.</translation>
    </message>
    <message>
        <source>The model {model} reads text, and nothing writes down what is said: turns are not judged. Get a recognition model, or choose another model.</source>
        <translation>모델 {model}은(는) 글을 읽고 판단하는데 말을 받아 적는 것이 없어 발화를 판단하지 못합니다. 음성 인식 모델을 받거나 다른 모델을 고르세요.</translation>
    </message>
    <message>
        <source>No speech was found.</source>
        <translation>말소리가 발견되지 않았습니다.</translation>
    </message>
    <message>
        <source>read from the voice alone</source>
        <translation>목소리만으로 판단</translation>
    </message>
    <message>
        <source>the model does not know the language of the text</source>
        <translation>모델이 모르는 언어의 글</translation>
    </message>
    <message>
        <source>the recognised text was not believable</source>
        <translation>믿기 어려운 인식 결과라 제외</translation>
    </message>
    <message>
        <source>the text was left out</source>
        <translation>글 제외</translation>
    </message>
    <message>
        <source>the text was left out to keep up</source>
        <translation>속도를 맞추려고 글 제외</translation>
    </message>
    <message>
        <source>not judged: the computer could not keep up</source>
        <translation>컴퓨터가 따라가지 못해 판단하지 않음</translation>
    </message>
    <message>
        <source>not judged: this model reads text, and there is none it can read</source>
        <translation>판단하지 않음: 글을 읽는 모델인데 읽을 수 있는 글이 없음</translation>
    </message>
    <message>
        <source>waiting for the text</source>
        <translation>글을 기다리는 중</translation>
    </message>
    <message>
        <source>part of a longer line</source>
        <translation>긴 발화의 일부</translation>
    </message>
    <message>
        <source>cut at the end of the sound</source>
        <translation>소리가 끝나는 곳에서 잘림</translation>
    </message>
    <message>
        <source>the program ended during this turn</source>
        <translation>이 발화 도중 프로그램이 종료됨</translation>
    </message>
    <message>
        <source>this turn could not be judged</source>
        <translation>판단하지 못한 발화</translation>
    </message>
    <message>
        <source>the text could not be recognised</source>
        <translation>글을 인식하지 못함</translation>
    </message>
    <message>
        <source>the text was looked at a second time</source>
        <translation>글을 다시 살펴봄</translation>
    </message>
    <message>
        <source>as chosen in the settings</source>
        <translation>설정에서 고른 대로</translation>
    </message>
    <message>
        <source>a GPU was found, which is faster</source>
        <translation>더 빠른 GPU를 찾음</translation>
    </message>
    <message>
        <source>the PyTorch that is installed can&apos;t use a GPU</source>
        <translation>설치된 PyTorch가 GPU를 쓸 수 없음</translation>
    </message>
    <message>
        <source>no GPU of NVIDIA was found</source>
        <translation>NVIDIA GPU를 찾지 못함</translation>
    </message>
    <message>
        <source>there is a GPU, but no driver that works with this PyTorch</source>
        <translation>GPU는 있지만 이 PyTorch와 맞는 드라이버가 없음</translation>
    </message>
    <message>
        <source>the GPU is too old for this PyTorch</source>
        <translation>GPU가 이 PyTorch에는 너무 오래됨</translation>
    </message>
    <message>
        <source>the GPU has too little free memory for this model</source>
        <translation>GPU의 남은 메모리가 이 모델에 모자람</translation>
    </message>
    <message>
        <source>the memory of the GPU was full</source>
        <translation>GPU 메모리가 가득 참</translation>
    </message>
    <message>
        <source>the GPU stopped answering</source>
        <translation>GPU가 응답하지 않음</translation>
    </message>
    <message>
        <source>not loaded yet</source>
        <translation>아직 불러오지 않음</translation>
    </message>
    <message>
        <source>the model was changed in a running session</source>
        <translation>세션 중에 모델이 바뀜</translation>
    </message>
    <message>
        <source>The recording can&apos;t be read.</source>
        <translation>녹음을 읽을 수 없습니다.</translation>
    </message>
    <message>
        <source>The transcript can&apos;t be read.</source>
        <translation>대화록을 읽을 수 없습니다.</translation>
    </message>
    <message>
        <source>The model can&apos;t be used.</source>
        <translation>모델을 사용할 수 없습니다.</translation>
    </message>
    <message>
        <source>The settings make no sense.</source>
        <translation>설정이 올바르지 않습니다.</translation>
    </message>
    <message>
        <source>The audio device can&apos;t be used.</source>
        <translation>오디오 장치를 사용할 수 없습니다.</translation>
    </message>
    <message>
        <source>Speech recognition can&apos;t be used.</source>
        <translation>음성 인식을 사용할 수 없습니다.</translation>
    </message>
    <message>
        <source>The session can&apos;t be saved or read.</source>
        <translation>세션을 저장하거나 읽을 수 없습니다.</translation>
    </message>
    <message>
        <source>Something went wrong inside the program: {problem}. The log says more.</source>
        <translation>프로그램 안에서 문제가 생겼습니다: {problem}. 자세한 내용은 로그에 있습니다.</translation>
    </message>
    <message>
        <source>The log says more.</source>
        <translation>자세한 내용은 로그에 있습니다.</translation>
    </message>
    <message>
        <source>What the dialogue says of a turn is missing ({reason}). The rest goes on.</source>
        <translation>발화 하나를 대화 맥락에서 판단하지 못했습니다({reason}). 나머지는 계속됩니다.</translation>
    </message>
    <message>
        <source>The dialogue model can&apos;t be used ({reason}). Going on without context.</source>
        <translation>대화 모델을 쓸 수 없습니다({reason}). 맥락 없이 계속합니다.</translation>
    </message>
    <message>
        <source>Whose voice it was could not be told ({reason}). The rest goes on.</source>
        <translation>누구의 목소리인지 알아내지 못했습니다({reason}). 나머지는 계속됩니다.</translation>
    </message>
    <message>
        <source>Speakers can&apos;t be told apart by their voices ({reason}). Going on without.</source>
        <translation>목소리로 화자를 구분할 수 없습니다({reason}). 구분하지 않고 계속합니다.</translation>
    </message>
    <message>
        <source>not read in context</source>
        <translation>대화 맥락에서 판단하지 못함</translation>
    </message>
    <message>
        <source>The dialogue model was trained on features of {needed}, and the turns are judged by {used}: going on without context.</source>
        <translation>이 대화 모델은 {needed} 모델의 특징으로 학습했는데 지금은 {used} 모델이 발화를 판단합니다. 맥락 없이 계속합니다.</translation>
    </message>
    <message>
        <source>The personal adapter {name} can&apos;t be used ({reason}). Going on without it.</source>
        <translation>개인 어댑터 {name}을(를) 쓸 수 없습니다({reason}). 어댑터 없이 계속합니다.</translation>
    </message>
    <message>
        <source>The model {name} judges from the next recording on.</source>
        <translation>{name} 모델은 다음 녹음부터 씁니다.</translation>
    </message>
    <message>
        <source>The model {name} can&apos;t be used here ({reason}). Going on with the other one.</source>
        <translation>{name} 모델은 여기서 쓸 수 없습니다({reason}). 쓰던 모델로 계속합니다.</translation>
    </message>
    <message>
        <source>Line {line} of {file} can&apos;t be read ({reason}); the others are used.</source>
        <translation>{file}의 {line}번째 줄을 읽을 수 없습니다({reason}). 나머지는 사용합니다.</translation>
    </message>
</context>
<context>
    <name>ModelDialog</name>
    <message>
        <source>Another folder…</source>
        <translation>다른 폴더…</translation>
    </message>
    <message>
        <source>The embedded model</source>
        <translation>내장 모델</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>닫기</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>이 모델 사용</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>폴더</translation>
    </message>
    <message>
        <source>Its files are being checked…</source>
        <translation>파일을 확인하는 중…</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Folder of a model</source>
        <translation>모델 폴더</translation>
    </message>
    <message>
        <source>{name}, version {version}</source>
        <translation>{name}, 버전 {version}</translation>
    </message>
    <message>
        <source>Takes</source>
        <translation>입력</translation>
    </message>
    <message>
        <source>Emotions</source>
        <translation>감정</translation>
    </message>
    <message>
        <source>Arousal and valence</source>
        <translation>각성도와 정서가</translation>
    </message>
    <message>
        <source>System</source>
        <translation>구조</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>측정값</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>이용 조건</translation>
    </message>
    <message>
        <source>Its card does not say.</source>
        <translation>모델 카드에 적혀 있지 않습니다.</translation>
    </message>
    <message>
        <source>{modalities} (text in: {languages})</source>
        <translation>{modalities} (글의 언어: {languages})</translation>
    </message>
    <message>
        <source>one at a time</source>
        <translation>한 번에 하나</translation>
    </message>
    <message>
        <source>each on its own, several at once</source>
        <translation>감정마다 따로, 여러 개 가능</translation>
    </message>
    <message>
        <source>{emotions} ({how})</source>
        <translation>{emotions} ({how})</translation>
    </message>
    <message>
        <source>measured by the model</source>
        <translation>모델이 직접 측정</translation>
    </message>
    <message>
        <source>derived from the probabilities</source>
        <translation>확률에서 계산</translation>
    </message>
    <message>
        <source>{system}, encoders: {encoders}, {megabytes} MB</source>
        <translation>{system}, 인코더: {encoders}, {megabytes} MB</translation>
    </message>
    <message>
        <source>Its folder holds no figures.</source>
        <translation>폴더에 측정값이 없습니다.</translation>
    </message>
    <message>
        <source>{figure} ({low} to {high})</source>
        <translation>{figure} ({low}~{high})</translation>
    </message>
    <message>
        <source>{figure}, always the commonest class: {guess}</source>
        <translation>{figure}, 항상 가장 흔한 감정만 고르면 {guess}</translation>
    </message>
    <message>
        <source>Adapter of</source>
        <translation>다음 모델의 어댑터</translation>
    </message>
    <message>
        <source>{name} (sha256 {digest}…), which has to be on this computer too</source>
        <translation>{name} (sha256 {digest}…). 이 모델도 이 컴퓨터에 있어야 합니다</translation>
    </message>
</context>
<context>
    <name>Names</name>
    <message>
        <source>neutral</source>
        <translation>중립</translation>
    </message>
    <message>
        <source>happy</source>
        <translation>기쁨</translation>
    </message>
    <message>
        <source>angry</source>
        <translation>분노</translation>
    </message>
    <message>
        <source>surprise</source>
        <translation>놀람</translation>
    </message>
    <message>
        <source>sad</source>
        <translation>슬픔</translation>
    </message>
    <message>
        <source>fear</source>
        <translation>두려움</translation>
    </message>
    <message>
        <source>disgust</source>
        <translation>혐오</translation>
    </message>
    <message>
        <source>none given</source>
        <translation>해당 감정 없음</translation>
    </message>
    <message>
        <source>Any language</source>
        <translation>모든 언어</translation>
    </message>
    <message>
        <source>Korean</source>
        <translation>한국어</translation>
    </message>
    <message>
        <source>English</source>
        <translation>영어</translation>
    </message>
    <message>
        <source>too little speech</source>
        <translation>말이 너무 짧음</translation>
    </message>
    <message>
        <source>too much noise</source>
        <translation>잡음이 너무 많음</translation>
    </message>
    <message>
        <source>an emotion is close to its threshold</source>
        <translation>어떤 감정이 기준값에 아주 가까움</translation>
    </message>
    <message>
        <source>several emotions are about equally likely</source>
        <translation>여러 감정의 가능성이 비슷함</translation>
    </message>
    <message>
        <source>speech</source>
        <translation>음성</translation>
    </message>
    <message>
        <source>text</source>
        <translation>글</translation>
    </message>
    <message>
        <source>face</source>
        <translation>얼굴</translation>
    </message>
    <message>
        <source>{number} %</source>
        <translation>{number}%</translation>
    </message>
</context>
<context>
    <name>NowPanel</name>
    <message>
        <source>Now</source>
        <translation>지금</translation>
    </message>
    <message>
        <source>Probability of each emotion</source>
        <translation>감정별 확률</translation>
    </message>
    <message>
        <source>Emotion heard now</source>
        <translation>지금 들리는 감정</translation>
    </message>
    <message>
        <source>not sure: {emotion}?</source>
        <translation>불확실: {emotion}?</translation>
    </message>
    <message>
        <source>Each emotion is judged on its own: several can be given, or none, and the numbers need not add up to 100 %. The mark on a bar shows from where on its emotion is given.</source>
        <translation>감정마다 따로 판단합니다. 여러 감정이 함께 나오거나 하나도 나오지 않을 수 있으며, 숫자의 합이 100 %가 아닐 수 있습니다. 막대의 눈금은 그 감정이 인정되는 기준값입니다.</translation>
    </message>
    <message>
        <source>listening</source>
        <translation>듣는 중</translation>
    </message>
    <message>
        <source>Nobody is speaking.</source>
        <translation>말하는 사람이 없습니다.</translation>
    </message>
    <message>
        <source>waiting for the text</source>
        <translation>글을 기다리는 중</translation>
    </message>
    <message>
        <source>This model reads what is said, not how it sounds.</source>
        <translation>이 모델은 말투가 아니라 말의 내용을 읽습니다.</translation>
    </message>
    <message>
        <source>getting ready…</source>
        <translation>준비 중…</translation>
    </message>
    <message>
        <source>from {modalities}, still speaking</source>
        <translation>{modalities} 기준, 말하는 중</translation>
    </message>
    <message>
        <source>from {modalities}</source>
        <translation>{modalities} 기준</translation>
    </message>
</context>
<context>
    <name>Personal</name>
    <message>
        <source>Personal adapter…</source>
        <translation>개인 어댑터…</translation>
    </message>
</context>
<context>
    <name>PersonalButton</name>
    <message>
        <source>learning… {share}</source>
        <translation>배우는 중… {share}</translation>
    </message>
    <message>
        <source>Learning from corrections of “{name}”</source>
        <translation>“{name}”에 대해 알려 준 것을 배우는 중</translation>
    </message>
    <message>
        <source>● personal: {name}</source>
        <translation>● 개인 어댑터: {name}</translation>
    </message>
    <message>
        <source>○ personal: off</source>
        <translation>○ 개인 어댑터: 꺼짐</translation>
    </message>
    <message>
        <source>Click to switch it off.</source>
        <translation>누르면 꺼집니다.</translation>
    </message>
    <message>
        <source>Click to use it.</source>
        <translation>누르면 사용합니다.</translation>
    </message>
    <message>
        <source>Personal adapter</source>
        <translation>개인 어댑터</translation>
    </message>
</context>
<context>
    <name>PersonalDialog</name>
    <message>
        <source>Close</source>
        <translation>닫기</translation>
    </message>
    <message>
        <source>Personal adapter</source>
        <translation>개인 어댑터</translation>
    </message>
    <message>
        <source>Whose voice:</source>
        <translation>목소리의 주인:</translation>
    </message>
    <message>
        <source>Whose voice</source>
        <translation>목소리의 주인</translation>
    </message>
    <message>
        <source>People differ in how they sound. Say of some turns of one person how they sounded (Ctrl+L, or the right mouse button in the transcript), and the model can learn to hear that person a little better.</source>
        <translation>사람마다 목소리에 감정이 드러나는 방식이 다릅니다. 한 사람의 발화 몇 개가 어떻게 들렸는지 알려 주면(Ctrl+L, 또는 대화록에서 마우스 오른쪽 단추) 모델이 그 사람을 조금 더 잘 듣도록 배울 수 있습니다.</translation>
    </message>
    <message>
        <source>Nothing of this leaves this computer. The model itself and your recordings are never changed. What is learned is how you name what you hear: it is not the truth about a person, and still only an expression.</source>
        <translation>이 모든 것은 이 컴퓨터를 떠나지 않습니다. 원래 모델과 녹음은 바뀌지 않습니다. 배우는 것은 들리는 것에 붙인 이름일 뿐, 그 사람에 대한 사실이 아니며 여전히 겉으로 드러난 표현입니다.</translation>
    </message>
</context>
<context>
    <name>PersonalWords</name>
    <message>
        <source>There are too few corrections of “{person}” to learn from: {missing} more are needed.</source>
        <translation>“{person}”에 대해 알려 준 것이 배우기에 너무 적습니다. {missing}개가 더 필요합니다.</translation>
    </message>
    <message>
        <source>All corrections of “{person}” name the same emotion: nothing can be told apart by them.</source>
        <translation>“{person}”에 대해 알려 준 감정이 모두 같아서 구별할 것을 배울 수 없습니다.</translation>
    </message>
    <message>
        <source>Nearly all that was said about “{person}” is that the model was wrong. Also mark turns that are right as they are: else what is right now would be lost.</source>
        <translation>“{person}”에 대해 알려 준 것이 거의 모두 모델이 틀린 발화입니다. 맞은 발화도 알려 주세요. 그러지 않으면 지금 맞는 것을 잃게 됩니다.</translation>
    </message>
    <message>
        <source>Cancelled. Nothing was changed.</source>
        <translation>취소했습니다. 바뀐 것은 없습니다.</translation>
    </message>
    <message>
        <source>{count} corrections could not be used: their sound is gone, or the model does not know the emotion.</source>
        <translation>{count}개는 쓸 수 없었습니다. 소리가 없어졌거나 모델이 모르는 감정입니다.</translation>
    </message>
    <message>
        <source>On {count} turns it had not learned from: agreed with you in {before} before, {after} with it (difference {low} to {high} points).</source>
        <translation>배울 때 보지 않은 발화 {count}개에서 내 판단과 일치한 비율: 이전 {before}, 적용 후 {after}(차이 {low}~{high}%p).</translation>
    </message>
    <message>
        <source>Turns it got wrong count for less here, as they are corrected more often than they occur.</source>
        <translation>틀린 발화는 실제보다 더 자주 고쳐지므로 여기서는 비중을 낮추어 셈했습니다.</translation>
    </message>
    <message>
        <source>What was learned of “{person}” is not used.</source>
        <translation>“{person}”에 대해 배운 것을 쓰지 않습니다.</translation>
    </message>
    <message>
        <source>What was learned of “{person}” is used for {speakers}.</source>
        <translation>“{person}”에 대해 배운 것을 {speakers}에게 씁니다.</translation>
    </message>
    <message>
        <source>What was learned of “{person}” is used for everybody who speaks.</source>
        <translation>“{person}”에 대해 배운 것을 말하는 모든 사람에게 씁니다.</translation>
    </message>
    <message>
        <source>Nothing yet.</source>
        <translation>아직 없습니다.</translation>
    </message>
    <message>
        <source>{said} turns you spoke about ({confirmed} right as they are), {passed} left alone; {length} of sound, {size}.</source>
        <translation>알려 준 발화 {said}개(그중 {confirmed}개는 그대로 맞음), 지나간 발화 {passed}개. 소리 {length}, {size}.</translation>
    </message>
    <message>
        <source>{missing} more are needed before anything can be learned; some tens are better. Mark turns that are right, too.</source>
        <translation>배우려면 {missing}개가 더 필요하고, 수십 개면 더 좋습니다. 맞은 발화도 알려 주세요.</translation>
    </message>
    <message>
        <source>Enough to try. What is learned is judged on corrections held back, and kept only if it helps. It takes seconds to a few minutes; you can go on working.</source>
        <translation>해 볼 만큼 모였습니다. 배운 것은 따로 남겨 둔 것으로 평가하고, 도움이 될 때만 보관합니다. 몇 초에서 몇 분이 걸리며 그동안 계속 쓸 수 있습니다.</translation>
    </message>
    <message>
        <source>With the voice of “{person}” it did better on turns held back, and it is kept.</source>
        <translation>따로 남겨 둔 “{person}”의 발화에서 더 잘 맞혀서 보관했습니다.</translation>
    </message>
    <message>
        <source>It is not clear that it helps with the voice of “{person}”, so it is not kept. More corrections may change that.</source>
        <translation>“{person}”의 목소리에 도움이 되는지 분명하지 않아 보관하지 않았습니다. 더 많이 알려 주면 달라질 수 있습니다.</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>시스템 설정</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>밝게</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>어둡게</translation>
    </message>
    <message>
        <source>The model that ships with Emoscope</source>
        <translation>Emoscope에 포함된 모델</translation>
    </message>
    <message>
        <source>The folder for data of this user</source>
        <translation>이 사용자의 데이터 폴더</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>설정 탭</translation>
    </message>
    <message>
        <source>General</source>
        <translation>일반</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>엔진</translation>
    </message>
    <message>
        <source>Get a model…</source>
        <translation>모델 받기…</translation>
    </message>
    <message>
        <source>Language of the window</source>
        <translation>화면 언어</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>색상</translation>
    </message>
    <message>
        <source>Language that is spoken</source>
        <translation>말하는 언어</translation>
    </message>
    <message>
        <source>Speech recognition</source>
        <translation>음성 인식</translation>
    </message>
    <message>
        <source>Emotion model</source>
        <translation>감정 모델</translation>
    </message>
    <message>
        <source>Recorded sessions</source>
        <translation>녹음 저장 폴더</translation>
    </message>
    <message>
        <source>Microphone and channels are chosen in the bar at the top.</source>
        <translation>마이크와 채널은 위쪽 막대에서 고릅니다.</translation>
    </message>
    <message>
        <source>The default, if it is here</source>
        <translation>기본 모델(있으면)</translation>
    </message>
    <message>
        <source>None: speech only</source>
        <translation>없음: 음성만</translation>
    </message>
    <message>
        <source>Whisper {name} ({megabytes} MB)</source>
        <translation>Whisper {name} ({megabytes} MB)</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>선택…</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>폴더 선택</translation>
    </message>
    <message>
        <source>From the transcript or the channels</source>
        <translation>대본이나 채널에서</translation>
    </message>
    <message>
        <source>Also by the voice (experimental)</source>
        <translation>목소리로도 구분(실험적)</translation>
    </message>
    <message>
        <source>Dialogue model</source>
        <translation>대화 모델</translation>
    </message>
    <message>
        <source>Speakers</source>
        <translation>화자</translation>
    </message>
    <message>
        <source>The one that ships with Emoscope</source>
        <translation>Emoscope에 들어 있는 것</translation>
    </message>
    <message>
        <source>None: each turn on its own</source>
        <translation>없음: 발화를 하나씩 따로</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keys</source>
        <translation>단축키</translation>
    </message>
    <message>
        <source>Drag in a plot</source>
        <translation>그래프에서 끌기</translation>
    </message>
    <message>
        <source>Zoom into a part of a recording</source>
        <translation>녹음의 일부를 확대</translation>
    </message>
    <message>
        <source>Wheel over a plot</source>
        <translation>그래프 위에서 휠</translation>
    </message>
    <message>
        <source>Zoom around the pointer</source>
        <translation>포인터 주변 확대/축소</translation>
    </message>
    <message>
        <source>Double click in a plot</source>
        <translation>그래프에서 두 번 클릭</translation>
    </message>
    <message>
        <source>Show the whole recording</source>
        <translation>녹음 전체 보기</translation>
    </message>
    <message>
        <source>Click in a plot</source>
        <translation>그래프에서 클릭</translation>
    </message>
    <message>
        <source>Select the turn spoken there</source>
        <translation>그 시각의 발화 선택</translation>
    </message>
</context>
<context>
    <name>SizesPage</name>
    <message>
        <source>Nested size of the dialogue model</source>
        <translation>대화 모델의 중첩 크기</translation>
    </message>
    <message>
        <source>What each nested size says of this turn</source>
        <translation>중첩 크기마다 본 이 발화의 감정</translation>
    </message>
    <message>
        <source>One column for each number of dimensions, its colours the probabilities. A dot above: that size gives another emotion than the whole model.</source>
        <translation>차원 수마다 막대 하나이며 색은 확률을 나타냅니다. 위의 점: 그 크기의 모델이 전체 모델과 다른 감정을 고릅니다.</translation>
    </message>
    <message>
        <source>Dimensions of the representation, parameters of the model cut to them, their size as 32-bit numbers, and the time for a new turn measured on this computer. A model most of which comes before that representation is hardly smaller when it is cut.</source>
        <translation>표현의 차원 수, 그만큼 잘라 낸 모델의 매개변수 수, 32비트 숫자로 저장한 크기, 이 컴퓨터에서 잰 새 발화 하나의 처리 시간입니다. 대부분이 그 표현의 앞쪽에 있는 모델은 잘라도 거의 작아지지 않습니다.</translation>
    </message>
    <message>
        <source>Hardly smaller than the whole: {share} of the parameters are left.</source>
        <translation>전체보다 거의 작아지지 않습니다. 매개변수의 {share}가 남습니다.</translation>
    </message>
    <message>
        <source>{size}: {parameters} parameters, {bytes}, {milliseconds} ms a turn</source>
        <translation>{size}: 매개변수 {parameters}, {bytes}, 발화당 {milliseconds} ms</translation>
    </message>
    <message>
        <source>This turn: {emotion}, as with the whole model.</source>
        <translation>이 발화: {emotion}, 전체 모델과 같음.</translation>
    </message>
    <message>
        <source>This turn: {emotion} instead of {whole}.</source>
        <translation>이 발화: {emotion}(전체 모델은 {whole}).</translation>
    </message>
    <message>
        <source>Another emotion in {count} of {turns} turns.</source>
        <translation>발화 {turns}개 중 {count}개에서 감정이 다름.</translation>
    </message>
</context>
<context>
    <name>SoundPanel</name>
    <message>
        <source>Sound</source>
        <translation>소리</translation>
    </message>
    <message>
        <source>Waveform of the sound, speech shaded</source>
        <translation>소리 파형(말소리 구간에 음영)</translation>
    </message>
    <message>
        <source>{first} to {last}. {hint}</source>
        <translation>{first}부터 {last}까지. {hint}</translation>
    </message>
    <message>
        <source>speech</source>
        <translation>음성</translation>
    </message>
    <message>
        <source>listening</source>
        <translation>듣는 중</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
    <message>
        <source>What do you hear in a voice?</source>
        <translation>목소리에서 무엇이 들리나요?</translation>
    </message>
    <message>
        <source>Emoscope listens to people talk and shows, live, what they may feel and what that was read from.</source>
        <translation>Emoscope는 대화를 들으며, 어떤 감정이 담겨 있을지와 그렇게 본 근거를 실시간으로 보여 줍니다.</translation>
    </message>
    <message>
        <source>Speak now</source>
        <translation>지금 말하기</translation>
    </message>
    <message>
        <source>Listen to the microphone</source>
        <translation>마이크로 듣습니다</translation>
    </message>
    <message>
        <source>Open a recording</source>
        <translation>녹음 열기</translation>
    </message>
    <message>
        <source>Sound or video, or drop a file here</source>
        <translation>소리나 동영상. 파일을 끌어다 놓아도 됩니다</translation>
    </message>
    <message>
        <source>Try the sample</source>
        <translation>샘플 체험</translation>
    </message>
    <message>
        <source>A short conversation of synthetic voices</source>
        <translation>합성 음성으로 만든 짧은 대화</translation>
    </message>
    <message>
        <source>The numbers are a model&apos;s reading of an expression, not a fact about a person. &lt;a href=&apos;limits&apos;&gt;What it can&apos;t do&lt;/a&gt;</source>
        <translation>숫자는 모델이 표현을 읽은 결과일 뿐, 그 사람에 대한 사실이 아닙니다. &lt;a href=&apos;limits&apos;&gt;할 수 없는 것&lt;/a&gt;</translation>
    </message>
    <message>
        <source>What the numbers are</source>
        <translation>숫자의 의미</translation>
    </message>
    <message>
        <source>Nothing leaves this computer.</source>
        <translation>어떤 것도 이 컴퓨터 밖으로 나가지 않습니다.</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Get one…</source>
        <translation>받기…</translation>
    </message>
    <message>
        <source>Get a speech recognition model</source>
        <translation>음성 인식 모델 받기</translation>
    </message>
    <message>
        <source>Progress of the analysis</source>
        <translation>분석 진행률</translation>
    </message>
    <message>
        <source>no model loaded yet</source>
        <translation>아직 불러온 모델 없음</translation>
    </message>
    <message>
        <source>{name} {version}</source>
        <translation>{name} {version}</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>실행 장치</translation>
    </message>
    <message>
        <source>Recognition</source>
        <translation>음성 인식</translation>
    </message>
    <message>
        <source>Delay</source>
        <translation>지연</translation>
    </message>
    <message>
        <source>Keeping up</source>
        <translation>따라가기</translation>
    </message>
    <message>
        <source>preparing the model for this computer, once… {seconds} s</source>
        <translation>이 컴퓨터에 맞게 모델 준비 중(처음 한 번)… {seconds}초</translation>
    </message>
    <message>
        <source>loading the model…</source>
        <translation>모델 불러오는 중…</translation>
    </message>
    <message>
        <source>loading the model… {seconds} s</source>
        <translation>모델 불러오는 중… {seconds}초</translation>
    </message>
    <message>
        <source>text by {name}</source>
        <translation>글: {name}</translation>
    </message>
    <message>
        <source>speech only: recognition is off</source>
        <translation>음성만: 음성 인식 꺼짐</translation>
    </message>
    <message>
        <source>speech only: no Whisper model</source>
        <translation>음성만: Whisper 모델 없음</translation>
    </message>
    <message>
        <source>{percent}, {speed} × speed, {left} left</source>
        <translation>{percent}, {speed}배속, 남은 시간 {left}</translation>
    </message>
    <message>
        <source>● saved</source>
        <translation>● 저장됨</translation>
    </message>
    <message>
        <source>● saved {seconds} s ago</source>
        <translation>● {seconds}초 전 저장됨</translation>
    </message>
    <message>
        <source>Personal adapter</source>
        <translation>개인 어댑터</translation>
    </message>
</context>
<context>
    <name>TranscriptPanel</name>
    <message>
        <source>Transcript</source>
        <translation>대화록</translation>
    </message>
    <message>
        <source>Turns of the conversation</source>
        <translation>대화의 발화 목록</translation>
    </message>
    <message>
        <source>Find in the transcript</source>
        <translation>대화록에서 찾기</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>이전 결과</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>다음 결과</translation>
    </message>
    <message>
        <source>Close the search</source>
        <translation>찾기 닫기</translation>
    </message>
    <message>
        <source>The model is being prepared for this computer, which is done once and may take a minute. What is said meanwhile is not lost.</source>
        <translation>이 컴퓨터에 맞게 모델을 준비하고 있습니다. 처음 한 번만 하며 1분쯤 걸릴 수 있습니다. 그동안 한 말도 사라지지 않습니다.</translation>
    </message>
    <message>
        <source>The model is being loaded. What is said meanwhile is not lost.</source>
        <translation>모델을 불러오는 중입니다. 그동안 한 말도 빠지지 않습니다.</translation>
    </message>
    <message>
        <source>What is said appears here, with how it sounded.</source>
        <translation>말한 내용과 그 느낌이 여기에 나타납니다.</translation>
    </message>
    <message>
        <source>It ended before a turn was complete.</source>
        <translation>발화가 끝나기 전에 중단되었습니다.</translation>
    </message>
    <message>
        <source>No speech was found.</source>
        <translation>말소리가 발견되지 않았습니다.</translation>
    </message>
</context>
<context>
    <name>Trouble</name>
    <message>
        <source>Use Whisper {name} next time</source>
        <translation>다음부터 Whisper {name} 쓰기</translation>
    </message>
    <message>
        <source>Get one…</source>
        <translation>받기…</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>다시 찾기</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>설정…</translation>
    </message>
    <message>
        <source>Open the log</source>
        <translation>로그 열기</translation>
    </message>
</context>
<context>
    <name>TurnDelegate</name>
    <message>
        <source>speaking…</source>
        <translation>말하는 중…</translation>
    </message>
    <message>
        <source>writing down…</source>
        <translation>받아 적는 중…</translation>
    </message>
    <message>
        <source>{seconds} s of speech</source>
        <translation>말소리 {seconds}초</translation>
    </message>
</context>
<context>
    <name>TurnPage</name>
    <message>
        <source>This turn with and without the dialogue</source>
        <translation>대화 맥락이 있을 때와 없을 때의 이 발화</translation>
    </message>
    <message>
        <source>Choose a dialogue model…</source>
        <translation>대화 모델 선택…</translation>
    </message>
    <message>
        <source>alone</source>
        <translation>이 발화만</translation>
    </message>
    <message>
        <source>in context</source>
        <translation>맥락에서</translation>
    </message>
    <message>
        <source>seen later</source>
        <translation>나중에 보면</translation>
    </message>
    <message>
        <source>{before} → {after}, seen later.</source>
        <translation>{before} → {after}, 나중에 보면.</translation>
    </message>
    <message>
        <source>Careful: the dialogue model learned from conversations in {known}; this turn is in {spoken}.</source>
        <translation>주의: 대화 모델은 {known} 대화로 학습했는데 이 발화는 {spoken}입니다.</translation>
    </message>
    <message>
        <source>Utterance model: as in the transcript. Alone: the dialogue model sees this turn only. In context: also those before it. Seen later: also those after it.</source>
        <translation>발화 모델: 대화록과 같습니다. 이 발화만: 대화 모델이 이 발화만 봅니다. 맥락에서: 앞선 발화도 봅니다. 나중에 보면: 뒤의 발화까지 봅니다.</translation>
    </message>
    <message>
        <source>utterance model</source>
        <translation>발화 모델</translation>
    </message>
</context>
<context>
    <name>Turns</name>
    <message>
        <source>in context: {emotion}</source>
        <translation>맥락에서: {emotion}</translation>
    </message>
    <message>
        <source>seen later: {emotion}</source>
        <translation>나중에 보면: {emotion}</translation>
    </message>
    <message>
        <source>you say: {emotion}</source>
        <translation>내 판단: {emotion}</translation>
    </message>
</context>
<context>
    <name>Use</name>
    <message>
        <source>For the voice of:</source>
        <translation>적용할 목소리:</translation>
    </message>
    <message>
        <source>Judge this recording again</source>
        <translation>이 녹음 다시 판단하기</translation>
    </message>
    <message>
        <source>Use what was learned of “{name}”, from the next utterance on</source>
        <translation>다음 발화부터 “{name}”에 대해 배운 것 사용</translation>
    </message>
    <message>
        <source>Nothing has been learned for this model yet.</source>
        <translation>이 모델로는 아직 배운 것이 없습니다.</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>사용하기</translation>
    </message>
</context>
<context>
    <name>WaveformPlot</name>
    <message>
        <source>sound</source>
        <translation>소리</translation>
    </message>
    <message>
        <source>spectrum</source>
        <translation>스펙트럼</translation>
    </message>
</context>
<context>
    <name>WhisperDialog</name>
    <message>
        <source>Speech recognition model</source>
        <translation>음성 인식 모델</translation>
    </message>
    <message>
        <source>With a Whisper model Emoscope writes down what is said and reads emotion from the words too. It runs on this computer; only the download needs a network.</source>
        <translation>Whisper 모델이 있으면 Emoscope가 말을 받아 적고, 단어에서도 감정을 읽습니다. 모델은 이 컴퓨터에서 실행되며, 받을 때만 네트워크가 필요합니다.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>모델</translation>
    </message>
    <message>
        <source>Progress of the download</source>
        <translation>받기 진행률</translation>
    </message>
    <message>
        <source>A download that was stopped continues where it was the next time.</source>
        <translation>중단한 받기는 다음에 이어서 받습니다.</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>받기</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>폴더 선택…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>닫기</translation>
    </message>
    <message>
        <source>{name}, {megabytes} MB (recommended)</source>
        <translation>{name}, {megabytes} MB (추천)</translation>
    </message>
    <message>
        <source>{name}, {megabytes} MB</source>
        <translation>{name}, {megabytes} MB</translation>
    </message>
    <message>
        <source>{done} of {total} MB</source>
        <translation>{total} MB 중 {done} MB</translation>
    </message>
    <message>
        <source>Stopped. What has arrived is kept.</source>
        <translation>중단했습니다. 받은 부분은 보존됩니다.</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>정지</translation>
    </message>
    <message>
        <source>Folder of a Whisper model</source>
        <translation>Whisper 모델 폴더</translation>
    </message>
</context>
<context>
    <name>WhyPanel</name>
    <message>
        <source>Where the model looked: which moments of the voice it tied to which word. It is not a proof of why it decided.</source>
        <translation>모델이 본 곳: 어떤 단어를 목소리의 어느 순간과 연결했는지 보여 줍니다. 결정의 이유를 증명하지는 않습니다.</translation>
    </message>
    <message>
        <source>Which moments of the voice weighed most. It is not a proof of why it decided.</source>
        <translation>목소리의 어느 순간이 가장 크게 작용했는지 보여 줍니다. 결정의 이유를 증명하지는 않습니다.</translation>
    </message>
    <message>
        <source>How features of the voice and of the text were mixed. Single cells have no meaning in words.</source>
        <translation>목소리와 글의 특징이 섞인 방식입니다. 칸 하나하나를 말로 설명할 수는 없습니다.</translation>
    </message>
    <message>
        <source>How much voice and text counted. It says nothing about what they said.</source>
        <translation>목소리와 글이 각각 얼마나 반영되었는지입니다. 그 내용은 말해 주지 않습니다.</translation>
    </message>
    <message>
        <source>Which parts of the picture weighed most. Not a proof of the decision.</source>
        <translation>화면의 어느 부분이 가장 크게 작용했는지 보여 줍니다. 결정을 증명하지는 않습니다.</translation>
    </message>
    <message>
        <source>Words × time</source>
        <translation>단어 × 시간</translation>
    </message>
    <message>
        <source>Moments of the voice</source>
        <translation>목소리의 순간</translation>
    </message>
    <message>
        <source>Mixed features</source>
        <translation>섞인 특징</translation>
    </message>
    <message>
        <source>Voice and text</source>
        <translation>목소리와 글</translation>
    </message>
    <message>
        <source>Parts of the picture</source>
        <translation>화면의 부분</translation>
    </message>
    <message>
        <source>Earlier turns</source>
        <translation>이전 발화</translation>
    </message>
    <message>
        <source>Feature by feature</source>
        <translation>특징별</translation>
    </message>
    <message>
        <source>How much each dimension of the two encoders was looked at, voice first, then text; dashed: if all counted alike. A dimension is neither a word nor a moment.</source>
        <translation>두 인코더의 차원마다 얼마나 주목받았는지 보여 줍니다. 음성이 먼저, 글이 다음입니다. 점선은 모두 고를 때의 값입니다. 차원은 낱말도 순간도 아닙니다.</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>근거</translation>
    </message>
    <message>
        <source>Speech alone, text alone and together</source>
        <translation>음성만, 글만, 그리고 함께</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>그림</translation>
    </message>
    <message>
        <source>Attention of the model</source>
        <translation>모델의 주의(attention)</translation>
    </message>
    <message>
        <source>Select a turn to see what its emotion was read from.</source>
        <translation>발화를 선택하면 감정을 무엇에서 읽었는지 볼 수 있습니다.</translation>
    </message>
    <message>
        <source>compared with {seconds} s of the same voice</source>
        <translation>같은 목소리 {seconds}초와 비교</translation>
    </message>
    <message>
        <source>together</source>
        <translation>함께</translation>
    </message>
    <message>
        <source>{modality} alone</source>
        <translation>{modality}만</translation>
    </message>
    <message>
        <source>{modality} ({share})</source>
        <translation>{modality} ({share})</translation>
    </message>
    <message>
        <source>This model has no attention to show; the bars above are all there is.</source>
        <translation>이 모델에는 보여 줄 주의 그림이 없습니다. 위의 막대가 근거의 전부입니다.</translation>
    </message>
    <message>
        <source>How much the dialogue model drew on each turn, this one at the right. It is not a proof of why it decided.</source>
        <translation>대화 모델이 각 발화를 얼마나 참고했는지 보여 줍니다. 오른쪽 끝이 이 발화이며, 결정의 이유를 증명하지는 않습니다.</translation>
    </message>
    <message>
        <source>with what was learned of “{name}”</source>
        <translation>“{name}”에 대해 배운 것 적용</translation>
    </message>
</context>
<context>
    <name>_Banner</name>
    <message>
        <source>Dismiss</source>
        <translation>닫기</translation>
    </message>
</context>
</TS>
