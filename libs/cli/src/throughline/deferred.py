"""Commands whose modules are imported when they are run, so that the offline tools stay quick."""

from __future__ import annotations

import importlib

import typer

from throughline.outcome import Exit

_HANDED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


def defer(app: typer.Typer, name: str, place: str, summary: str) -> None:
    """Adds the command `name` to `app`: the function at `place` (`module:function`), with that function's own options."""

    @app.command(name, help=summary, context_settings=_HANDED_ON, add_help_option=False)
    def run(ctx: typer.Context) -> None:
        real = _loaded(name, place)
        code = real(args=ctx.args, prog_name=ctx.command_path, standalone_mode=False)
        if code:
            raise typer.Exit(code)


def _loaded(name: str, place: str) -> typer.Typer:
    module_name, _, function = place.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        typer.echo(f"throughline: `{name}` is not part of this installation: no module {missing.name}", err=True)
        raise typer.Exit(Exit.UNREACHABLE) from None
    app = typer.Typer(add_completion=False)
    app.command(name)(getattr(module, function))
    return app
