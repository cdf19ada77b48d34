"""Commands that lose nothing of what they are given."""

from collections import Counter

import click


class Command(click.Command):
    """A command that refuses an option which is given twice: click takes the last of the values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments of a call.

        Raises
        ------
        click.UsageError
            An option that has one value is given twice, or click refuses the call.
        """
        if not ctx.resilient_parsing:
            *_, occurrences = self.make_parser(ctx).parse_args(list(args))
            for parameter, times in Counter(occurrences).items():
                if times > 1 and _has_one_value(parameter):
                    raise click.UsageError(f"{parameter.opts[0]} is given {times} times", ctx)
        return super().parse_args(ctx, args)


class CommandGroup(Command, click.Group):
    """A group of such commands."""

    command_class = Command


def _has_one_value(parameter: click.Parameter) -> bool:
    """Whether a second value would take the place of the first: a flag says the same again."""
    if not isinstance(parameter, click.Option):
        return False
    says_the_same = parameter.is_flag and not parameter.secondary_opts
    return not (parameter.multiple or parameter.count or says_the_same)
