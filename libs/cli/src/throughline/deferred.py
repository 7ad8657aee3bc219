"""Commands whose modules are imported when they are run, so that the offline tools stay quick."""

from __future__ import annotations

import importlib

import typer

from throughline.outcome import Exit

_HANDED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


def defer(app: typer.Typer, name: str, place: str, summary: str) -> None:
    """Adds the command `name` to `app`. At `place` (`module:name`) stands its function, or the Typer app of its commands."""

    @app.command(name, help=summary, context_settings=_HANDED_ON, add_help_option=False)
    def run(ctx: typer.Context) -> None:
        real = _loaded(name, place)
        code = real(args=ctx.args, prog_name=ctx.command_path, standalone_mode=False)
        if code:
            raise typer.Exit(code)


def _loaded(name: str, place: str) -> typer.Typer:
    module_name, _, attribute = place.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        typer.echo(f"throughline: `{name}` is not part of this installation: no module {missing.name}", err=True)
        raise typer.Exit(Exit.UNREACHABLE) from None
    found = getattr(module, attribute)
    if isinstance(found, typer.Typer):
        return found
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_show_locals=False)
    app.command(name)(found)
    return app
