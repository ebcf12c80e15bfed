using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Lookup;
using Commerce.Cli.Orders;
using Commerce.Cli.Shipments;
using Commerce.Shipments.V1;

namespace Commerce.Cli.Tracking;

/// <summary>`./commerce tracking …`: parcels by their numbers, and the numbers themselves.</summary>
internal static class TrackingCommands
{
    public static Command Create() => new("tracking", "Show a parcel by its number; register a number that was bought elsewhere, correct a wrong one; read and keep what carriers send.")
    {
        Get(),
        Register(),
        Correct(),
        Detect(),
        PayloadCommands.CreateRead(),
        PayloadCommands.CreateIngest(),
        PayloadCommands.CreateAs(),
        PayloadCommands.CreateWatch(),
    };

    private static Command Get()
    {
        var number = new Argument<string>("NUMBER") { Description = "The carrier's number, also one that was corrected since." };
        var json = OrderCommands.JsonOption();
        var command = new Command("get", "Show the newest parcel that bears a number, with its journey and the numbers that it bore before.\n\nExample: ./commerce tracking get 1Z12345E0205271688") { number, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(await Find(api, parse.GetRequiredValue(number), cancellationToken), parse.GetValue(json)), cancellationToken));
        return command;
    }

    private static Command Register()
    {
        var order = new Argument<string>("ORDER") { Description = "The order that the parcel belongs to." };
        var number = new Argument<string>("NUMBER") { Description = "The number on the label that was bought elsewhere." };
        var carrier = new Option<string>("--carrier") { Description = "The carrier's code, such as usps; needed only where the number does not tell it for certain." };
        var service = new Option<string>("--service") { Description = "The carrier's service, such as ground." };
        var shipment = new Option<string>("--shipment") { Description = "The parcel of the order that bears it, as 'shipments/ID'; without, the first that has no label, or a further one." };
        var requestId = RequestIdOption();
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "register", "Make known the number of a label that was bought elsewhere; the same number again is the same parcel.\n\nExample: ./commerce tracking register ORD-7K3M9QX-T2F8CRW 9400111206206407628746")
        {
            order, number, carrier, service, shipment, requestId, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api => Show(
                await api.Shipments.RegisterTrackingAsync(
                    new RegisterTrackingRequest
                    {
                        OrderId = parse.GetRequiredValue(order),
                        TrackingNumber = parse.GetRequiredValue(number),
                        Carrier = parse.GetValue(carrier) ?? "",
                        Service = parse.GetValue(service) ?? "",
                        Shipment = parse.GetValue(shipment) ?? "",
                        RequestId = RequestId(parse.GetValue(requestId)),
                    },
                    OrderCommands.Options(cancellationToken)),
                parse.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static Command Correct()
    {
        var parcel = new Argument<string>("PARCEL") { Description = "The number that it bears now, or 'shipments/ID'." };
        var number = new Option<string>("--number") { Description = "The right number." };
        var carrier = new Option<string>("--carrier") { Description = "The right carrier's code, such as usps." };
        var note = new Option<string>("--note") { Description = "Why, for the history." };
        var requestId = RequestIdOption();
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "correct",
            "Put right a parcel's number or carrier. What was learned of the old number stays in the history; the status is that of the new one.\n\n"
            + "Example: ./commerce tracking correct 1Z12345E0205271688 --number 1Z5R89390357567127 --note \"typed from a smudged label\"")
        {
            parcel, number, carrier, note, requestId, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(number) is null && result.GetValue(carrier) is null)
                result.AddError("Say what is right: --number, --carrier or both.");
        });
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new CorrectTrackingRequest
                {
                    Name = await ShipmentNames.Of(api, parse.GetRequiredValue(parcel), cancellationToken),
                    TrackingNumber = parse.GetValue(number) ?? "",
                    Carrier = parse.GetValue(carrier) ?? "",
                    Note = parse.GetValue(note) ?? "",
                    RequestId = RequestId(parse.GetValue(requestId)),
                };
                return Show(await api.Shipments.CorrectTrackingAsync(request, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
            },
            cancellationToken));
        return command;
    }

    private static Command Detect()
    {
        var numbers = new Argument<string[]>("NUMBER") { Description = "Tracking numbers.", Arity = ArgumentArity.OneOrMore };
        var order = new Option<string>("--order") { Description = "The order that they are said to belong to, whose carrier decides where it can." };
        var command = new Command(
            "detect", "Ask the suite whose numbers these are: a parcel that bears one decides. Without a suite: ./commerce detect.\n\nExample: ./commerce tracking detect 320610804900 --order ORD-7K3M9QX-T2F8CRW")
        {
            numbers, order,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var request = new DetectCarrierRequest { TrackingNumbers = { parse.GetRequiredValue(numbers) }, OrderId = parse.GetValue(order) ?? "" };
                var answer = await api.Tracking.DetectCarrierAsync(request, OrderCommands.Options(cancellationToken));
                foreach (var detection in answer.Detections)
                    Print.JsonLineFigures(detection);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static async Task<Shipment> Find(SuiteApi api, string number, CancellationToken cancellationToken) =>
        await api.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = number }, OrderCommands.Options(cancellationToken));

    private static int Show(Shipment shipment, bool json)
    {
        if (json)
            Print.Json(shipment);
        else
            LookupScreen.Write(shipment);
        return Exit.Done;
    }

    private static Option<string> RequestIdOption() => new("--request-id") { Description = "Makes the call safe to repeat; without, a new one." };

    private static string RequestId(string? given) => given is { Length: > 0 } ? given : Guid.CreateVersion7().ToString();
}
