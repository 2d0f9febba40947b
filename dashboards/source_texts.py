"""The sentences of the pages about sources, in both languages; part of `dashboards.texts.TEXTS`."""

from audit.texts import Texts

__all__ = ["SOURCE_TEXTS"]

SOURCE_TEXTS = {
    # The list
    "sources.title": Texts("システム", "Systems"),
    "sources.count": Texts("{count} システム:", "{count} systems:"),
    "sources.tally": Texts("{what} {count} 件", "{count} {what}"),
    "sources.preset": Texts("{city}の設定(プリセット)", "Preset: {city}"),
    "sources.no_preset": Texts(
        "都市の設定は選ばれていません。カタログのすべてのシステムを表示しています。",
        "No city's preset is chosen: every system of the catalogue is listed.",
    ),
    "sources.all_ok": Texts("確認が必要なシステムはありません。", "No system needs a look."),
    "sources.watch_last": Texts("最後の確認: {time}", "Last looked at {time}."),
    "sources.watch_late": Texts(
        "途絶と欠けの監視が止まっています。この一覧は最新ではありません。",
        "Nobody is watching for silence: this list is out of date.",
    ),
    "sources.watch_never": Texts(
        "途絶と欠けの監視はまだ行われていません。", "Silence and missing events have not been looked for yet."
    ),
    "sources.attention": Texts("確認が必要なシステム", "Needs a look"),
    "sources.in_order": Texts("届いているシステム", "In order"),
    "sources.never": Texts("まだ一度も届いていないシステム({count})", "Never heard ({count})"),
    "sources.never_hint": Texts(
        "送り方は各システムのページにあります。使わないシステムであれば、このままで構いません。",
        "How each of them sends is on its page. Those that you do not have may stay here.",
    ),
    "sources.name": Texts("システム", "System"),
    "sources.number": Texts("No. {number}", "No. {number}"),
    "sources.state": Texts("状態", "State"),
    "sources.missing": Texts("届いていないもの", "What is missing"),
    "sources.more_gaps": Texts("ほか {count} 件", "and {count} more"),
    "sources.last": Texts("最後の記録", "Last event"),
    "sources.last_expected": Texts("最後の記録と、届くはずの間隔", "Last event, and how often expected"),
    "sources.volume": Texts("今日 / 7 日間", "Today / 7 days"),
    "sources.by_day": Texts("日ごとの件数 {days}", "Events by day {days}"),
    "sources.expected": Texts("届くはずの間隔", "Expected"),
    "sources.waiting": Texts("処理待ち", "Waiting"),
    "sources.quarantined": Texts("読めなかった記録", "Unreadable"),
    # One source
    "source.back": Texts("システムの一覧", "All systems"),
    "source.never": Texts(
        "まだ一度も届いていません。「送り方」を見て設定してください。",
        "Nothing has come yet. See how to send below.",
    ),
    "source.contents": Texts("このページの内容", "On this page"),
    "source.events": Texts("保存した記録", "Events stored"),
    "source.gaps": Texts("途絶・欠け", "Gaps"),
    "source.since": Texts("いつから", "Since"),
    "source.settled": Texts("解消", "Filled"),
    "source.deliveries": Texts("最近の受信", "Last deliveries"),
    "source.deliveries_rule": Texts(
        "届いた件数 = 保存 + 重複 + 読めなかった記録", "read = stored + duplicates + unreadable"
    ),
    "source.delivery": Texts("配信", "Delivery"),
    "source.delivery_name": Texts("名前", "Name"),
    "source.received": Texts("受信した日時", "Received"),
    "source.read": Texts("届いた件数", "Read"),
    "source.stored": Texts("保存", "Stored"),
    "source.duplicates": Texts("重複", "Duplicates"),
    "source.under_way": Texts("処理中", "under way"),
    "source.no_deliveries": Texts("まだありません。", "None yet."),
    "source.refused": Texts("読めなかった記録", "Unreadable records"),
    "source.refused_rule": Texts(
        "全 {count} 件のうち新しい {shown} 件。原文は暗号化して保管し、ここには表示しません"
        "(mimamori quarantine show 番号)。",
        "The last {shown} of {count}. Their bytes are kept encrypted and not shown here "
        "(mimamori quarantine show NUMBER).",
    ),
    "source.refused_number": Texts("番号", "Number"),
    "source.line": Texts("行", "Line"),
    "source.why": Texts("理由", "Why"),
    "source.sending": Texts("送り方", "How to send"),
    "source.http": Texts(
        "アクセストークンかクライアント証明書が必要です。202 が返れば保存されています。",
        "Needs an access token or a client certificate. 202 means that it is on disk.",
    ),
    "source.folder_name": Texts("投入フォルダー", "Drop folder"),
    "source.folder": Texts(
        "ファイルを置くと取り込み、done へ移します。", "A file that is put here is taken in and moved to done."
    ),
    "source.listener": Texts("{transport} ポート {port}", "{transport} port {port}"),
    "source.peers": Texts("送信元: {peers}", "from {peers}"),
    "source.no_syslog": Texts(
        "受け口がありません。receivers.toml に書くと使えます。", "No port takes its messages: see receivers.toml."
    ),
    "source.receivers_wrong": Texts("receivers.toml を読めません。", "receivers.toml cannot be read."),
    "source.duties": Texts("保存・確認・サインイン", "Retention, review, sign-in"),
    "source.stated": Texts("文書の定め", "stated by the document"),
    "source.default": Texts("既定値", "our default"),
    "source.not_stated": Texts("定めなし", "not stated"),
    "source.sign_in": Texts("サインインの要素", "Sign-in factors"),
    "source.or": Texts("または", "or"),
    "source.retention": Texts("保存期間", "Retention"),
    "source.years": Texts("{count} 年", "{count} years"),
    "source.for_ever": Texts("無期限", "Without limit"),
    "source.online": Texts("{days} 日後から {archive} に移す", "in {archive} after {days} days"),
    "source.copies": Texts("{count} 部", "{count} copies"),
    "source.review": Texts("ログの確認", "Review"),
    "source.serves": Texts("対応する統制", "Controls served"),
    "source.reading": Texts("読み取り方", "How it is read"),
    "source.no_profile": Texts(
        "カタログにないシステムです。既定の読み取り方を使っています。",
        "It is not in the catalogue: the default profile is used.",
    ),
    "source.kind": Texts("分類", "Kind"),
    "source.also": Texts("別名", "Also called"),
    "source.format": Texts("形式", "Format"),
    "source.in_syslog": Texts("syslog で届く", "inside syslog messages"),
    "source.encoding": Texts("文字コードと時間帯", "Encoding and time zone"),
    "source.documented": Texts("文書にある項目", "Documented fields"),
    "source.dropped": Texts("保存しない項目", "Fields not kept"),
    "source.constants": Texts("固定の値", "Fixed values"),
    "source.fields": Texts("項目の対応", "Fields"),
    "source.theirs": Texts("元の項目", "Their field"),
    "source.ours": Texts("見守りでの項目", "Here"),
    "source.own_fields": Texts("項目は形式の決まりのとおりに読み取ります。", "Its fields are read as the format says."),
    "source.words": Texts("ことばの対応", "Words"),
    "source.their_word": Texts("元のことば", "Their word"),
    "source.our_word": Texts("見守りでのことば", "Here"),
    "source.any_other": Texts("(そのほかすべて)", "(any other)"),
    "source.dropped_word": Texts("(除く)", "(left out)"),
    "source.own_words": Texts("種別は形式の決まりのとおりに読み取ります。", "Activities are read as the format says."),
    "source.examples": Texts("記入例と、その読み取り結果", "Examples and what they become"),
    "source.examples_rule": Texts(
        "架空の例です。実際の受信と同じ方法で読み取っています。",
        "Invented lines, read the same way as a delivery.",
    ),
    # What a sender proves itself with
    "credentials.title": Texts("送信の認証情報", "Credentials for sending"),
    "credentials.lead": Texts(
        "HTTP でこのシステムのログを送れるのは、ここにある認証情報だけです。変更はすべて記録されます。",
        "Over HTTP, only these may send this system's log. Every change is recorded.",
    ),
    "credentials.none": Texts("まだありません。", "None yet."),
    "credentials.done": Texts("認証情報を変更しました。", "The credentials were changed."),
    "credentials.once": Texts("この画面を閉じると、二度と表示できません。", "This is shown only now."),
    "credentials.until": Texts("有効期限: {time}", "Valid until {time}."),
    "credentials.save": Texts(
        "送信側の機械に credential.json として保存し、ほかの人が読めないようにしてください。",
        "Save it as credential.json on the sending machine, readable by nobody else.",
    ),
    "credentials.send": Texts(
        "送り方の例(get_token.py は製品の deploy/senders/ にあります):",
        "How to send with it (get_token.py is in deploy/senders/ of the product):",
    ),
    "credentials.what": Texts("種類", "Kind"),
    "credentials.client": Texts("クライアント ID", "Client id"),
    "credentials.id": Texts("識別子", "Id"),
    "credentials.made": Texts("発行・登録", "Since"),
    "credentials.end": Texts("有効期限", "Until"),
    "credentials.used": Texts("最後の使用", "Last used"),
    "credentials.unused": Texts("未使用", "Never"),
    "credentials.revoke": Texts("取り消す", "Revoke"),
    "credentials.revoke_hint": Texts(
        "この認証情報では、ただちに送れなくなります。", "Nothing can be sent with it from now on."
    ),
    "credentials.revoke_go": Texts("取り消しを確定", "Yes, revoke it"),
    "credentials.issue": Texts("クライアント ID と秘密を発行", "Issue a client id and secret"),
    "credentials.issue_hint": Texts(
        "今あるものは、取り消すまで使えます。", "What there is goes on until it is revoked."
    ),
    "credentials.life": Texts("有効期間", "Valid for"),
    "credentials.days": Texts("{count} 日", "{count} days"),
    "credentials.issue_go": Texts("発行する", "Issue"),
    "credentials.certificate": Texts("クライアント証明書を登録", "Bind a client certificate"),
    "credentials.certificate_hint": Texts(
        "登録すると、トークンだけでは送れなくなります。", "From then on a token alone is not enough."
    ),
    "credentials.certificate_label": Texts("証明書(PEM または SHA-256)", "Certificate (PEM or SHA-256)"),
    "credentials.key": Texts("署名鍵を登録", "Bind a signing key"),
    "credentials.key_hint": Texts(
        "登録すると、署名のない送信は断られます。", "From then on unsigned batches are refused."
    ),
    "credentials.key_label": Texts("Ed25519 の公開鍵(PEM または JWK)", "Ed25519 public key (PEM or JWK)"),
    "credentials.bind_go": Texts("登録する", "Bind"),
    "credentials.locked": Texts("変更するには、確認コードを入力してください", "To make changes, enter a code"),
}
