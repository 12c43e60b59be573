"""What must never be kept, told from a text alone: markings of secrecy, telephone numbers, identity numbers.

A marking is a marking, not a word: 机密★5年, 【秘密】, a cell that says 绝密 and nothing else. 机密级文件柜 is furniture.
A number counts by its shape, its place of issue, its date and its check digit, and not where the words before it say
that it is the number of something else. Sources: 国家秘密标志 (GB/T 9704), 公民身份号码 (GB 11643).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

PHONE, LANDLINE, IDENTITY = "phone", "landline", "identity"
MASKS = {PHONE: "[手机号已去除]", LANDLINE: "[电话号已去除]", IDENTITY: "[身份证号已去除]"}
REMOVED_ROW = "注：本行标有密级，已去除"
"""Stands where a row was; a reader takes it for a note."""

_LEVEL = "(?:秘密|机密|绝密)"
_TERM = (
    r"(?:\d{1,3}(?:年|个?月|天|日)|[一二三四五六七八九十]{1,3}(?:年|个?月)|长期|永久|启用前|启封前|[^,。;、]{1,12}前)"
)
_ALONE = re.compile(rf"^[\[【(〔《<]?{_LEVEL}级?(?:[★☆*✩⭐\ufe0f]+{_TERM}?|{_TERM})?[\]】)〕》>]?[!。]?$")
_STARRED = re.compile(rf"{_LEVEL}级?[★☆✩⭐]|{_LEVEL}级?\*{_TERM}")
_BRACKETED = re.compile(rf"[\[【(〔]{_LEVEL}级?(?:[★☆*]?{_TERM})?[\]】)〕]")
_SAID = re.compile(rf"(?:密级|保密等级|保密级别|涉密等级|涉密级别|秘密等级|定密)[:是为]*{_LEVEL}")
_LEVEL_LABEL = re.compile(
    r"^(?:文件|信息|数据|资料|定密|拟定)?(?:密级|保密等级|保密级别|涉密等级|涉密级别|秘密等级|涉密程度)(?:及保密期限|和保密期限|标识)?$"
)
_FLAG_LABEL = re.compile(r"^(?:是否)?(?:涉密|保密)(?:否|与否|事项|信息)?$")
_YES = frozenset({"是", "涉密", "y", "yes", "true", "1", "√", "✓"})

# +86 138 0013 8000, 138-0013-8000, 13800138000
_MOBILE = re.compile(r"(?<![0-9A-Za-z.])(?:(?:\+|00)?86[- ]?)?(1[3-9]\d[- ]?\d{4}[- ]?\d{4})(?![0-9A-Za-z号]|\.\d)")
_AREA = r"0(?:10|2[0-57-9]|[3-9]\d{2})"
_LAND = re.compile(rf"(?<![0-9A-Za-z.-])(?:\({_AREA}\) ?|{_AREA}[- ])[2-9]\d{{6,7}}(?:[-转 ]\d{{1,5}})?(?![0-9A-Za-z])")
_TOLD = re.compile(
    r"((?:电话|手机|座机|联系方式|传真|[Tt]el(?:ephone)?|TEL|[Pp]hone|[Mm]obile)(?:号码?)?[^0-9+(]{0,6})"
    rf"((?:\(?{_AREA}\)?[- ]?)?[1-9]\d{{6,10}}(?:[-转 ]\d{{1,5}})?)(?![0-9A-Za-z])"
)
_ID18 = re.compile(r"(?<![0-9A-Za-z.])(\d{17}[0-9Xx])(?![0-9A-Za-z]|\.\d)")
_ID15 = re.compile(r"(?<![0-9A-Za-z.])(\d{15})(?![0-9A-Za-z]|\.\d)")
_OTHERS = re.compile(
    r"(?:合同|协议|凭证|凭单|发票|票据|票|订单|工单|派车单|单据|单|表|户|帐|账|卡|流水|编|文|批|批次|设备|资产|项目|案|"
    r"证书|注册|登记|信用|机构|税)号码?(?:[:为是]|尾号)?$|(?:编码|代码|编号|单号|序列号|流水号|[Nn][Oo]\.?|#|№)[:为是]?$"
)
_BARE = re.compile(r"^[-+0-9A-Za-z.,%/_ ¥￥元]*$")
_REGIONS = frozenset(
    {
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    }
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_OLDEST = 1880

_PHONE_LABEL = re.compile(
    r"^.{0,8}(?:电话|手机|座机|联系方式|移动电话|固话)(?:号码?|\d)?$|^(?:.*[ _])?(?:tel|telephone|phone|mobile|cellphone)(?:[ _]?(?:no|number|\d))?\.?$"
)
_IDENTITY_LABEL = re.compile(
    r"^.{0,8}(?:身份证|身份证件|公民身份)(?:号码?)?$|^.{0,6}证件号码?$|^id[ _]?card(?:[ _]?(?:no|number))?$"
)
_CODE_LABEL = re.compile(
    r"(?:编号|单号|代码|编码|码|序号|文号|账号|帐号|卡号|户号|表号|票号|证号|车号|牌号|房号|房间号|凭证号|行号|号|曾用名称?|别名|别称)$|"
    r"(?:^|[ _])(?:no|id|code|number|key|num)\.?$|^(?:alias(?:es)?|former[ _]names?)$"
)


@dataclass(frozen=True)
class Role:
    """What a column may hold. `decisive` names the number its label promises; of a code only the
    words before a number tell that it is a person's."""

    decisive: str | None = None
    is_code: bool = False
    is_bare: bool = False
    """A code, a figure or a name of a list: searched only where something is written beside the characters of a code."""

    is_level: bool = False
    is_flag: bool = False


TEXT = Role()
BARE = Role(is_bare=True)
CODE = Role(is_code=True)


def fold(text: str) -> str:
    """Return a text as it is compared: NFKC without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=4096)
def role_of_label(label: str) -> Role:
    """Return what a column of a label may hold, when nothing else is known about it."""
    words = re.sub(r"[(\[【].*?[)\]】]", "", fold(label.rsplit("/", 1)[-1]).lower()).strip("*:")
    if _LEVEL_LABEL.match(words):
        return Role(is_level=True)
    if _FLAG_LABEL.match(words):
        return Role(is_flag=True)
    if _IDENTITY_LABEL.match(words):
        return Role(IDENTITY)
    if _PHONE_LABEL.match(words):
        return Role(PHONE)
    return CODE if _CODE_LABEL.search(words) else TEXT


# --- markings ---------------------------------------------------------------------------------------------------------


def is_marked(text: str, role: Role = TEXT) -> bool:
    """Tell whether a cell marks its row as secret."""
    if role.is_flag:
        return fold(text).lower() in _YES
    if "密" not in text:
        return False
    folded = fold(text)
    if role.is_level:
        return re.match(rf"[\[【(]?{_LEVEL}", folded) is not None
    return bool(
        _ALONE.match(folded) or _STARRED.search(folded) or _BRACKETED.search(folded) or _SAID.search(folded)
    )  # fmt: skip


# --- numbers ----------------------------------------------------------------------------------------------------------


def scrub(text: str, role: Role = TEXT) -> tuple[str, tuple[str, ...]]:
    """Return a text without telephone and identity numbers, and which kinds were in it."""
    if role.decisive is not None:
        digits = sum(character.isdigit() for character in unicodedata.normalize("NFKC", text))
        return (MASKS[role.decisive], (role.decisive,)) if digits >= 5 else (text, ())
    if sum(character.isdigit() for character in text) < 7:
        return text, ()
    if role.is_bare and _BARE.match(text):
        return text, ()
    plain = _half_width(text)
    found: list[str] = []

    def masked(kind: str, keep: str = "") -> str:
        found.append(kind)
        return keep + MASKS[kind]

    result = _TOLD.sub(lambda m: masked(_kind(m[2]), m[1]), plain)
    if not role.is_code:
        result = _ID18.sub(lambda m: masked(IDENTITY) if is_identity(m[1]) and _is_own(m) else m[0], result)
        result = _ID15.sub(lambda m: masked(IDENTITY) if is_old_identity(m[1]) and _is_own(m) else m[0], result)
        result = _MOBILE.sub(lambda m: masked(PHONE) if _is_own(m) else m[0], result)
        result = _LAND.sub(lambda m: masked(LANDLINE) if _is_own(m) else m[0], result)
    return (result, tuple(found)) if found else (text, ())


def _half_width(text: str) -> str:
    """Digits and signs of full width as plain ones; nothing else changes and no character moves."""
    return "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else " " if c == "\u3000" else c for c in text)


def _kind(number: str) -> str:
    return PHONE if re.fullmatch(r"1[3-9]\d{9}", number) else LANDLINE


def _is_own(found: re.Match[str]) -> bool:
    """Whether the words before a number leave it what it looks like."""
    before = "".join(found.string[max(0, found.start() - 12) : found.start()].split())
    return _OTHERS.search(before) is None


def is_identity(text: str) -> bool:
    """Tell whether 18 characters are an identity number: place of issue, date of birth, check digit."""
    if text[:2] not in _REGIONS or not _is_date(text[6:14]):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECKS[total % 11] == text[17].upper()


def is_old_identity(text: str) -> bool:
    """Tell whether 15 digits can be an identity number of the old form, which has no check digit."""
    return text[:2] in _REGIONS and _is_date(f"19{text[6:12]}")


def _is_date(text: str) -> bool:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:])).year >= _OLDEST
    except ValueError:
        return False
