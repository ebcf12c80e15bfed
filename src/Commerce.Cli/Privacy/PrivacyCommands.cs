using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Privacy;

/// <summary>`./commerce privacy`: what is known of a customer, and its end.</summary>
internal static class PrivacyCommands
{
    private const string Collection = "erasures/";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    public static Command Create() => new("privacy", "What is known of a customer: have it, and have it erased.") { Export(), Erase(), Report(), List() };

    /// <summary>How a customer is named.</summary>
    internal sealed class CustomerOptions
    {
        private readonly Argument<string?> _id = new("CUSTOMER") { Description = "The shop's own id of the customer; orders placed as a guest with one of its e-mail addresses come along.", Arity = ArgumentArity.ZeroOrOne };
        private readonly Option<string?> _email = new("--email") { Description = "Or an e-mail address, in any case." };
        private readonly Option<string?> _phone = new("--phone") { Description = "Or a phone number, with its country." };
        private readonly Option<string> _store = new("--store") { Description = "The store.", DefaultValueFactory = _ => "main" };

        public void AddTo(Command command)
        {
            command.Add(_id);
            command.Add(_email);
            command.Add(_phone);
            command.Add(_store);
        }

        /// <exception cref="UsageException">Not exactly one of them is given.</exception>
        public (string StoreId, CustomerKey Customer) Read(ParseResult parse)
        {
            var key = new CustomerKey { CustomerId = parse.GetValue(_id) ?? "", Email = parse.GetValue(_email) ?? "", Phone = parse.GetValue(_phone) ?? "" };
            return new[] { key.CustomerId, key.Email, key.Phone }.Count(given => given.Length > 0) == 1
                ? (parse.GetValue(_store)!, key)
                : throw new UsageException("Say who: a customer id, --email or --phone, and one of them.");
        }
    }

    private static Command Export()
    {
        var who = new CustomerOptions();
        var file = new Option<string>("--out") { Description = "The file that is written; \"-\" is standard output. It is personal: keep it so.", Required = true };
        var command = new Command(
            "export",
            "Write everything that the suite knows of a customer as one JSON document (a commerce.gateway.v1.ExportCustomerResponse): orders, payments, parcels, documents, messages, and who saw it.\n\n"
            + "Example: ./commerce privacy export --email ada@example.com --out ada.json") { file };
        who.AddTo(command);
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var (store, customer) = who.Read(parse);
                var all = new ExportCustomerResponse();
                var request = new ExportCustomerRequest { StoreId = store, Customer = customer };
                do
                {
                    var page = await api.Privacy.ExportCustomerAsync(request, cancellationToken: cancellationToken);
                    all.Records.AddRange(page.Records);
                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                if (parse.GetRequiredValue(file) is "-")
                {
                    Print.Json(all);
                    return Exit.Done;
                }

                await Write(parse.GetRequiredValue(file), Print.JsonText(all), cancellationToken);
                Console.Error.WriteLine($"{all.Records.Count} orders were written to {parse.GetRequiredValue(file)}, which its owner alone may read.");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    /// <exception cref="UsageException">It cannot be written.</exception>
    private static async Task Write(string file, string text, CancellationToken cancellationToken)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using var writer = new StreamWriter(file, options);
            await writer.WriteAsync(text.AsMemory(), cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot write {file}: {exception.Message}");
        }
    }

    private static Command Erase()
    {
        var who = new CustomerOptions();
        var dryRun = new Option<bool>("--dry-run") { Description = "Say which orders it is about, and erase nothing." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask. What is erased cannot be had back." };
        var json = Json("commerce.orders.v1.Erasure");
        var command = new Command(
            "erase",
            "Take what is personal from all orders of a customer, in every service, for good, and print the report. While one of them is under way nothing is erased.\n\n"
            + "Example: ./commerce privacy erase --email ada@example.com --dry-run") { dryRun, yes, json };
        who.AddTo(command);
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var (store, customer) = who.Read(parse);
                var request = new EraseCustomerRequest { RequestId = Guid.NewGuid().ToString(), StoreId = store, Customer = customer, ValidateOnly = true };
                if (parse.GetValue(dryRun) || !parse.GetValue(yes))
                {
                    var would = await api.Erasures.EraseCustomerAsync(request, cancellationToken: cancellationToken);
                    if (parse.GetValue(dryRun))
                    {
                        Show(would, parse.GetValue(json));
                        return Exit.Done;
                    }

                    if (Console.IsInputRedirected)
                        throw new UsageException("Nobody can be asked here: say --yes, or --dry-run.");
                    if (!await AnsiConsole.ConfirmAsync($"Erase the customer of {would.Orders.Count} orders for good?", defaultValue: false, cancellationToken))
                        return Exit.Rejected;
                }

                request.ValidateOnly = false;
                var erasure = await api.Erasures.EraseCustomerAsync(request, cancellationToken: cancellationToken);
                // Whoever is down does it later; the report is there to be asked for.
                for (var asked = 0; asked < 100 && erasure.State == Erasure.Types.State.Running; asked++)
                {
                    await Task.Delay(Pause, TimeProvider.System, cancellationToken);
                    erasure = await api.Erasures.GetErasureAsync(new GetErasureRequest { Name = erasure.Name }, cancellationToken: cancellationToken);
                }

                Show(erasure, parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Report()
    {
        var name = new Argument<string>("ERASURE") { Description = "As './commerce privacy erasures' names it." };
        var json = Json("commerce.orders.v1.Erasure");
        var command = new Command("report", "What an erasure took, what is kept, why and until when.\n\nExample: ./commerce privacy report 0193f2a1b4c87d5e9a60c1d2e3f40516") { name, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var id = parse.GetRequiredValue(name);
                var erasure = await api.Erasures.GetErasureAsync(
                    new GetErasureRequest { Name = id.StartsWith(Collection, StringComparison.Ordinal) ? id : Collection + id }, cancellationToken: cancellationToken);
                Show(erasure, parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var json = Json("commerce.orders.v1.ListErasuresResponse");
        var command = new Command("erasures", "The erasures, newest first.\n\nExample: ./commerce privacy erasures") { json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var all = new ListErasuresResponse();
                var request = new ListErasuresRequest { PageSize = 500 };
                do
                {
                    var page = await api.Erasures.ListErasuresAsync(request, cancellationToken: cancellationToken);
                    all.Erasures.AddRange(page.Erasures);
                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0);
                if (parse.GetValue(json))
                {
                    Print.Json(all);
                    return Exit.Done;
                }

                var table = new Table { Border = TableBorder.None };
                table.AddColumns("erasure", "time", "store", "orders", "by", "state");
                foreach (var one in all.Erasures)
                    table.AddRow(one.Name[Collection.Length..], $"{one.CreateTime.ToDateTimeOffset():u}", Print.Escape(one.StoreId), $"{one.Orders.Count}", Print.Escape(one.Creator), StateOf(one));
                AnsiConsole.Write(table);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Option<bool> Json(string message) => new("--json") { Description = $"Print a {message} as protobuf JSON." };

    private static string StateOf(Erasure erasure) => erasure.State switch
    {
        Erasure.Types.State.Done => "done",
        Erasure.Types.State.Running => $"waiting for {string.Join(", ", erasure.WaitingFor)}",
        _ => "nothing was erased",
    };

    private static void Show(Erasure erasure, bool json)
    {
        if (json)
        {
            Print.Json(erasure);
            return;
        }

        Console.Out.WriteLine(erasure.Name.Length > 0 ? $"{erasure.Name}: {StateOf(erasure)}" : "Nothing was erased. It would be about:");
        Console.Out.WriteLine(string.Join(", ", erasure.Orders.Select(order => order["orders/".Length..])));
        var table = new Table { Border = TableBorder.None };
        table.AddColumns("service", "what", "gone", "kept", "until", "why");
        foreach (var item in erasure.Items)
        {
            table.AddRow(
                Print.Escape(item.Service), Print.Escape(item.Kind), $"{item.RemovedCount}", $"{item.KeptCount}",
                item.KeepUntil is { } until ? $"{until.Year:D4}-{until.Month:D2}-{until.Day:D2}" : "", Print.Escape(item.Reason));
        }

        AnsiConsole.Write(table);
    }
}
