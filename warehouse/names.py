"""How near two names of organisations come: spelling, sound, abbreviation. General rules, no list of anybody's names.

A name is compared as people mean it: width, case, punctuation, "&", articles and legal forms say nothing. Scores run
from 0 to 100; 100 is the same name under these rules, which is still a suggestion and never an answer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

_BLANKS = re.compile(r"\s+")
_APOSTROPHES = re.compile(r"['’`´]")
_NO_WORD = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_TAIL_NUMBER = re.compile(r"( \d+)+$")

_SILENT = frozenset({
    "the", "of", "for", "and", "to", "ltd", "limited", "lt", "plc", "llp", "inc", "co", "company", "corp",
    "corporation", "gmbh", "sa", "ag", "bv", "uk",
})  # fmt: skip
"""Words that do not tell two organisations apart: joints, articles and legal forms."""

_SHORT_WORDS = {
    "dept": "department", "depts": "department", "govt": "government", "gov": "government", "govern": "government",
    "assoc": "association", "intl": "international", "mngmt": "management", "mgmt": "management", "reg": "regional",
    "univ": "university", "auth": "authority", "natl": "national", "svcs": "services", "bros": "brothers",
}  # fmt: skip

_ENDINGS = ("人民政府", "委员会", "办公室", "管理局", "监督局", "厅", "局", "委", "办", "院", "部", "处", "中心", "站")
_FORMS = {"厅": "局", "委": "局", "办": "局", "委员会": "局", "办公室": "局", "管理局": "局", "监督局": "局"}
"""What kind of body a name ends in; reforms turn one into the other and people mix them up (市局、厅、委、办)."""

SAME, LEAST = 100.0, 55.0
SOUND_WEIGHT, ABBREVIATION_WEIGHT, FORM_WEIGHT = 0.94, 0.93, 0.96


def fold_name(text: str) -> str:
    """Return a name as it is matched: NFKC, lower case, no blanks."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(frozen=True)
class Name:
    """A name taken apart once, to be compared with many."""

    text: str
    plain: str
    """Chinese: no punctuation or blanks. Otherwise: words with one blank between."""
    words: tuple[str, ...]
    """The words that tell organisations apart; of a Chinese name none."""
    sound: str
    """Pinyin without tones; of other names the name itself."""
    initials: str
    is_han: bool


@lru_cache(maxsize=65_536)
def take_apart(text: str) -> Name:
    """Return a name as it is compared."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    is_han = bool(_HAN.search(folded))
    if is_han:
        plain = _NO_WORD.sub("", folded)
        return Name(text, plain, (), "".join(_syllables(plain)), "".join(s[:1] for s in _syllables(plain)), True)
    spaced = _NO_WORD.sub(" ", _APOSTROPHES.sub("", folded).replace("&", " and ")).strip()
    spaced = _TAIL_NUMBER.sub("", spaced) or spaced
    every = tuple(_SHORT_WORDS.get(word, word) for word in spaced.split())
    words = tuple(word for word in every if word not in _SILENT) or every
    initials = "".join(word[0] for word in every if word not in _SILENT or word == "for")
    return Name(text, " ".join(every), words, spaced.replace(" ", ""), initials, False)


def _syllables(plain: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(plain))


def nearness(wanted: Name, known: Name) -> tuple[float, str]:
    """Return how near a written name comes to a known one, and what they share: same, spelling, sound, abbreviation."""
    if wanted.is_han and known.is_han:
        found = _near_han(wanted.plain, known.plain, wanted.sound, known.sound)
    elif known.is_han:
        found = _near_latin_to_han(wanted, known)
    else:
        found = _near_latin(wanted, known)
    return round(found[0], 1), found[1]


def _near_han(wanted: str, known: str, sound: str, known_sound: str) -> tuple[float, str]:
    if wanted == known:
        return SAME, "same"
    spelled = 100 * OSA.normalized_similarity(wanted, known)
    best = (spelled, "spelling")
    heard = SOUND_WEIGHT * fuzz.ratio(sound, known_sound) if abs(len(sound) - len(known_sound)) < 12 else 0.0
    if heard > best[0] and heard > 80:
        best = (heard, "sound")
    core, known_core = _core(wanted), _core(known)
    if core and core == known_core:
        best = max(best, (FORM_WEIGHT * SAME, "form"))
    short = _abbreviates(wanted, known)
    return max(best, (short, "abbreviation"))


def _core(name: str) -> str:
    """Return a name without the kind of body it ends in, and with that kind as one word."""
    ending = next((ending for ending in _ENDINGS if name.endswith(ending) and len(name) > len(ending) + 1), "")
    return name.removesuffix(ending) + _FORMS.get(ending, ending) if ending else name


def _abbreviates(short: str, long: str) -> float:
    """Return how well a text is the other one shortened: its signs in their order, first and last among them."""
    is_cut = len(short) > len(long)
    if is_cut:
        short, long = long, short
    if len(short) < 2 or len(short) == len(long):
        return 0.0
    ended, known_ended = _core(short), _core(long)
    place = -1
    gaps = 0
    for sign in ended:
        found = known_ended.find(sign, place + 1)
        if found < 0:
            return 0.0
        gaps += found > place + 1 >= 1
        place = found
    is_anchored = ended[-1] == known_ended[-1] or long.endswith(short)
    if is_cut and not is_anchored:
        return 0.0  # a region is no short name of the offices it has
    begins = known_ended.startswith(ended[0]) or known_ended[:4].find(ended[0]) >= 0
    score = SAME - 4 * gaps - 18 * (not is_anchored) - 6 * (not begins) - 20 * (1 - len(short) / len(long)) / 2
    return ABBREVIATION_WEIGHT * score


def _near_latin_to_han(wanted: Name, known: Name) -> tuple[float, str]:
    """Pinyin typed for a Chinese name: whole syllables, or their first letters."""
    typed = wanted.sound
    if typed == known.sound:
        return SAME * SOUND_WEIGHT, "sound"
    if typed == known.initials:
        return SAME * ABBREVIATION_WEIGHT, "initials"
    if len(typed) >= 2 and typed in known.initials:
        return 60 + 30 * len(typed) / len(known.initials), "initials"
    return SOUND_WEIGHT * fuzz.ratio(typed, known.sound), "sound"


def _near_latin(wanted: Name, known: Name) -> tuple[float, str]:
    if wanted.plain == known.plain or wanted.sound == known.sound:
        return SAME, "same"
    if sorted(set(wanted.words)) == sorted(set(known.words)) or "".join(wanted.words) == "".join(known.words):
        return 98.0, "same"
    best = (_aligned(wanted.words, known.words), "spelling")
    if (cut := _cut_off(wanted.plain, known.plain)) > best[0]:
        best = (cut, "cut_off")
    if len(wanted.words) == 1 and 3 <= len(wanted.plain) <= 6 and wanted.plain == known.initials:
        best = max(best, (ABBREVIATION_WEIGHT * SAME, "initials"))
    return best


def _cut_off(one: str, other: str) -> float:
    """Return how sure a text is another one cut short by a field that was too narrow."""
    short, long = sorted((one, other), key=len)
    if len(short) < 12 or not long.startswith(short) or short == long:
        return 0.0
    return 97 - 22 * (1 - len(short) / len(long))


def _aligned(words: tuple[str, ...], others: tuple[str, ...]) -> float:
    """Return how much of two names is the same words, each word against its best partner, by letters.

    A word without a partner counts in full, so that what names have in common (borough council, services) does not
    hide the word in which they differ.
    """
    short, long = sorted((words, others), key=len)
    left = list(long)
    shared = missed = 0.0
    for word in short:
        best = max(left, key=lambda other: OSA.normalized_similarity(word, other), default="")
        likeness = OSA.normalized_similarity(word, best) if best else 0.0
        if likeness >= 0.74:
            shared += (len(word) + len(best)) * (1 - 1.6 * (1 - likeness))
            missed += (len(word) + len(best)) * 1.6 * (1 - likeness)
            left.remove(best)
        else:
            missed += 2 * len(word)
    missed += sum(len(word) for word in left)
    return 100 * shared / (shared + missed) if shared else 0.0
