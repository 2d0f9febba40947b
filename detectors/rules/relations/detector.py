"""Look-ups that nothing accounts for of residents who are related to whoever looks: six detectors of one make.

They differ in the relation, in how many residents are so related, and in how often such a look-up is meant.
"""

from collections import Counter
from collections.abc import Sequence

from audit.casework import LookUp, Relation
from audit.findings import Severity
from audit.texts import Texts
from detectors.model import Reader, Window
from detectors.rules.kind import Group, Kind, Parameters
from detectors.rules.relations.cases import CASES
from detectors.rules.without_case import detector_of

__all__ = ["DETECTORS"]

_R = Relation
_FAMILY = 4
"""So many people live in a household, at most times."""


def _household(_window: Window, _reader: Reader, _found: Sequence[LookUp], _params: Parameters) -> Group:
    return lambda _one: _FAMILY


def _self(_window: Window, _reader: Reader, _found: Sequence[LookUp], _params: Parameters) -> Group:
    return lambda _one: 1


def _address(_window: Window, _reader: Reader, _found: Sequence[LookUp], _params: Parameters) -> Group:
    return lambda one: max(1, one.at_address)


def _surname(_window: Window, _reader: Reader, _found: Sequence[LookUp], _params: Parameters) -> Group:
    return lambda one: max(1, one.namesakes)


def _staff(window: Window, reader: Reader, found: Sequence[LookUp], _params: Parameters) -> Group:
    """A manager is one, a colleague one of the unit, anybody else one of all who work for the town and live in it."""
    held = [reader.context.post_at(person, window.start) for person in reader.context.posts] if found else []
    posts = [post for post in held if post is not None]
    units = Counter(post.org_unit for post in posts)
    everyone = sum(post.subject_id != "" for post in posts)

    def group(one: LookUp) -> float:
        if _R.MANAGER in one.relations:
            return 1
        return max(1, units[one.unit] if _R.COLLEAGUE in one.relations else everyone)

    return group


DETECTORS = (
    detector_of(
        "own-record",
        Kind(
            Texts("自分自身", "their own record"),
            before=0.01,
            least=0.5,
            severity=Severity.MEDIUM,
            groups=_self,
            own_affair=True,
            relations=(_R.SELF,),
        ),
        Texts("自分の記録の照会", "Looking at one's own record"),
        Texts(
            "職員が業務用の画面で自分自身の記録を見たことを見つけます。所属の業務は根拠になりません。",
            "Finds staff who look at their own record in a system of work; their unit's work does not account for it.",
        ),
        Texts(
            "1. 本人に割り当てられた案件がないか確かめます。\n2. 変更や印刷を伴っていないか見ます。\n"
            "3. 自分の情報は窓口や開示請求で確かめるよう指導します。",
            "1. Check whether a case was assigned to them.\n2. See whether the record was changed or printed.\n"
            "3. Tell them to ask for their own data at the counter or by a disclosure request.",
        ),
        Texts("研修で自分の番号を使った操作、動作確認。", "Training with one's own number, a test of the system."),
        ("C-083", "C-084", "field G10"),
        CASES["own-record"],
    ),
    detector_of(
        "household-record",
        Kind(
            Texts("同じ世帯の {n} 人", "{n} of their own household"),
            before=0.005,
            least=0.4,
            severity=Severity.MEDIUM,
            groups=_household,
            own_affair=True,
            relations=(_R.HOUSEHOLD,),
        ),
        Texts("同じ世帯の家族の記録の照会", "Looking at the own household's records"),
        Texts(
            "職員が同じ世帯の家族の記録を見たことを見つけます。所属の業務は根拠になりません。",
            "Finds staff who look at a member of their own household; their unit's work does not account for it.",
        ),
        Texts(
            "1. 家族の届出や申請がその日にあったか、誰が受け付けたか確かめます。\n"
            "2. 本人に割り当てた案件がないか見ます。\n3. 家族の手続きは他の職員が扱う決まりを確かめます。",
            "1. Check whether the family had business at the office that day, and who received it.\n"
            "2. See whether a case was assigned to them.\n3. Remind them that a colleague handles such affairs.",
        ),
        Texts(
            "窓口に一人しかいないときの家族の届出、世帯分離の未反映。",
            "A relative served when nobody else was at the counter; a household that has split since.",
        ),
        ("C-083", "C-084", "field G10"),
        CASES["household-record"],
    ),
    detector_of(
        "former-family",
        Kind(
            Texts("旧姓でつながる別世帯の {n} 人", "{n} of those related by a former surname"),
            before=1e-3,
            severity=Severity.HIGH,
            groups=_surname,
            relations=(_R.FORMER_SURNAME,),
        ),
        Texts("旧姓でつながる人の記録の照会", "Looking at former family"),
        Texts(
            "元の配偶者や実家など、旧姓が一致する別世帯の人を根拠なく見たことを、その姓の珍しさで重みをつけて見つけます。",
            "Finds look-ups without a case of people tied by a former surname, a former spouse for example; "
            "a rare name counts more.",
        ),
        Texts(
            "1. 支援措置の対象でないか、まず確かめます。\n2. 転居先や新しい世帯を見ていないか確かめます。\n"
            "3. 本人への照会は相手の安全を確かめてから行います。",
            "1. First see whether the resident is under protection.\n"
            "2. See whether a new address or household was shown.\n"
            "3. Ask the member of staff only when the resident is known to be safe.",
        ),
        Texts("同じ旧姓を持つ無関係の人。", "Unrelated people who happen to have borne that name."),
        ("C-083", "C-103", "field G10"),
        CASES["former-family"],
    ),
    detector_of(
        "neighbour-record",
        Kind(
            Texts("同じ住所に住む別世帯の {n} 人", "{n} of those who live at their own address"),
            before=5e-4,
            severity=Severity.MEDIUM,
            groups=_address,
            relations=(_R.ADDRESS,),
        ),
        Texts("近所の人の記録の照会", "Looking at neighbours"),
        Texts(
            "同じ建物や地番に住む別世帯の人を根拠なく見たことを、そこに住む人の数で重みをつけて見つけます。",
            "Finds look-ups without a case of people in one's own building or lot; "
            "the fewer live there, the more it says.",
        ),
        Texts(
            "1. その住民に手続きがなかったか所属に確かめます。\n2. 近所の別の世帯も見ていないか確かめます。\n"
            "3. 説明がつかなければ所属長に照会します。",
            "1. Ask the unit whether the resident had business there.\n"
            "2. See whether other neighbours were looked at.\n3. Without an explanation, ask the manager.",
        ),
        Texts("大きな集合住宅、電話での問合せ。", "Large buildings, a question by telephone."),
        ("C-083", "field G10"),
        CASES["neighbour-record"],
    ),
    detector_of(
        "namesake-record",
        Kind(
            Texts("同じ名字の別世帯の {n} 人", "{n} of those elsewhere who share their surname"),
            before=5e-4,
            severity=Severity.MEDIUM,
            groups=_surname,
            relations=(_R.SURNAME,),
        ),
        Texts("同じ名字の人の記録の照会", "Looking at people of the same surname"),
        Texts(
            "同じ名字の別世帯の人を根拠なく見たことを見つけます。珍しい名字か、何人も、何日も見たときに限ります。",
            "Finds look-ups without a case of other households of the same surname: "
            "a rare name, several people, or several days.",
        ),
        Texts(
            "1. 親族かどうか本人に尋ねます。\n2. 何人、何日にわたるか見ます。\n"
            "3. 親族の手続きは他の職員に任せるよう指導します。",
            "1. Ask whether they are relatives.\n2. See how many people and days it was.\n"
            "3. Tell them to leave relatives' affairs to a colleague.",
        ),
        Texts("ありふれた名字、同姓の人の取り違え。", "Common surnames, somebody taken for a namesake."),
        ("C-083", "field G10"),
        CASES["namesake-record"],
    ),
    detector_of(
        "colleague-record",
        Kind(
            Texts("職員である住民 {n} 人", "{n} of those who work for the town"),
            before=5e-4,
            severity=Severity.MEDIUM,
            groups=_staff,
            relations=(_R.MANAGER, _R.COLLEAGUE, _R.STAFF),
        ),
        Texts("職員の記録の照会", "Looking at colleagues"),
        Texts(
            "上司、同じ所属の同僚、ほかの職員の住民としての記録を根拠なく見たことを見つけます。",
            "Finds look-ups without a case of a superior, a colleague of the unit or others who work for the town.",
        ),
        Texts(
            "1. その職員に住民としての手続きがなかったか確かめます。\n2. 人事や評価、もめごととの関係がないか見ます。\n"
            "3. 同僚を介さず、監査の担当が照会します。",
            "1. Check whether the colleague had business as a resident.\n"
            "2. See whether a dispute or appraisal is behind it.\n3. Let audit ask, not another colleague.",
        ),
        Texts("職員本人から頼まれた届出、職員課の事務。", "An application the colleague asked for, work of personnel."),
        ("C-083", "field G10"),
        CASES["colleague-record"],
    ),
)
