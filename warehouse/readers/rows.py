"""What a row below the header is: data, a total, a note, a repeated header, or nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

DATA, TOTAL, NOTE, HEADER, BLANK = "data", "total", "note", "header", "blank"

LEADING_CELLS = 4
"""A total names itself in one of the first cells: 序号, 统计期, 单位 may stand before it."""

_SUM_WORD = re.compile(r"^[^,。;]{0,20}(合计|小计|总计|共计)(数|行|额|金额)?([:(].{0,20})?$")
_SUM_ONLY = re.compile(
    r"^((本[页月年季期日]|当[页月年季期日]|全[市省县区州局院]|各.{1,8})?(合计|小计|总计|共计|总合计|累计)(数|行)?(\(.*\))?:?"
    r"|(grand|sub)?-?totals?:?)$",
    re.IGNORECASE,
)
_OF_WHICH = re.compile(r"^其中[:,]?")
_SECTION = re.compile(r"^([一二三四五六七八九十]{1,3}、|\([一二三四五六七八九十]{1,3}\))")
_NOTE = re.compile(
    r"^(注\d*[:.、]|注\d*$|备注[:]|说明[:]|附注[:]?|填表说明|填报说明|编制说明|指标解释|口径说明|"
    r"(填表|填报|制表|制单|审核|复核|统计|经办|经手|审批|负责|联系|编制|报送|签发|批准|核准|校对|录入|抄表|[一-龥、/]{1,10}负责)人"
    r"(签[字章名]|\(.*\))?[:]|(制表|审核|复核|制单|主管|填表|编制|会计|出纳|批准|核准|校对|签发)(签[字章名])?(\(.*\))?[:]|"
    r"(分管|主管|单位|局)领导(签[字章名])?(\(.*\))?[:]|(财务|会计|统计)主管(\(.*\))?[:]|法定代表人(\(.*\))?[:]|单位\((盖章|公章)\)[:]|(单位)?[盖公]章[:]|"
    r"(制表|填报|填表|打印|导出|报出|报送|查询|生成|统计|联系|编制)(日期|时间|电话|单位|部门|机关)(\(.*\))?[:]|联系电话|(数据|资料)来源|"
    r"第\d+页|共\d+页|notes?[:]|source[:])",
    re.IGNORECASE,
)
_ROLE = (
    r"((单位|部门|财务|统计|科室|会计|业务|分管|项目)?负责人|"
    r"(填表|填报|制表|制单|审核|复核|经办|经手|审批|联系|编制|统计|报送|签发|批准|核准|校对|录入|抄表|记账)人员?|"
    r"制表|审核|复核|制单|填表|会计|出纳|批准|核准|校对|签发|记账|(分管|主管|单位|局)领导|(财务|会计|统计)主管|法定代表人|主管)"
    r"(签[字章名])?(\(.*\))?"
)
_ROLE_ONLY = re.compile(rf"^{_ROLE}$")
_SIGNED = re.compile(rf"^({_ROLE}[一-龥·]{{2,4}})+$")
_PERSON = re.compile(r"^[一-龥·]{2,4}$")
_BESIDE_NAMES = re.compile(
    r"^((制表|填表|填报|报出|报送)?(日期|时间))?\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$|^(联系)?电话[\d-]*$|^[(]?(盖章|公章|签字)[)]?$"
)
_REMINDER = re.compile(
    r"^\s*(注|备|说|附|填|编|指|口|单|审|复|统|经|负|联|制|主|报|打|导|查|生|数|资|第|共|签|批|核|校|录|抄|会|出|分|局|财|法|盖|公|note|source)"
    r"|负\s*责|计|其\s*中|[一二三四五六七八九十][、)）]|total|[Ａ-ｚ\u2e80-\u2fdf]",
    re.IGNORECASE,
)
"""Every total holds one of these, and every note begins with one or holds 负责."""
ASCII_REMINDERS = ("note", "source", "total")
WIDE_REMINDERS = (
    r"^\PL*[注备说附填编指口单审复统经负联制主报打导查生数资第共签批核校录抄会出分局财法盖公]"
    r"|负\PL*责|计|其\PL*中|[一二三四五六七八九十][、)）]|[Ａ-ｚ\x{2e80}-\x{2fdf}]"
)
"""The same for columns looked at as a whole: no text with a reminder is without one of these."""
_SERIAL = re.compile(r"^\d{1,6}$")


def fold(text: str) -> str:
    """A cell as it is compared: NFKC, no white space."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return "".join(plain.split())


def is_sum_word(text: str) -> bool:
    """Whether a text is nothing but 合计, 小计 or the like."""
    return bool(_SUM_ONLY.match(fold(text)))


def classify(
    cells: Sequence[str | None], labels: Sequence[str], *, after_note: bool = False, valued: Collection[int] = ()
) -> str:
    """Say what a row is; anything doubtful is data, so that it is checked and never lost.

    `valued` are the places of the columns in which a word for a total is a value like any other.
    """
    if not after_note and is_plainly_data(cells, labels):
        return DATA
    filled = [text for cell in cells if cell is not None and (text := fold(cell))]
    if not filled:
        return BLANK
    if is_total(filled) and (not valued or is_total(_beside(cells, valued))):
        return TOTAL
    if is_note(filled, len(labels), after_note):
        return NOTE
    return HEADER if is_header_again(cells, labels) else DATA


def _beside(cells: Sequence[str | None], valued: Collection[int]) -> list[str]:
    """The folded cells of a row without the words for a total that are values of their column."""
    folded = [(at, fold(cell)) for at, cell in enumerate(cells) if cell is not None]
    return [text for at, text in folded if text and not (at in valued and _SUM_ONLY.match(text))]


def is_plainly_data(cells: Sequence[str | None], labels: Sequence[str]) -> bool:
    """Whether nothing in the row reminds of anything but data; most rows are settled here without folding."""
    filled = [cell for cell in cells if cell and not cell.isspace()]
    if len(filled) < 2 or _REMINDER.search("\n".join(filled[: LEADING_CELLS + 1])):
        return False
    pairs = [(cell, label) for cell, label in zip(cells, labels, strict=False) if cell and label][:4]
    return not any(label.rsplit("/", 1)[-1][:1] in cell for cell, label in pairs)


def is_total(filled: Sequence[str]) -> bool:
    """Whether the folded, non-empty cells of a row are a 合计, 小计, 其中 or numbered section row."""
    words = [text for text in filled[:LEADING_CELLS] if not _SERIAL.match(text)]
    if any(_SUM_ONLY.match(text) for text in words):
        return True
    if not words:
        return False
    first = words[0]
    return bool(_SUM_WORD.match(first) or _OF_WHICH.match(first) or (_SECTION.match(first) and len(filled) > 1))


def is_note(filled: Sequence[str], width: int, after_note: bool) -> bool:
    """Whether a row below the table only says something about it."""
    if _NOTE.match(filled[0]) or is_signed(filled):
        return True
    alone = len(filled) == 1 and width > 2
    return alone and (after_note or bool(_SECTION.match(filled[0])))


def is_signed(filled: Sequence[str]) -> bool:
    """Whether a row holds nothing but who signed: 财务负责人 李四, 填表人 | 王五, with a date or a seal beside them.

    A role and a name may share a cell or stand in two; any figure, or a word that is neither, makes it a row of data.
    """
    roles = names = 0
    expects_name = False
    for text in filled:
        if _ROLE_ONLY.match(text):
            roles, expects_name = roles + 1, True
        elif _SIGNED.match(text):
            roles, names, expects_name = roles + 1, names + 1, False
        elif expects_name and _PERSON.match(text):
            names, expects_name = names + 1, False
        elif not roles or not _BESIDE_NAMES.match(text):
            return False
    return roles > 1 or (roles == 1 and names == 1)


def is_header_again(cells: Sequence[str | None], labels: Sequence[str]) -> bool:
    """Whether the header was printed once more, as at the top of each page."""
    pairs = [(fold(cell), label) for cell, label in zip(cells, labels, strict=False) if cell and label]
    if len(pairs) < 2:
        return False
    same = sum(1 for text, label in pairs if text.split("(")[0] == label.rsplit("/", 1)[-1].split("(")[0])
    return same >= 2 and same * 10 >= len(pairs) * 8
