"""`tunesmith tune --find-lr`: the learning rate, by one short training."""

from __future__ import annotations

from argparse import Namespace

from tunesmith.errors import UserError, shown
from tunesmith_cli.api import Session, columns, file_argument, load, number, safe, safe_json
from tunesmith_cli.api import gettext as _
from tunesmith_tune.find_lr.page import write_page
from tunesmith_tune.find_lr.range_test import range_test
from tunesmith_tune.find_lr.suggestion import FEWEST, suggestion


def run(args: Namespace) -> int:
    if args.lr_steps < FEWEST:
        fix = f"Give at least {FEWEST}, or leave it out: a hundred."
        raise UserError("TS-CLI-002", f"--lr-steps {args.lr_steps} are too few to see where the loss falls", fix=fix)
    spec = load(args.file, args.set)
    session = Session.open(spec.place)
    test = range_test(session, spec, args.find_lr, args.lr_to, args.lr_steps)
    found = suggestion(*map(list, zip(*test.points, strict=True)))
    page = write_page(session.config.home / "searches" / f"find-lr-{spec.name}", test.step, test.points, found)
    if args.json:
        told = found._asdict() if found else None
        print(safe_json({"step": test.step, "suggestion": told, "steps": len(test.points), "report": str(page)}, 2))
        return 0 if found and found.rate else 1
    last = test.points[-1][0]
    rows = [(_("steps"), _("{count}, while the rate rose to {rate}", count=len(test.points), rate=number(last)))]
    if found:
        rows.append((_("least loss"), _("at {rate}; from there on it learns nothing more", rate=number(found.least))))
        rows += [(_("rising"), _("from {rate} on", rate=number(found.too_high)))] if found.too_high else []
    rows.append((_("curve"), str(page)))
    print(safe(columns(rows)))
    if not found or not found.rate:
        print(_("The loss did not fall: no rate to suggest. More steps (--lr-steps), or another range (--lr-to), may show more."))
        return 1
    place = f"steps.{test.step}.settings.learning_rate"
    told = _(
        "The loss fell fastest at {rate}. It is a beginning, from {count} steps of one order of the rows:",
        rate=number(found.rate), count=len(test.points),
    )  # fmt: skip
    print(safe(f"\n{told}"))
    file = file_argument(args.file)
    print(safe(f"  tunesmith run{file} --set {place}={float(f'{found.rate:.2g}')}"))
    low, high = float(f"{found.rate / 3:.1g}"), float(f"{found.rate * 3:.1g}")
    print(safe(f'  tunesmith tune{file} --search "{place}=log({shown(low)},{shown(high)})" --metric ... --budget 10 trials'))
    return 0
