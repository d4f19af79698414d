"""Languages: the regions whose fonts they want, and their codes in containers, of ISO 639-2.

The standard has two codes for some languages, a terminological and a bibliographic one.
Source: https://www.loc.gov/standards/iso639-2/php/code_list.php.
"""

from __future__ import annotations

from typing import Final

from app.render.model.scripts import HANGUL, KANA

#: How names of fonts for one region end, by language.
_REGIONS: Final = {
    "ja": "JP", "ko": "KR", "zh-hk": "HK", "zh-mo": "HK", "zh-hant-hk": "HK", "zh-hant-mo": "HK",
    "zh-hant": "TC", "zh-tw": "TC", "zh": "SC",
}  # fmt: skip
#: Terminological codes of two-letter ones (ISO 639-1).
_CODES: Final = {
    "aa": "aar", "ab": "abk", "ae": "ave", "af": "afr", "ak": "aka", "am": "amh", "an": "arg",
    "ar": "ara", "as": "asm", "av": "ava", "ay": "aym", "az": "aze", "ba": "bak", "be": "bel",
    "bg": "bul", "bi": "bis", "bm": "bam", "bn": "ben", "bo": "bod", "br": "bre", "bs": "bos",
    "ca": "cat", "ce": "che", "ch": "cha", "co": "cos", "cr": "cre", "cs": "ces", "cu": "chu",
    "cv": "chv", "cy": "cym", "da": "dan", "de": "deu", "dv": "div", "dz": "dzo", "ee": "ewe",
    "el": "ell", "en": "eng", "eo": "epo", "es": "spa", "et": "est", "eu": "eus", "fa": "fas",
    "ff": "ful", "fi": "fin", "fj": "fij", "fo": "fao", "fr": "fra", "fy": "fry", "ga": "gle",
    "gd": "gla", "gl": "glg", "gn": "grn", "gu": "guj", "gv": "glv", "ha": "hau", "he": "heb",
    "hi": "hin", "ho": "hmo", "hr": "hrv", "ht": "hat", "hu": "hun", "hy": "hye", "hz": "her",
    "ia": "ina", "id": "ind", "ie": "ile", "ig": "ibo", "ii": "iii", "ik": "ipk", "io": "ido",
    "is": "isl", "it": "ita", "iu": "iku", "ja": "jpn", "jv": "jav", "ka": "kat", "kg": "kon",
    "ki": "kik", "kj": "kua", "kk": "kaz", "kl": "kal", "km": "khm", "kn": "kan", "ko": "kor",
    "kr": "kau", "ks": "kas", "ku": "kur", "kv": "kom", "kw": "cor", "ky": "kir", "la": "lat",
    "lb": "ltz", "lg": "lug", "li": "lim", "ln": "lin", "lo": "lao", "lt": "lit", "lu": "lub",
    "lv": "lav", "mg": "mlg", "mh": "mah", "mi": "mri", "mk": "mkd", "ml": "mal", "mn": "mon",
    "mr": "mar", "ms": "msa", "mt": "mlt", "my": "mya", "na": "nau", "nb": "nob", "nd": "nde",
    "ne": "nep", "ng": "ndo", "nl": "nld", "nn": "nno", "no": "nor", "nr": "nbl", "nv": "nav",
    "ny": "nya", "oc": "oci", "oj": "oji", "om": "orm", "or": "ori", "os": "oss", "pa": "pan",
    "pi": "pli", "pl": "pol", "ps": "pus", "pt": "por", "qu": "que", "rm": "roh", "rn": "run",
    "ro": "ron", "ru": "rus", "rw": "kin", "sa": "san", "sc": "srd", "sd": "snd", "se": "sme",
    "sg": "sag", "si": "sin", "sk": "slk", "sl": "slv", "sm": "smo", "sn": "sna", "so": "som",
    "sq": "sqi", "sr": "srp", "ss": "ssw", "st": "sot", "su": "sun", "sv": "swe", "sw": "swa",
    "ta": "tam", "te": "tel", "tg": "tgk", "th": "tha", "ti": "tir", "tk": "tuk", "tl": "tgl",
    "tn": "tsn", "to": "ton", "tr": "tur", "ts": "tso", "tt": "tat", "tw": "twi", "ty": "tah",
    "ug": "uig", "uk": "ukr", "ur": "urd", "uz": "uzb", "ve": "ven", "vi": "vie", "vo": "vol",
    "wa": "wln", "wo": "wol", "xh": "xho", "yi": "yid", "yo": "yor", "za": "zha", "zh": "zho",
    "zu": "zul",
}  # fmt: skip
#: Bibliographic codes of the terminological ones from which they differ.
_BIBLIOGRAPHIC: Final = {
    "bod": "tib", "ces": "cze", "cym": "wel", "deu": "ger", "ell": "gre", "eus": "baq",
    "fas": "per", "fra": "fre", "hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac",
    "mri": "mao", "msa": "may", "mya": "bur", "nld": "dut", "ron": "rum", "slk": "slo",
    "sqi": "alb", "zho": "chi",
}  # fmt: skip


def terminological(tag: str) -> str:
    """Return the code of a language tag (BCP 47) that MP4 has; ``und`` where there is none.

    A tag that begins with three letters has its code already (RFC 5646, 2.2.1).
    """
    primary = tag.partition("-")[0].lower()
    return primary if len(primary) == 3 else _CODES.get(primary, "und")  # noqa: PLR2004 - as said


def bibliographic(tag: str) -> str:
    """Return the code of a language tag that Matroska has (RFC 9559, 12), and WebM with it."""
    code = terminological(tag)
    return _BIBLIOGRAPHIC.get(code, code)


def region_of(language: str, texts: str) -> str:
    """Return the region whose forms of Chinese characters a film wants.

    Its language says so; in another language, the script of what it quotes.
    """
    tag = language.lower()
    while tag:
        if tag in _REGIONS:
            return _REGIONS[tag]
        tag = tag.rpartition("-")[0]
    if KANA.search(texts):
        return "JP"
    return "KR" if HANGUL.search(texts) else "SC"
