"""Digests in other languages: an ordinary week in German, and one in Arabic, written from right to left."""

from __future__ import annotations

from dataclasses import replace

from pipeline.model.digest import Digest, Section
from pipeline.model.entry import TimedText
from tests.golden.sample import BOTH, EPISODE, GUEST_POST, LINKS, POST, PUBLICATION, SAMPLE, with_levels


def chapters(*titles: str) -> tuple[TimedText, ...]:
    """Return chapters of twelve minutes each."""
    return tuple(TimedText(text=title, start_seconds=720 * number) for number, title in enumerate(titles))


GERMAN: Digest = replace(
    SAMPLE,
    publication=replace(
        PUBLICATION,
        language="de",
        accent="#2f5d3a",
        tagline="Brot, Boote und ein langsames Leben am Hafen",
        reason="",
        call_to_action_md="Wem würde dieser Brief gefallen? **Leiten Sie ihn weiter.**",
    ),
    subject="Ein langsames Brot und ein Tisch für Fremde",
    preheader="Elowen Hart über offene Türen, fünf Dinge aus der Bootswerft und Werkzeug, das man ausleihen kann.",
    introduction_md=(
        "Guten Morgen vom nassen Kai. Die Boote blieben die ganze Woche im Hafen, und so tat die Stadt, was sie im "
        "Februar am besten kann: Sie kochte für alle, die zur Tür hereinkamen.\n\n"
        "In diesem Brief geht es ums Warten. Setzen Sie erst einmal Wasser auf."
    ),
    sections=(
        Section(
            kind="posts",
            heading="",
            stories=(
                replace(
                    POST,
                    title="Ein langsames Brot für den kürzesten Monat",
                    excerpt_md=(
                        "Der Februar ist kein Monat für Eilige. Das Mehl ist kalt, die Küche ist kalt, und der "
                        "Sauerteig schmollt hinten im Regal. Also braucht dieses Brot *zwei Tage* und sonst kaum etwas."
                    ),
                ),
                replace(
                    GUEST_POST,
                    title="Fünf Dinge, die ein Bootsbauer an der Tür hängen hat",
                    excerpt_md="Von Oktober bis Mai ist es kalt in der Werft, und nach Hause geht man nur einmal.",
                ),
            ),
        ),
        Section(
            kind="episodes",
            heading="",
            stories=(
                replace(
                    BOTH,
                    title="Die Frau, die Fremden den Tisch deckt",
                    excerpt_md=(
                        "Jeden Sonntag legt Elowen Hart elf Gedecke auf und kennt von vieren den Namen. Wir sprechen "
                        "über Suppe, über Stille und darüber, wie man eine Tür offen lässt."
                    ),
                    chapters=chapters(
                        "Elf Teller, vier Namen", "Der Winter mit dem Hochwasser", "Suppe für Unbekannte"
                    ),
                ),
                replace(
                    EPISODE,
                    title="Eine Minute Hafenglocken",
                    excerpt_md="Diesmal ohne Worte: die Glocken von drei Booten beim Wechsel der Tide.",
                    duration_seconds=75,
                ),
            ),
        ),
        Section(
            kind="links",
            heading="",
            stories=(
                replace(
                    LINKS[0],
                    title="Das Museum, das seine ältesten Werkzeuge verleiht",
                    excerpt_md="Hobel, Dechsel und Küferwerkzeug, je eine Woche lang; die Warteliste ist kurz.",
                ),
                replace(
                    LINKS[1],
                    title="Wie man einen Seewetterbericht liest",
                    excerpt_md="Vier Wörter tragen fast alles. Danach hört man auch die anderen.",
                ),
            ),
        ),
    ),
)

ARABIC: Digest = replace(
    SAMPLE,
    publication=replace(
        PUBLICATION,
        name="المرفأ والموقد",
        language="ar",
        accent="#7a3b10",
        tagline="خبز وقوارب وحياة هادئة من بلدة صغيرة على الميناء",
        reason="",
        call_to_action_md="هل تعرف من ستعجبه هذه الرسالة؟ **أعد توجيهها إليه.**",
    ),
    subject="رغيف على مهل ومائدة للغرباء",
    preheader="إلوين هارت عن الباب المفتوح، وخمسة أشياء عند باب صانع القوارب، وأدوات يمكنك استعارتها أسبوعًا.",
    introduction_md=(
        "صباح الخير من رصيف مبتل. بقيت القوارب في الميناء طوال الأسبوع، ففعلت البلدة أفضل ما تجيده في فبراير: "
        "طبخت لكل من دخل من الباب.\n\n"
        "هذه الرسالة عن الانتظار. ضع إبريق الشاي على النار أولًا."
    ),
    sections=(
        Section(
            kind="posts",
            heading="",
            stories=(
                replace(
                    POST,
                    title="رغيف على مهل لأقصر الشهور",
                    excerpt_md=(
                        "فبراير ليس شهر العجلة. الدقيق بارد والمطبخ بارد، والخميرة عابسة في آخر الرف. لذلك يحتاج هذا "
                        "الرغيف إلى *يومين* ولا يطلب منك شيئًا تقريبًا: اعجنه يوم الجمعة، وانسه حتى السبت."
                    ),
                    reading_minutes=3,
                ),
                replace(
                    GUEST_POST,
                    title="خمسة أشياء يعلّقها صانع القوارب عند الباب",
                    excerpt_md="ما يُعلَّق عند بابي من أكتوبر إلى مايو:\n\n1. قبعة صوف\n2. خبز الأمس\n3. قلم رصاص",
                    reading_minutes=11,
                ),
            ),
        ),
        Section(
            kind="episodes",
            heading="",
            stories=(
                replace(
                    BOTH,
                    title="المرأة التي تمدّ المائدة للغرباء",
                    excerpt_md=(
                        "كل يوم أحد تضع إلوين أحد عشر صحنًا وهي تعرف أربعة أسماء فقط.\n\n"
                        "> لا تحتاج إلى مائدة أكبر، بل إلى أن تكفّ عن رفعها.\n\n"
                        "نتحدث عن الحساء والصمت، وكيف يُترك باب مفتوحًا."
                    ),
                    chapters=chapters("أحد عشر صحنًا وأربعة أسماء", "شتاء الفيضان", "حساء لمن لا نعرف"),
                ),
            ),
        ),
        Section(
            kind="links",
            heading="",
            stories=(
                replace(
                    LINKS[0],
                    title="المتحف الذي يعير أقدم أدواته",
                    excerpt_md="مساحج وفؤوس وأدوات صانع البراميل، أسبوعًا في كل مرة؛ وقائمة الانتظار أقصر مما تظن.",
                ),
                replace(LINKS[1], title="كيف تقرأ نشرة الملاحة", excerpt_md="أربع كلمات تقوم بمعظم العمل."),
            ),
        ),
    ),
)

GERMAN, ARABIC = with_levels(GERMAN), with_levels(ARABIC)
