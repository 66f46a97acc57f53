"""Write the golden modules anew: ``python -m tests.golden``; then read the difference."""

from pathlib import Path

from tests.golden.models import MODELS

for name, build in MODELS.items():
    model, optimizer = build()
    Path(__file__).with_name(f"{name}.py").write_text(model.source(optimizer), encoding="utf-8")
