"""The manifest of the sample: the facts of the store and when each file became known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from samples.city.calendar import label
from samples.city.exports import Export

STORE: Mapping[str, str] = {
    "name_zh": "模拟市（示例数据）",
    "name_en": "Sample City (simulated)",
    "origin": "simulated",
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
}


def write_manifest(folder: Path, exports: Sequence[Export]) -> None:
    """Write `manifest.toml`, files in the order they were received."""
    lines = ["[store]", *(f"{key} = {_quoted(value)}" for key, value in STORE.items())]
    for export in exports:
        lines += ["", "[[file]]", f"path = {_quoted(export.path)}", f"source = {_quoted(export.source)}"]
        lines.append(f"recorded_at = {_quoted(export.recorded_at.isoformat())}")
        if export.months:
            lines.append(f"period_from = {_quoted(label(export.declared_from or export.months[0]))}")
            lines.append(f"period_to = {_quoted(label(export.months[1]))}")
    (folder / "manifest.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
