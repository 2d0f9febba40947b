"""Look-ups that nothing accounts for of residents whom the town marks: protected, known to the public, deceased.

How often a slip hits such a resident depends on the unit: some work with them every day. So the share of marked
residents among the look-ups that are accounted for in the actor's own unit is what chance is measured by.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from audit.findings import Severity
from audit.texts import Texts
from detectors.model import Reader, Window
from detectors.rules.flags.cases import CASES
from detectors.rules.kind import Group, Groups, Kind, Parameters
from detectors.rules.without_case import detector_of

__all__ = ["DETECTORS"]


def _marked(flag: str) -> Groups:
    """How many residents would bear a flag, were they as many as among those whom the unit has cases of.

    A unit counts as one that has had one such case before, among as many look-ups as it takes in the town.
    """

    def groups(window: Window, reader: Reader, found: Sequence[LookUp], params: Parameters) -> Group:
        if not found:
            return lambda _one: 1
        start, end = window.day - timedelta(days=params.history_days), window.day + timedelta(days=1)
        rows = reader.count_look_ups(LookUpFilter(start=start, end=end, flags=(flag,)), (), (LookUpMeasure.SUBJECTS,))
        seen = max(1, sum(int(row["subjects"]) for row in rows))
        residents = max(reader.context.residents, params.fewest_residents)

        def looks(flags: tuple[str, ...]) -> Mapping[str, int]:
            wanted = LookUpFilter(start=start, end=window.day, results=(Result.MATCHED,), flags=flags)
            counted = reader.count_look_ups(wanted, (LookUpDimension.UNIT,), (LookUpMeasure.LOOKS,))
            return {row["unit"]: int(row["looks"]) for row in counted}

        everyone, marked = looks(()), looks((flag,))
        share = max(seen / residents, sum(marked.values()) / max(1, sum(everyone.values())))
        return lambda one: residents * (marked.get(one.unit, 0) + 1) / (everyone.get(one.unit, 0) + 1 / share)

    return groups


DETECTORS = (
    detector_of(
        "protected-record",
        Kind(
            Texts("支援措置などで守られる {n} 人", "{n} of those under protection"),
            before=5e-4,
            least=0.2,
            severity=Severity.CRITICAL,
            handled=True,
            groups=_marked("protected"),
            flags=("protected",),
        ),
        Texts("支援措置対象者の記録の照会", "Looking at protected residents"),
        Texts(
            "支援措置や取扱注意の対象者を根拠なく見たことを、一件でも見つけます。"
            "案件を扱う所属がほかにあるのに、変更や印刷のためだけに見たものも含みます。",
            "Finds any look-up without a case of a resident under protection, be it a single one; "
            "also a mere change or print while another unit handles the case.",
        ),
        Texts(
            "1. 相手方に住所などが伝わっていないか、直ちに確かめます。\n2. 本人と加害者とされる人の関係を調べます。\n"
            "3. 所属長と支援措置の担当に当日中に知らせます。",
            "1. Check at once whether an address may have reached the other party.\n"
            "2. See how the member of staff is related to that party.\n"
            "3. Tell the manager and whoever looks after protected residents the same day.",
        ),
        Texts(
            "番号の打ち間違い、電話での問合せ、受付の入力漏れ。",
            "A mistyped number, a question by telephone, a visit that was not entered.",
        ),
        ("C-101", "C-103", "field G10"),
        CASES["protected-record"],
    ),
    detector_of(
        "celebrity-record",
        Kind(
            Texts("世に知られた {n} 人", "{n} of those known to the public"),
            before=5e-4,
            least=0.2,
            severity=Severity.HIGH,
            groups=_marked("vip"),
            flags=("vip",),
        ),
        Texts("著名人の記録の照会", "Looking at public figures"),
        Texts(
            "著名人や要職者として登録された住民を根拠なく見たことを見つけます。",
            "Finds look-ups without a case of residents whom the town lists as public figures.",
        ),
        Texts(
            "1. その日の報道や出来事との関係を見ます。\n2. ほかの職員も見ていないか確かめます。\n"
            "3. 画面の写しや外部への伝達がないか本人に尋ねます。",
            "1. See whether something was in the news.\n2. Check whether others looked as well.\n"
            "3. Ask about copies of the screen and about whom they told.",
        ),
        Texts("秘書からの電話での問合せ。", "A question by telephone from the figure's office."),
        ("C-083", "field G10"),
        CASES["celebrity-record"],
        ("field 105",),
    ),
    detector_of(
        "deceased-record",
        Kind(
            Texts("亡くなった {n} 人", "{n} of those who have died"),
            before=2e-4,
            severity=Severity.MEDIUM,
            groups=_marked("deceased"),
            flags=("deceased",),
        ),
        Texts("亡くなった人の記録の照会", "Looking at the deceased"),
        Texts(
            "亡くなった人を根拠なく、何人も、または印刷や繰り返しを伴って見たことを見つけます。",
            "Finds look-ups without a case of residents who have died: several, printed, or again and again.",
        ),
        Texts(
            "1. 相続や還付の事務がなかったか確かめます。\n2. 口座や還付先の変更がないか見ます。\n"
            "3. 印刷物の行き先を本人に尋ねます。",
            "1. Check for inheritance or refund work.\n2. See whether an account or a refund was changed.\n"
            "3. Ask where prints went.",
        ),
        Texts("死亡後の精算、相続人からの問合せ。", "Settlement after a death, questions from heirs."),
        ("C-084",),
        CASES["deceased-record"],
    ),
)
