"""The sentences of the pages in both languages.

Templates say `t("key")`, always with a literal key: a test walks them and fails on a key that is missing,
and on one that nothing uses. Vocabularies (activities, severities, ...) are in `words`; what the pages about sources
say is in `source_texts`, and what sign-in, accounts and users say in `access_texts`.
"""

from dashboards.access_texts import ACCESS_TEXTS
from dashboards.detector_texts import DETECTOR_TEXTS
from dashboards.ledger_texts import LEDGER_TEXTS
from dashboards.model import Language, Texts
from dashboards.rights_texts import RIGHTS_TEXTS
from dashboards.source_texts import SOURCE_TEXTS
from dashboards.tuning_texts import TUNING_TEXTS

__all__ = ["TEXTS", "text"]

TEXTS = {
    **ACCESS_TEXTS,
    **SOURCE_TEXTS,
    **RIGHTS_TEXTS,
    **LEDGER_TEXTS,
    **TUNING_TEXTS,
    **DETECTOR_TEXTS,
    # The frame of every page
    "product": Texts("見守り", "Mimamori"),
    "skip": Texts("本文へ移動", "Skip to content"),
    "menu": Texts("メニュー", "Menu"),
    "lock": Texts("画面をロック", "Lock"),
    "language": Texts("表示する言語", "Language"),
    "sign_out": Texts("サインアウト", "Sign out"),
    "foot.time": Texts("時刻は日本時間です。", "Times are Japan time."),
    "foot.recorded": Texts("この画面の閲覧も記録されます。", "Viewing this page is recorded too."),
    "all": Texts("すべて", "All"),
    "apply": Texts("絞り込む", "Apply"),
    "clear": Texts("条件を消す", "Clear"),
    "next": Texts("次のページ", "Next page"),
    "from_day": Texts("開始日", "From"),
    "to_day": Texts("終了日(この日まで)", "To (inclusive)"),
    "none": Texts("なし", "None"),
    "unknown": Texts("不明", "Unknown"),
    "error": Texts("エラー", "Error"),
    # Alerts
    "alerts.title": Texts("警告", "Alerts"),
    "alerts.wait_none": Texts("今日確認が必要な警告はありません", "No alerts need a look today"),
    "alerts.wait_one": Texts("今日確認が必要な警告は 1 件です", "1 alert needs a look today"),
    "alerts.wait_many": Texts("今日確認が必要な警告は {count} 件です", "{count} alerts need a look today"),
    "alerts.gaps": Texts(
        "これとは別に、ログの途絶・欠けが {count} 件あります", "Apart from these, logs are missing or silent: {count}"
    ),
    "alerts.excepted": Texts("例外により {count} 件が隠れています", "Exceptions hide {count} findings"),
    "alerts.about": Texts("種類", "About"),
    "alerts.about_acts": Texts("人や操作", "What people did"),
    "alerts.about_gaps": Texts("ログの途絶・欠け", "Logs that did not arrive"),
    "alerts.counts": Texts("重大度ごとの件数", "Count by severity"),
    "alerts.detectors_ok": Texts(
        "検知器は {count} 本すべて動いています。最後の確認: {time}",
        "Detectors working: {count} of {count}. Last run: {time}",
    ),
    "alerts.detectors_bad": Texts(
        "動いていない検知器があります。警告がなくても安心できません。",
        "Some detectors are not working: no alerts does not mean no trouble.",
    ),
    "alerts.table": Texts("警告の一覧(新しい順)", "Alerts, newest first"),
    "alerts.severity": Texts("重大度", "Severity"),
    "alerts.what": Texts("何があったか", "What happened"),
    "alerts.who": Texts("だれが", "Who"),
    "alerts.where": Texts("どのシステム", "System"),
    "alerts.when": Texts("いつ", "When"),
    "alerts.status": Texts("状態", "Status"),
    "alerts.detector": Texts("検知器", "Detector"),
    "alerts.nobody": Texts("(システムについて)", "(about the system)"),
    "alerts.empty_filtered": Texts("この条件に合う警告はありません。", "No alerts match these filters."),
    "alerts.empty": Texts("警告はまだありません。", "There are no alerts yet."),
    "alerts.empty_hint": Texts(
        "検知器が何か見つけると、ここに並びます。", "Whatever the detectors find will be listed here."
    ),
    # One alert
    "alert.back": Texts("警告の一覧", "All alerts"),
    "alert.why": Texts("なぜおかしいか", "Why it is odd"),
    "alert.usual": Texts("ふだんとの比べ", "Compared with usual"),
    "alert.usual_what": Texts("くらべるもの", "What"),
    "alert.usual_value": Texts("数", "Number"),
    "alert.usual_bar": Texts("図", "Chart"),
    "alert.this": Texts("今回", "This time"),
    "alert.evidence": Texts("証拠の記録", "Evidence"),
    "alert.no_evidence": Texts(
        "記録が届いていないことが根拠のため、示せる記録はありません。",
        "What is missing is the evidence, so there is no event to show.",
    ),
    "alert.excepted": Texts("隠している例外", "Hidden by the exception"),
    "alert.filled": Texts("解消した日時", "Filled"),
    "alert.withdrawn": Texts("取り下げた日時", "Withdrawn"),
    "alert.by_delivery": Texts("配信 {delivery}", "Delivery {delivery}"),
    "alert.more": Texts("ほかに {count} 件の記録があります。", "There are {count} more events."),
    "alert.search": Texts("この人のその日の記録をすべて見る", "All events of this person that day"),
    "alert.search_source": Texts("その前後の記録をすべて見る", "All events around it"),
    "alert.next": Texts("次にすること", "What to do next"),
    "alert.innocent": Texts("よくある正当な理由", "What usually explains it"),
    "alert.score": Texts("点数", "Score"),
    "alert.opened": Texts("検知した日時", "Found"),
    "alert.subjects": Texts("対象になった住民", "Residents concerned"),
    "alert.subjects_count": Texts("{count} 人", "{count}"),
    "alert.log": Texts("監査ログの位置", "Place in the audit log"),
    "alert.id": Texts("警告の番号", "Alert id"),
    "alert.version": Texts("{detector} 第 {version} 版", "{detector} version {version}"),
    # Events
    "events.title": Texts("記録の検索", "Search the log"),
    "events.count": Texts("{count} 件の記録", "{count} events"),
    "events.count_one": Texts("1 件の記録", "1 event"),
    "events.uncounted": Texts("新しい順に表示しています", "Newest first"),
    "events.from": Texts("開始", "From"),
    "events.to": Texts("終了(この時刻の前まで)", "To (exclusive)"),
    "events.source": Texts("システム", "System"),
    "events.every_source": Texts("すべての業務システム", "All business systems"),
    "events.actor": Texts("職員番号", "Staff id"),
    "events.subject": Texts("対象者の番号", "Subject key"),
    "events.activity": Texts("種別", "Activity"),
    "events.outcome": Texts("結果", "Outcome"),
    "events.weekday": Texts("曜日", "Weekday"),
    "events.hour": Texts("時刻", "Hour"),
    "events.at_hour": Texts("{hour} 時台", "{hour}:00"),
    "events.more": Texts("曜日と時刻で絞り込む", "By weekday and hour"),
    "events.time": Texts("日時", "Time"),
    "events.who": Texts("だれが", "Who"),
    "events.what": Texts("何をしたか", "What"),
    "events.whom": Texts("だれの記録か", "Whose records"),
    "events.where": Texts("システムと端末", "System and terminal"),
    "events.others": Texts("ほか {count} 人", "and {count} more"),
    "events.system": Texts("(システム)", "(system)"),
    "events.empty": Texts("この条件に合う記録はありません。", "No events match these filters."),
    "events.empty_hint": Texts(
        "期間を広げるか、条件を減らしてみてください。", "Try a longer period or fewer conditions."
    ),
    "events.failed": Texts("検索できませんでした", "The search did not work"),
    # One event
    "event.back": Texts("記録の検索", "Search the log"),
    "event.by_actor": Texts("この人の前後 30 分の記録", "This person, 30 minutes either side"),
    "event.by_source": Texts("このシステムの前後 30 分の記録", "This system, 30 minutes either side"),
    "event.by_subject": Texts("この対象者を見た記録", "Who else looked at this person"),
    "event.field": Texts("項目", "Field"),
    "event.value": Texts("値", "Value"),
    "event.around": Texts("前後を調べる", "Look around it"),
    # Board
    "board.title": Texts("全体のようす", "Overview"),
    "board.span": Texts("{first} から {last} まで", "{first} to {last}"),
    "board.days": Texts("最近の {count} 日", "Last {count} days"),
    "board.show": Texts("表示", "Show"),
    "board.loading": Texts("図を描いています…", "Drawing the figure…"),
    "board.failed": Texts(
        "図を表示できません。下の表をご覧ください。",
        "The figure cannot be shown. Please use the table below.",
    ),
    "board.empty": Texts("この期間の記録はありません。", "Nothing was recorded in this period."),
    "board.table": Texts("表で見る", "Show as a table"),
    "board.csv": Texts("CSV をダウンロード", "Download CSV"),
    # Messages
    "onward.title": Texts("移動しています", "One moment"),
    "onward.lead": Texts("自動で進まないときは、下のボタンを押してください。", "If nothing happens, press the button."),
    "onward.go": Texts("進む", "Continue"),
    "denied.title": Texts("利用できません", "You cannot use this now"),
    "denied.recorded": Texts("この操作の記録は残ります。", "This has been recorded."),
    "message.status": Texts("応答コード {status}", "Status {status}"),
    "message.home": Texts("警告の一覧へ", "Go to the alerts"),
    "message.sign_in": Texts("サインインする", "Sign in"),
    "message.forbidden": Texts(
        "必要なときは、システムの管理者に権限を申請してください。",
        "If you need it, ask your administrator for the permission.",
    ),
    "message.unavailable": Texts(
        "しばらくしてから、もう一度お試しください。続くときは管理者に知らせてください。",
        "Please try again shortly. If it goes on, tell your administrator.",
    ),
}


def text(key: str, language: Language, **values: object) -> str:
    """The sentence for a key, its places filled in."""
    found = TEXTS[key].in_(language)
    return found.format(**values) if values else found
