using System.CommandLine;
using System.CommandLine.Invocation;
using Commerce.Cli.Access;
using Commerce.Cli.Audit;
using Commerce.Cli.Bench;
using Commerce.Cli.Carriers;
using Commerce.Cli.Customers;
using Commerce.Cli.Demo;
using Commerce.Cli.Eta;
using Commerce.Cli.Exceptions;
using Commerce.Cli.Lookup;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Cli.Privacy;
using Commerce.Cli.Products;
using Commerce.Cli.Queues;
using Commerce.Cli.Replay;
using Commerce.Cli.Returns;
using Commerce.Cli.Shipments;
using Commerce.Cli.Stock;
using Commerce.Cli.Stores;
using Commerce.Cli.Suite;
using Commerce.Cli.Tracking;
using Spectre.Console;

namespace Commerce.Cli;

/// <summary>Every command of `./commerce`, one line each.</summary>
internal static class Commands
{
    /// <summary>Carries out what was typed; what cannot be understood ends with <see cref="Exit.Usage"/>.</summary>
    public static async Task<int> Run(IReadOnlyList<string> args, InvocationConfiguration configuration)
    {
        // A file or a pipe has no edge at which a line would have to break, and what reads it wants codes in one piece.
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 1000;
        var parsed = Root().Parse(args);
        Credential.Role = parsed.GetValue(As) ?? Credential.DefaultRole;
        var code = await parsed.InvokeAsync(configuration);
        return parsed.Action is ParseErrorAction ? Exit.Usage : code;
    }

    private static readonly Option<string?> As = new("--as")
    {
        Description = $"In development: call as staff of this role ({string.Join(", ", AccessCommands.Roles)}); otherwise set {Credential.Variable} to a token or an API key.",
        Recursive = true,
    };

    public static RootCommand Root()
    {
        var root = All();
        NameChoices(root);
        return root;
    }

    // What may be typed; "Unspecified" is how a message leaves a field out, and nobody's choice.
    private static void NameChoices(Command command)
    {
        foreach (var option in command.Options)
        {
            var one = option.ValueType.GetElementType() ?? option.ValueType;
            if ((Nullable.GetUnderlyingType(one) ?? one) is { IsEnum: true } choices)
                option.HelpName = string.Join('|', Enum.GetNames(choices).Where(name => name != "Unspecified"));
        }

        foreach (var subcommand in command.Subcommands)
            NameChoices(subcommand);
    }

    private static RootCommand All() => new("Commerce: where is my order? Orders, payments, parcels and notifications, found by either code.")
    {
        UpCommand.Create(),
        DownCommand.Create(),
        StatusCommand.Create(),
        LogsCommand.Create(),
        TestCommand.Create(),
        DemoCommand.Create(),
        OrderCommands.Create(),
        ReturnCommands.Create(),
        PaymentCommands.Create(),
        CreditCommands.Create(),
        InvoiceCommands.Create(),
        LedgerCommands.Create(),
        ReconcileCommand.Create(),
        CustomerCommands.Create(),
        ProductCommands.Create(),
        StockCommands.Create(),
        StoreCommands.Create(),
        LabelCommands.Create(),
        ManifestCommands.Create(),
        DeliveryCommands.Create(),
        ExceptionCommands.Create(),
        CarrierCommands.Create(),
        PostalCommands.Create(),
        RatesCommands.Create(),
        LookupCommands.CreateLookup(),
        LookupCommands.CreateWatch(),
        TrackCommand.Create(),
        TrackingCommands.Create(),
        DetectCommand.Create(),
        QueueCommands.CreateQueues(),
        QueueCommands.CreateRedrive(),
        EtaCommands.Create(),
        ReplayCommand.Create(),
        AccessCommands.CreateToken(),
        AccessCommands.CreateWhoAmI(),
        KeyCommands.Create(),
        AuditCommands.Create(),
        PrivacyCommands.Create(),
        BenchCommand.Create(),
        As,
    };
}
