"""Detect opt-outs and opt-ins in received text messages, by the words that Twilio and carriers know."""

import unicodedata

from unite_core.text import normalize

STOP_WORDS: dict[str, frozenset[str]] = {
    "English": frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}),
    "French": frozenset({"ARRET", "ARRETER", "ARRETEZ", "DESABONNER", "DESINSCRIRE", "DESINSCRIPTION"}),
    "German": frozenset({"STOPP", "ABMELDEN", "ABBESTELLEN"}),
    "Spanish": frozenset({"BAJA", "ALTO", "PARAR", "CANCELAR", "DETENER"}),
    "Portuguese": frozenset({"PARE", "PARAR", "SAIR", "CANCELAR", "REMOVER"}),
    "Italian": frozenset({"FERMA", "FERMARE", "ANNULLA", "CANCELLA", "CANCELLAMI", "DISISCRIVI"}),
    "Dutch": frozenset({"STOPPEN", "AFMELDEN", "UITSCHRIJVEN"}),
    "Danish, Norwegian, Swedish": frozenset({"STOPP", "AFMELD", "AVMELD", "AVSLUTT", "AVSLUTA", "AVREGISTRERA"}),
    "Finnish": frozenset({"LOPETA", "PERUUTA"}),
    "Polish": frozenset({"REZYGNACJA", "REZYGNUJE", "WYPISZ"}),
    "Czech, Slovak": frozenset({"ODHLASIT", "KONEC", "KONIEC"}),
    "Hungarian": frozenset({"LEALLITAS", "LEIRATKOZAS"}),
    "Romanian": frozenset({"OPRESTE", "DEZABONARE"}),
    "Croatian, Serbian": frozenset({"ODJAVA", "ODJAVI"}),
    "Turkish": frozenset({"IPTAL", "DUR", "RET"}),
    "Greek": frozenset({"ΣΤΟΠ", "ΔΙΑΓΡΑΦΗ"}),
    "Russian, Ukrainian": frozenset({"СТОП", "ОТПИСКА", "ОТПИСАТЬСЯ", "ВІДПИСКА", "ВІДПИСАТИСЯ"}),
    "Arabic": frozenset({"توقف", "إيقاف", "إلغاء"}),
    "Hebrew": frozenset({"הסר", "הפסק", "עצור"}),
    "Hindi": frozenset({"बंद", "रोकें", "रोको"}),
    "Indonesian, Malay": frozenset({"BERHENTI", "UNREG", "BATAL"}),
    "Tagalog": frozenset({"TIGIL", "HINTO"}),
    "Vietnamese": frozenset({"DUNG", "HUY", "NGUNG"}),
    "Thai": frozenset({"หยุด", "ยกเลิก"}),
    "Chinese": frozenset({"停止", "退订", "退訂", "取消", "TD"}),
    "Japanese": frozenset({"停止", "解除", "配信停止", "ストップ"}),
    "Korean": frozenset({"중지", "정지", "수신거부", "그만"}),
}
"""Language -> the words of opt-outs, in capitals and mostly without accents, which do not matter."""

START_WORDS = frozenset({"START", "YES", "UNSTOP"})
"""The words of opt-ins. They are few: messages that nobody wants are worse than a wanted one that is missing."""


def opts_out(body: str, opt_out_type: str | None) -> bool | None:
    """Return whether the sender wants no more messages, or wants them again; None where the message says neither.

    Where Twilio says what it made of the message (`opt_out_type`: STOP, START or HELP), that counts instead of the
    `body`. Else it has to consist of such words alone, in any case, with or without accents and punctuation.
    """
    words = _words(opt_out_type or body)
    if not words:
        return None
    # "STOP ALL", "opt-out"
    said = {"".join(words)} if len(words) > 1 and "".join(words) in _STOP | _START else set(words)
    if said <= _STOP:
        return True
    return False if said <= _START else None


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case, without accents, punctuation, emoji and invisible characters."""
    letters = (_letter(character) for character in normalize("NFKD", text.casefold()))
    return "".join(letters).split()


def _letter(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or unicodedata.combining(character):
        return ""
    return character if category[0] in "LMN" else " "


_STOP = frozenset("".join(_words(word)) for words in STOP_WORDS.values() for word in words)
_START = frozenset("".join(_words(word)) for word in START_WORDS)
