"""The sentences of the pages about tuning."""

from audit.texts import Texts

__all__ = ["TUNING_TEXTS"]

TUNING_TEXTS = {
    "tuning.title": Texts("検知の調整", "Tuning"),
    "tuning.menu": Texts("検知の調整のページ", "Pages about tuning"),
    "tuning.list": Texts("一覧", "Overview"),
    "tuning.new_exception": Texts("例外を提案", "Propose an exception"),
    "tuning.new_parameters": Texts("しきい値を提案", "Propose other values"),
    "tuning.done": Texts("記録しました。", "Done and recorded."),
    "tuning.waiting": Texts("確認を待つ提案", "Waiting for a second person"),
    "tuning.waiting_none": Texts("確認を待つ提案はありません。", "Nothing waits for a second person."),
    "tuning.in_force": Texts("有効な例外としきい値", "Exceptions and values in force"),
    "tuning.in_force_none": Texts(
        "例外はなく、すべての検知器が初期値で動いています。",
        "There are no exceptions, and every detector has its own values.",
    ),
    "tuning.over": Texts("終わったもの", "What is over"),
    "tuning.over_none": Texts("まだありません。", "Nothing yet."),
    "tuning.sentence": Texts(
        "有効な例外が {count} 件、隠れている検知が {hidden} 件あります",
        "Exceptions in force: {count}. Findings that they hide: {hidden}",
    ),
    "tuning.sentence_none": Texts("有効な例外はありません", "No exception is in force"),
    "tuning.see_excepted": Texts("隠れている検知を見る", "See what is hidden"),
    "tuning.two_people": Texts(
        "例外としきい値は、過去への影響を試算してから提案し、別の担当者が確認すると有効になります。"
        "案件を扱うセキュリティ管理者は調整しません。",
        "Exceptions and values are previewed over the past, proposed, and in force once another engineer confirms. "
        "Security administrators, who deal with cases, tune nothing.",
    ),
    "tuning.what": Texts("内容", "What"),
    "tuning.detector": Texts("検知器", "Detector"),
    "tuning.detector_choose": Texts("検知器を選ぶ", "Choose a detector"),
    "tuning.state": Texts("状態", "State"),
    "tuning.why": Texts("理由とチケット", "Reason and ticket"),
    "tuning.who": Texts("提案と確認", "Proposed and confirmed"),
    "tuning.proposed": Texts("提案", "Proposed"),
    "tuning.confirmed": Texts("確認", "Confirmed"),
    "tuning.ended": Texts("終了", "Ended"),
    "tuning.until": Texts("{day} まで", "until {day}"),
    "tuning.waits_until": Texts("{day} までに確認がなければ無効", "void unless confirmed by {day}"),
    "tuning.reason": Texts("理由", "Reason"),
    "tuning.ticket": Texts("チケット番号", "Ticket"),
    "tuning.period": Texts("有効な期間", "In force"),
    # The form of an exception
    "tuning.exception_lead": Texts(
        "例外に当たる検知は消えず、「例外」の状態で残り、案件の一覧に出なくなります。"
        "条件はすべて満たす必要があります。提案者・確認者・責任者自身についての検知は、決して例外になりません。",
        "Findings that fall under an exception are kept as excepted and leave the queue of cases. All conditions must "
        "hold. No finding about the proposer, the confirmer or the owner ever falls under it.",
    ),
    "tuning.every": Texts("すべての検知器（記録の消去などを除く）", "Every detector (except those of wiped-out logs)"),
    "tuning.actors": Texts("職員番号（複数は空白で区切る）", "Staff ids, separated by spaces"),
    "tuning.units": Texts("所属（下位の所属も含む）", "Units, with those below them"),
    "tuning.source": Texts("システム", "System"),
    "tuning.any_source": Texts("限定しない", "Any"),
    "tuning.subjects": Texts("対象者の番号（複数は空白で区切る）", "Residents' keys, separated by spaces"),
    "tuning.weekdays": Texts("曜日", "Weekdays"),
    "tuning.hours": Texts("時刻（この時台の操作だけの検知）", "Hours (findings whose events all lie within them)"),
    "tuning.hour_from": Texts("何時台から", "From"),
    "tuning.hour_to": Texts("何時台まで", "To, inclusive"),
    "tuning.scope_hint": Texts(
        "検知器のほかに、少なくとも 1 つの条件が必要です。", "At least one condition is needed beside the detector."
    ),
    "tuning.owner": Texts("責任者の職員番号", "Owner's staff id"),
    "tuning.first": Texts("開始日", "First day"),
    "tuning.last": Texts("終了日（{count} 日以内）", "Last day (within {count} days)"),
    "tuning.try_exception": Texts("過去 365 日で試算する", "Preview over the last 365 days"),
    # The form of parameters
    "tuning.parameters_lead": Texts(
        "過去の記録を今の値と新しい値の両方で判定し直し、違いを示します。日数が多いほど時間がかかります。",
        "The past is judged with the present and the new values, and the difference is shown. More days take longer.",
    ),
    "tuning.parameter": Texts("項目", "Parameter"),
    "tuning.default": Texts("初期値", "Default"),
    "tuning.present": Texts("今の値", "In force"),
    "tuning.new_value": Texts("新しい値", "New value"),
    "tuning.yes": Texts("はい", "Yes"),
    "tuning.no": Texts("いいえ", "No"),
    "tuning.days": Texts("試算する日数（{count} 日まで）", "Days to preview (at most {count})"),
    "tuning.show": Texts("表示", "Show"),
    "tuning.try_parameters": Texts("試算する", "Preview"),
    # A preview
    "tuning.preview": Texts("過去への影響の試算", "Preview over the past"),
    "tuning.preview_span": Texts("{first} から {last} まで", "{first} to {last}"),
    "tuning.queued": Texts(
        "ほかの試算が終わるのを待っています。", "Waiting until the previews before this one are done."
    ),
    "tuning.running": Texts(
        "試算しています: {done} / {total}。日数や件数が多いと数分かかります。",
        "Working: {done} of {total}. With many days or findings this takes minutes.",
    ),
    "tuning.renew": Texts("進み具合を見る", "See how far it is"),
    "tuning.failed": Texts(
        "試算が止まりました。もう一度試算してください。", "The preview stopped. Please make it again."
    ),
    "tuning.hides": Texts(
        "この例外があれば、{judged} 件の検知のうち {count} 件が隠れていました",
        "This exception would have hidden {count} of {judged} findings",
    ),
    "tuning.hides_none": Texts(
        "この例外があっても、過去のどの検知も隠れませんでした（{judged} 件中）",
        "This exception would have hidden none of {judged} findings",
    ),
    "tuning.differs": Texts(
        "新しい値では {more} 件が増え、{fewer} 件が消えます", "With the new values {more} appear and {fewer} disappear"
    ),
    "tuning.judged_days": Texts(
        "記録のある {count} 日分を判定し直しました。", "Days with events that were judged again: {count}."
    ),
    "tuning.grave": Texts("うち重大度「緊急」「高」: {count} 件", "Of these critical or high: {count}"),
    "tuning.known_none": Texts(
        "どれが本当の不正だったかは、まだ記録されていません。重大度の高いものから並べています。",
        "Which of these were true is not on record yet. The gravest come first.",
    ),
    "tuning.picture": Texts("週ごとの件数", "Findings a week"),
    "tuning.legend_hidden": Texts("隠れる検知", "Hidden"),
    "tuning.legend_grave": Texts("うち緊急・高", "of these critical or high"),
    "tuning.legend_more": Texts("増える検知（線の上）", "Appear (above the line)"),
    "tuning.legend_fewer": Texts("消える検知（線の下）", "Disappear (below the line)"),
    "tuning.table": Texts("表で見る", "Show as a table"),
    "tuning.month": Texts("月", "Month"),
    "tuning.count": Texts("件数", "Count"),
    "tuning.effect": Texts("影響", "Effect"),
    "tuning.more": Texts("ほかの {count} 件も見る", "Show {count} more"),
    "tuning.more_findings": Texts("影響を受ける検知の続き", "More findings concerned"),
    "tuning.findings": Texts("影響を受ける検知", "Findings concerned"),
    "tuning.by_detector": Texts("検知器ごとの件数", "By detector"),
    "tuning.omitted": Texts("ほかに {count} 件あります。", "There are {count} more."),
    "tuning.propose": Texts("提案する", "Propose"),
    "tuning.propose_lead": Texts(
        "この試算を付けて提案します。確認する人は同じ試算を見ます。",
        "The proposal carries this preview; whoever confirms sees the same.",
    ),
    "tuning.digest": Texts("試算の識別値", "Digest of the preview"),
    # A change
    "tuning.confirm": Texts("試算を見たうえで確認する", "Confirm, having seen the preview"),
    "tuning.end": Texts("例外を終わらせる", "End the exception"),
    "tuning.drop": Texts("提案を取り下げる・退ける", "Drop the proposal"),
    "tuning.other_confirms": Texts("別の担当者の確認を待っています。", "It waits for another engineer."),
}
