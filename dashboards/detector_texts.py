"""The sentences of the pages about detectors and scorecards."""

from audit.texts import Texts

__all__ = ["DETECTOR_TEXTS"]

DETECTOR_TEXTS = {
    # The list
    "detectors.title": Texts("検知器", "Detectors"),
    "detectors.menu": Texts("検知器のページ", "Pages about detectors"),
    "detectors.list": Texts("一覧", "All detectors"),
    "detectors.cards": Texts("実力（採点結果）", "What they are worth"),
    "detectors.all_ok": Texts(
        "{count} 本の検知器がすべて正しく動いています", "All {count} detectors are working as they should"
    ),
    "detectors.some_bad": Texts(
        "{count} 本の検知器のうち {bad} 本に確認が必要です", "{bad} of {count} detectors need a look"
    ),
    "detectors.none_ran": Texts(
        "{count} 本の検知器はまだ一度も動いていません", "None of {count} detectors has run yet"
    ),
    "detectors.none_ran_hint": Texts(
        "ログが届き、定時の処理が動くと判定が始まります。",
        "They begin when logs arrive and the service runs its schedule.",
    ),
    "detectors.lead": Texts(
        "何を見張り、この 30 日に何を見つけたか。検知器を選ぶと、対応の手順や設定値が見られます。",
        "What is watched, and what was found in the last 30 days. Choose one for what to do and its values.",
    ),
    "detectors.and_more": Texts("ほか {count} 本", "and {count} more"),
    "detectors.alarm": Texts("警告を見る", "See the alert"),
    "detectors.gone": Texts(
        "取り込んだ規則のうち、使えなくなったもの: {names}", "Imported rules that cannot be used any more: {names}"
    ),
    "detectors.search": Texts("ことばで探す", "Search"),
    "detectors.control": Texts("対応する統制", "Control"),
    "detectors.shown": Texts("{count} 本が当てはまります", "{count} match"),
    "detectors.no_match": Texts("当てはまる検知器はありません。", "No detector matches."),
    "detectors.name": Texts("検知器と、見つけるもの", "Detector, and what it looks for"),
    "detectors.severity": Texts("最高の重大度", "Highest severity"),
    "detectors.recent": Texts("30 日の検知", "Found in 30 days"),
    "detectors.open": Texts("未確認", "Open"),
    "detectors.open_of": Texts("{title}の未確認の警告 {count} 件", "{count} open alerts of: {title}"),
    "detectors.state": Texts("状態と最後の実行", "State, last run"),
    "detectors.worth": Texts("模擬の町での実力", "In the simulated town"),
    "detectors.true": Texts("{share} が本当", "{share} true"),
    "detectors.found": Texts("事案 {count} 件を発見", "Incidents found: {count}"),
    "detectors.no_findings": Texts("検知なし", "no findings"),
    "detectors.by_day": Texts("日ごとの検知: {days}", "Findings by day: {days}"),
    "detectors.days_none": Texts("この 30 日に検知はありません", "Nothing found in 30 days"),
    "detectors.watchers": Texts("窓ごとの判定によらない見張り", "Watched beside them"),
    "detectors.watchers_lead": Texts(
        "ログの到着や、見守り自身の動きから直接開かれる警告です。",
        "Alerts that are opened where logs arrive, or by what happens to Mimamori itself.",
    ),
    "detectors.watcher": Texts("見張るもの", "What is watched"),
    # One detector
    "detector.back": Texts("検知器の一覧へ", "All detectors"),
    "detector.canary_bad": Texts(
        "毎日の自己試験で、この検知器は見つけるべき作り話を見つけられませんでした。警告がなくても安心できません。",
        "Told one of its own stories, as every day, this detector did not see it: no alerts do not mean no trouble.",
    ),
    "detector.refused": Texts(
        "設定された値を受け付けないため、止まっています: {why}", "It does not take the values that are set: {why}"
    ),
    "detector.late": Texts(
        "しばらく実行されていません。定時の処理が動いているか確かめてください。",
        "It has not run for a while: see whether the service runs its schedule.",
    ),
    "detector.never": Texts("まだ一度も実行されていません。", "It has never run yet."),
    "detector.last_run": Texts("最後の実行", "Last run"),
    "detector.canary": Texts("自己試験", "Self-test"),
    "detector.canary_ok": Texts("見えている", "sees"),
    "detector.canary_none": Texts("まだない", "not yet"),
    "detector.look_back": Texts("さかのぼる日数", "Looks back"),
    "detector.look_back_days": Texts("{count} 日", "{count} days"),
    "detector.see_all": Texts("この検知器の警告をすべて見る", "See all of its alerts"),
    "detector.parameters": Texts("設定値", "Values"),
    "detector.parameter": Texts("項目", "What it decides"),
    "detector.default": Texts("初期値", "Default"),
    "detector.in_force": Texts("今の値", "In force"),
    "detector.changed": Texts("変更あり", "changed"),
    "detector.no_parameters": Texts("変えられる値はありません。", "There is nothing to set."),
    "detector.tune": Texts("値の変更を提案する", "Propose other values"),
    "detector.tunings": Texts("例外と変更の一覧", "Exceptions and changes"),
    "detector.worth": Texts("模擬の町での実力", "Worth in the simulated town"),
    "detector.worth_said": Texts(
        "検知 {findings} 件のうち {true} 件が本当の事案につながり、仕込まれた事案のうち {found} 件を見つけました。"
        "紛らわしい正当な例を {traps} 件疑いました。",
        "{true} of {findings} findings led to an incident; {found} of the incidents planted were found by it, and it "
        "flagged {traps} harmless look-alikes.",
    ),
    "detector.worth_without": Texts(
        "この検知器がないと、見つかる事案は全体の {recall} になります。", "Without it, {recall} of all would be found."
    ),
    "detector.worth_card": Texts("採点結果を開く", "Open the scorecard"),
    "detector.worth_none": Texts(
        "この検知器の採点結果はまだありません。`mimamori lab run` で作れます。",
        "There is no score yet: `mimamori lab run` makes one.",
    ),
    "detector.serves": Texts("根拠となる統制と手口", "Controls served, techniques"),
    "detector.controls": Texts("対応する統制", "Controls"),
    "detector.techniques": Texts("攻撃の手口（MITRE ATT&CK）", "Techniques (MITRE ATT&CK)"),
    "detector.reads": Texts("読む項目", "Fields read"),
    "detector.references": Texts("参考", "References"),
    "detector.stories": Texts("自身の試験", "Its own test cases"),
    "detector.stories_said": Texts(
        "見つけるべき話 {firing}、黙っているべき話 {silent}", "{firing} that fire, {silent} that stay silent"
    ),
    "detector.runs": Texts("実行の記録（最近 30 回）", "Its last 30 evaluations"),
    "detector.no_runs": Texts("まだ記録はありません。", "There are none yet."),
    "detector.day": Texts("判定した日", "Day judged"),
    "detector.at": Texts("実行した日時", "When"),
    "detector.events": Texts("見た記録", "Events seen"),
    "detector.found": Texts("検知", "Findings"),
    "detector.why": Texts("理由", "Why"),
    "detector.run_late": Texts("遅れて実行", "late"),
    "detector.failed": Texts("失敗: {error}", "failed: {error}"),
    "detector.result": Texts("結果のハッシュ値", "Hash of the result"),
    # Scorecards
    "card.title": Texts("検知器の実力", "What the detectors are worth"),
    "card.all_met": Texts("{count} 個の目標すべてに届いています", "All {count} goals are met"),
    "card.some_met": Texts("{count} 個の目標のうち {met} 個に届いています", "{met} of {count} goals are met"),
    "card.missed": Texts("届いていない目標:", "Not met:"),
    "card.missed_one": Texts("{goal}（目標 {asked}、実測 {value}）", "{goal} (asked {asked}, measured {value})"),
    "card.days": Texts("{count} 日", "{count} days"),
    "card.lead": Texts(
        "事案を仕込んだ模擬の町で測りました。実在の人や記録は含まれません。",
        "Measured on a simulated town in which incidents were planted. Nobody in it exists.",
    ),
    "card.which": Texts("採点結果", "Scorecard"),
    "card.show": Texts("表示", "Show"),
    "card.saved": Texts("保存", "Saved"),
    "card.cases_a_day": Texts("1 日に確認する案件", "Cases to review a day"),
    "card.per_hour": Texts("確認 1 時間あたりの発見", "Incidents found per hour of review"),
    "card.none": Texts("採点結果はまだありません", "There is no scorecard yet"),
    "card.none_hint": Texts(
        "見守りと同じデータの場所（--data）で次のコマンドを実行すると、模擬の町を作って検知器を採点します。数分かかり、"
        "結果はこの画面に現れます。",
        "Run this with the same data directory (--data) as the service: it simulates a town and scores the detectors. "
        "It takes minutes; the result appears here.",
    ),
    "card.unreadable": Texts(
        "この採点結果は読めません。別の版で作られたものかもしれません。作り直してください。",
        "This scorecard cannot be read; another version may have made it. Please make it again.",
    ),
}
