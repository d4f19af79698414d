"""Scripts of East and Southeast Asia, as parts of regular expressions.

The ranges follow the Script property of Unicode (UAX #24), by whole blocks where a block holds
one script. Signs that Chinese and Japanese share, such as ``・`` and ``ー``, are not kana: they
tell neither language.
"""

from __future__ import annotations

import re
from typing import Final

#: Ranges of Chinese characters and of the marks that repeat or count them.
HAN: Final = (
    r"\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
#: Ranges of Han, kana and the signs among kana, full and half width: text without spaces.
HAN_KANA: Final = rf"{HAN}\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
#: One kana: what tells Japanese from Chinese.
KANA: Final = re.compile(
    r"[\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff\u31f0-\u31ff\uff66-\uff6f\uff71-\uff9d]"
)
#: One syllable or letter of Hangul.
HANGUL: Final = re.compile(
    r"[\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uffa0-\uffdc]"
)
#: One character of a text without spaces.
IDEOGRAPH: Final = re.compile(f"[{HAN_KANA}]")
#: One character of Thai, Lao, Burmese or Khmer: text whose words only a dictionary can tell apart.
SPACELESS: Final = re.compile(
    r"[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d"
    r"\u1780-\u17d3\u17d7\u17dc\u17dd\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f]"
)
