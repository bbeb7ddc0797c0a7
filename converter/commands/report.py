"""`emotion-convert report`: how a run went and how good its nets are, or how a policy can be tuned, as pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from converter.commands.output import add_json_flag
from converter.commands.tensorflow import load_tensorflow

if TYPE_CHECKING:
    from converter.figures import Figures
    from converter.run_folder import RunFolder


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("report", help="draw learning curves and errors of a run, or a tuning of the policy")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", type=Path, metavar="DIR", dest="run_dir", help="a quantised run")
    what.add_argument("--tune", type=Path, metavar="FILE", help="what `emotion-edge tune RECORDING --json` printed")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the pictures go; without it beside the input")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw and print."""
    return _report_tuning(args) if args.tune is not None else _report_run(args)


def _report_tuning(args: argparse.Namespace) -> int:
    """Draw tuning.png: what each threshold would have done."""
    from converter.charts import draw_tuning
    from converter.plain_json import to_json
    from converter.tuning import read_tuning

    picture = (args.out or args.tune.parent) / "tuning.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_tuning(read_tuning(args.tune), picture)
    print(to_json({"picture": str(picture)}) if args.json else picture)
    return 0


def _report_run(args: argparse.Namespace) -> int:
    load_tensorflow()
    from converter.charts import draw_figures, draw_learning_curve
    from converter.judgement import judge
    from converter.markdown import figure_table
    from converter.plain_json import to_json
    from converter.run_folder import RunFolder
    from converter.tasks import prepare_run

    folder = RunFolder(args.run_dir)
    judgement = judge(folder, prepare_run(folder))
    out = args.out or folder.path
    out.mkdir(parents=True, exist_ok=True)
    draw_learning_curve(folder.records(), out / "learning-curve.png")
    draw_figures(folder.recipe().kind, judgement.int8_figures, out)
    columns = {"float": judgement.float_figures, "int8": judgement.int8_figures}
    table = _table(folder, figure_table(columns), judgement.parity)
    (out / "report.md").write_text(table, encoding="utf-8")
    print(to_json({**columns, "parity": judgement.parity, "epochs": folder.records()}) if args.json else table)
    return 0


def _table(folder: RunFolder, figures: str, parity: Figures) -> str:
    records = folder.records()
    best = max(records, key=lambda record: record["chosen_by"])
    rows = "\n".join(f"| {name} | {value} |" for name, value in parity.items())
    return (
        f"# {folder.recipe().name}: {len(records)} epochs, best {int(best['epoch']) + 1}\n\n"
        f"Validation part:\n\n{figures}\n\nInt8 against float:\n\n| | |\n|---|---|\n{rows}\n"
    )
