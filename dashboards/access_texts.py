"""The sentences of sign-in, of one's own account and of the users, in both languages."""

from audit.texts import Texts

__all__ = ["ACCESS_TEXTS"]

ACCESS_TEXTS = {
    "sign_in.title": Texts("サインイン", "Sign in"),
    "sign_in.lead": Texts(
        "住民記録へのアクセスを見守るシステムです。", "It watches over access to residents' records."
    ),
    "sign_in.login_id": Texts("ログイン ID", "Login id"),
    "sign_in.password": Texts("パスワード", "Password"),
    "sign_in.next": Texts("次へ", "Continue"),
    "second.title": Texts("本人の確認", "Prove that it is you"),
    "second.lead": Texts(
        "認証アプリに表示されている 6 桁の数字を入力してください。",
        "Enter the 6 digits that your authenticator app shows.",
    ),
    "second.code": Texts("確認コード", "Code"),
    "second.hint": Texts(
        "コードは 30 秒ごとに変わり、一度だけ使えます。", "A code changes every 30 seconds and works once."
    ),
    "second.back": Texts("最初からやり直す", "Start again"),
    "step_up.title": Texts("もう一度、本人の確認", "Prove once more that it is you"),
    "step_up.lead": Texts(
        "大切な操作の前に、もう一度本人であることを確かめます。",
        "Before this act, prove once more that it is you.",
    ),
    "step_up.refused": Texts(
        "確認できませんでした。コードは一度だけ使えます。次の新しいコードか、キーでお試しください。",
        "That did not prove it. A code works once: enter the next new one, or use your key.",
    ),
    "step_up.go": Texts("確認して進む", "Confirm and go on"),
    "step_up.back": Texts("やめて戻る", "Go back without it"),
    "enrol.title": Texts("利用の登録", "Set up your account"),
    "enrol.lead": Texts(
        "このリンクは一度だけ使えます。2 つの手順で終わります。",
        "This link works once. There are two steps.",
    ),
    "enrol.step_you": Texts("1. あなたについて", "1. About you"),
    "enrol.step_factor": Texts("2. 本人確認の手段(どちらか)", "2. How you prove it is you (either one)"),
    "enrol.choose": Texts(
        "どちらか一方で始められます。もう一方は後から追加できます。",
        "Either one is enough to begin; the other can be added later.",
    ),
    "enrol.way_key": Texts("セキュリティキー(推奨)", "Security key (recommended)"),
    "enrol.way_key_hint": Texts(
        "指紋・顔・暗証番号で使うキーや、この端末に組み込みの認証です。偽の画面では働きません。",
        "A key used by fingerprint, face or PIN, or what is built into this terminal. A forged page cannot use it.",
    ),
    "enrol.with_key": Texts("セキュリティキーで登録する", "Finish with a security key"),
    "enrol.way_app": Texts("認証アプリ", "Authenticator app"),
    "enrol.name": Texts("表示名", "Display name"),
    "enrol.again": Texts("パスワード(もう一度)", "Password (again)"),
    "enrol.rule": Texts(
        "12 文字以上です。長いほど安全で、記号や大文字は必須ではありません。",
        "At least 12 characters. Longer is safer; symbols and capital letters are not required.",
    ),
    "enrol.scan": Texts(
        "スマートフォンの認証アプリで、この QR コードを読み取ってください。",
        "Scan this QR code with the authenticator app on your phone.",
    ),
    "enrol.qr": Texts("認証アプリに登録するための QR コード", "QR code for your authenticator app"),
    "enrol.secret": Texts("読み取れないときは、このキーを入力してください。", "If you cannot scan it, type this key."),
    "enrol.submit": Texts("認証アプリで登録する", "Finish with the app"),
    "or": Texts("または", "or"),
    "verifier.go": Texts("{name} で確認", "Confirm with {name}"),
    # Security keys
    "key.lead": Texts(
        "ボタンを押して、キーに触れるか、指紋・顔・暗証番号で確認してください。",
        "Press the button, then touch your key or verify by fingerprint, face or PIN.",
    ),
    "key.go": Texts("セキュリティキーを使う", "Use my security key"),
    "key.sign_in": Texts("セキュリティキーでサインイン", "Sign in with a security key"),
    "key.failed": Texts(
        "キーを確認できませんでした。取り消したか、このキーが登録されていません。もう一度お試しください。",
        "The key could not be used: it was cancelled, or this key is not enrolled. Try again.",
    ),
    "key.unsupported": Texts(
        "このブラウザではセキュリティキーを使えません。ほかの方法を使ってください。",
        "This browser cannot use security keys. Use another way.",
    ),
    "acr.uv": Texts(
        "この先へ進むには、本人確認つきのセキュリティキーが必要です。",
        "To go on, a security key that verifies you is needed.",
    ),
    "acr.bio": Texts(
        "この先へ進むには、生体認証(指紋・顔・静脈など)が必要です。",
        "To go on, a biometric (fingerprint, face, vein) is needed.",
    ),
    "acr.none": Texts(
        "使える認証手段が登録されていません。セキュリティ管理者に再設定を依頼してください。",
        "You have no authenticator to use. Ask your security administrator for a reset.",
    ),
    "acr.none_uv": Texts(
        "セキュリティキーが登録されていないため、この先へは進めません。自分のアカウントの画面で追加してください。",
        "You have no security key, so you cannot go on. Add one on the page of your account.",
    ),
    "acr.none_bio": Texts(
        "生体認証つきのキーが登録されていないため、この先へは進めません。セキュリティ管理者に相談してください。",
        "You have no key with a biometric, so you cannot go on. Ask your security administrator.",
    ),
    # Recovery codes
    "recovery.lost": Texts("キーもスマートフォンも手元にないとき", "Neither key nor phone at hand?"),
    "recovery.hint": Texts(
        "登録のときに控えた回復コードを 1 つ入力してください。新しい認証手段の登録に進みます。",
        "Enter one of the recovery codes that you kept. It leads to binding new authenticators.",
    ),
    "recovery.code": Texts("回復コード", "Recovery code"),
    "recovery.go": Texts("登録し直す", "Bind new authenticators"),
    "codes.title": Texts("回復コード", "Your recovery codes"),
    "codes.once": Texts("表示されるのは今だけです。", "They are shown only now."),
    "codes.lead": Texts(
        "印刷するか書き写して、鍵のかかる場所に保管してください。",
        "Print them or write them down, and keep them locked away.",
    ),
    "codes.use": Texts(
        "キーやスマートフォンを失ったとき、パスワードと一緒に使います。1 つにつき一度だけ使えます。",
        "If you lose key or phone, use one together with your password. Each works once.",
    ),
    "codes.go": Texts("控えました。次へ", "I have kept them"),
    # One session at a time
    "elsewhere.title": Texts("すでにサインイン中です", "You are signed in already"),
    "elsewhere.since": Texts("サインインした日時", "Since"),
    "elsewhere.address": Texts("端末のアドレス", "Address of the terminal"),
    "elsewhere.ask": Texts(
        "利用できるのは、一度に 1 か所だけです。どうしますか。",
        "You can be signed in at one place at a time. What would you like?",
    ),
    "elsewhere.take_over": Texts("あちらを終了して、ここで続ける", "End it there and go on here"),
    "elsewhere.leave": Texts("あちらを残す", "Leave it there"),
    "elsewhere.not_you": Texts(
        "心当たりがないときは、ここで続けたうえで、すぐセキュリティ管理者に知らせてください。",
        "If that was not you, go on here and tell your security administrator at once.",
    ),
    "elsewhere.left": Texts("あちらのサインインはそのままです。", "The other session goes on."),
    "elsewhere.refused": Texts(
        "この役所の設定では、先にあちらでサインアウトする必要があります。",
        "By this town's rules you must first sign out there.",
    ),
    "overdue.title": Texts("パスワードの変更", "Change your password"),
    "overdue.lead": Texts(
        "パスワードの有効期間が過ぎました。新しいパスワードを決めると、サインインできます。",
        "Your password has reached its age limit. Choose a new one to sign in.",
    ),
    "overdue.go": Texts("変更してサインイン", "Change it and sign in"),
    # The lock
    "locked.title": Texts("画面はロックされています", "The screen is locked"),
    "locked.lead": Texts(
        "{name} さんの作業は残っています。本人であることを確かめると続けられます。",
        "The work of {name} is still there. Prove that it is you to go on.",
    ),
    "locked.go": Texts("ロックを解除", "Unlock"),
    "locked.other": Texts("別の人がサインインする(この作業は終了)", "Somebody else signs in (this session ends)"),
    # One's own account
    "account.title": Texts("自分のアカウント", "My account"),
    "account.signed_in": Texts("今回のサインイン", "Signed in"),
    "account.proved": Texts("確認した手段", "Proved by"),
    "account.locked": Texts(
        "変更するには、もう一度本人であることを確かめてください。",
        "To change anything, prove once more that it is you.",
    ),
    "account.unlock": Texts("確かめる", "Prove it"),
    "account.factors": Texts("認証手段", "Authenticators"),
    "account.name": Texts("名前", "Name"),
    "account.model": Texts("機種", "Model"),
    "account.verifies": Texts("本人確認の方法", "How it verifies you"),
    "account.added": Texts("登録日", "Added"),
    "account.used": Texts("最後に使った日時", "Last used"),
    "account.act": Texts("操作", "Action"),
    "account.key": Texts("セキュリティキー(機種は未確認)", "Security key (model not attested)"),
    "account.synced": Texts("複製できるキー", "Key can be copied"),
    "account.pin": Texts("端末による確認", "By the device"),
    "account.never": Texts("まだありません", "Never"),
    "account.refused": Texts("使用停止", "Not accepted"),
    "account.remove": Texts("削除", "Remove"),
    "account.app": Texts("認証アプリ", "Authenticator app"),
    "account.app_kind": Texts("6 桁の確認コード", "Codes of 6 digits"),
    "account.app_lead": Texts(
        "スマートフォンのアプリに表示される確認コードを使います。",
        "Uses the codes that an app on your phone shows.",
    ),
    "account.app_add": Texts("認証アプリを追加", "Add an app"),
    "account.app_replace": Texts("別の認証アプリに替える", "Replace the app"),
    "account.app_go": Texts("このアプリを登録", "Bind this app"),
    "account.add_key": Texts("セキュリティキーの追加", "Add a security key"),
    "account.key_name": Texts("キーの名前(例: 机の鍵)", "Name of the key (for example: desk)"),
    "account.add_key_go": Texts("キーを追加", "Add the key"),
    "account.codes": Texts("回復コード", "Recovery codes"),
    "account.codes_left": Texts("残り {count} 個です。", "{count} left."),
    "account.codes_new": Texts("新しい回復コードを作る", "Make new ones"),
    "account.password": Texts("パスワード", "Password"),
    "account.password_since": Texts("{day} から使用中です。", "In use since {day}."),
    "account.password_until": Texts("{day} までに変更が必要です。", "It must be changed by {day}."),
    "account.old_password": Texts("今のパスワード", "Present password"),
    "account.new_password": Texts("新しいパスワード", "New password"),
    "account.password_go": Texts("パスワードを変更", "Change the password"),
    "account.sessions": Texts("サインインの状態", "Sessions"),
    "account.everywhere_lead": Texts(
        "端末を失くしたときや、席を離れて戻れないときに使います。",
        "For a lost terminal, or when you cannot go back to your seat.",
    ),
    "account.everywhere": Texts("すべての場所でサインアウト", "Sign out everywhere"),
    # Users
    "newcomers.title": Texts("まとめて登録", "Enrol several people"),
    "newcomers.progress": Texts("{total} 人中 {enrolled} 人が登録済みです。", "{enrolled} of {total} are enrolled."),
    "newcomers.lead": Texts(
        "在職していてまだ登録していない人を選ぶと、1人1枚の登録用紙ができます。本人に手渡してください。"
        "役割は「職員」だけです。",
        "Choose people who hold a post and are not enrolled: each gets a sheet, to be handed over in person. "
        "Their role is staff alone.",
    ),
    "newcomers.unit": Texts("所属", "Unit"),
    "newcomers.show": Texts("表示", "Show"),
    "newcomers.caption": Texts("まだ登録していない人 {count} 人", "{count} not enrolled yet"),
    "newcomers.choose": Texts("選ぶ", "Choose"),
    "newcomers.until": Texts("{at} まで有効", "good until {at}"),
    "newcomers.make": Texts("選んだ人の登録用紙を作る", "Make the sheets"),
    "newcomers.none": Texts("まだ登録していない人はいません。", "Everybody here is enrolled."),
    "sheets.title": Texts("登録用紙", "Enrolment sheets"),
    "sheets.qr": Texts("登録用リンクの QR コード", "QR code of the one-time link"),
    "sheets.once": Texts(
        "この画面は一度しか表示できません。印刷し、本人に手渡してください。作り直すと前の用紙は使えなくなります。",
        "This page is shown once. Print it and hand each sheet over in person. A new sheet ends the one before.",
    ),
    "sheets.open": Texts(
        "庁内の端末で、QR コードを読むか下のアドレスを開きます。",
        "At a terminal of the office, scan the code or open the address.",
    ),
    "sheets.choose": Texts(
        "パスワードを決め、認証アプリかセキュリティキーを登録します。",
        "Choose a password, and enrol an authenticator app or a security key.",
    ),
    "sheets.destroy": Texts(
        "終わったら、この用紙は裁断してください。一度しか使えません。", "Then shred this sheet. It works once."
    ),
    "users.title": Texts("利用者", "Users"),
    "users.list": Texts("利用者の一覧", "All users"),
    "users.user": Texts("利用者", "User"),
    "users.staff_id": Texts("職員番号(ログイン ID)", "Staff id (login id)"),
    "users.roles": Texts("役割", "Roles"),
    "users.roles_go": Texts("役割を変更", "Change roles"),
    "users.state": Texts("状態", "State"),
    "users.last": Texts("最後のサインイン", "Last sign-in"),
    "users.acts": Texts("操作を選ぶ", "Choose"),
    "users.oneself": Texts("あなた", "You"),
    "users.reset": Texts("認証の再設定を依頼", "Ask for a reset"),
    "users.sign_out": Texts("サインアウトさせる", "Sign out"),
    "users.disable": Texts("停止", "Disable"),
    "users.enable": Texts("再開", "Enable"),
    "users.close": Texts("廃止(元に戻せません)", "Close for good"),
    "users.resets": Texts("確認を待っている再設定", "Resets that wait for a second person"),
    "users.asked_by": Texts("依頼した人", "Asked by"),
    "users.asked_at": Texts("依頼した日時", "Asked"),
    "users.confirm": Texts("確認してリンクを作る", "Confirm and make the link"),
    "users.drop": Texts("取りやめる", "Drop it"),
    "users.other_confirms": Texts("別の管理者が確認します", "Another administrator confirms this"),
    "users.in_person": Texts(
        "目の前で登録する(リンクは 15 分だけ有効)", "They are here (the link works for 15 minutes)"
    ),
    "users.new": Texts("新しい利用者", "A new user"),
    "users.new_go": Texts("登録リンクを作る", "Make the link"),
    "users.link": Texts("登録用リンク", "One-time link"),
    "users.link_once": Texts(
        "表示されるのは今だけです。本人に直接渡すか、この端末で本人に開いてもらってください。",
        "It is shown only now. Hand it to the person, or let them open it on this terminal.",
    ),
}
