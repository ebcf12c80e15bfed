using System.CommandLine;
using Commerce.Cli.Suite;

namespace Commerce.Cli;

/// <summary>Every command of `./commerce`, one line each.</summary>
internal static class Commands
{
    public static RootCommand Root() => new("Commerce: where is my order? Orders, payments, parcels and notifications, found by either code.")
    {
        UpCommand.Create(),
        DownCommand.Create(),
        StatusCommand.Create(),
        LogsCommand.Create(),
        TestCommand.Create(),
    };
}
