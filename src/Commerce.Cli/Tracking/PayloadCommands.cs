using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Cli.Api;
using Commerce.Cli.Lookup;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Commerce.Tracking;
using Commerce.Tracking.Payloads;
using Commerce.Tracking.Vocabularies;
using Grpc.Core;
using Spectre.Console;
using ReportedScan = Commerce.Tracking.Payloads.ReportedScan;
using TimeBasis = Commerce.Shipments.V1.Scan.Types.TimeBasis;

namespace Commerce.Cli.Tracking;

/// <summary>`./commerce tracking read`, `ingest`, `as` and `watch`: what carriers and aggregators send, in and out.</summary>
internal static class PayloadCommands
{
    private const int ScansAMessage = 200;
    private const long LargestFile = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command CreateRead()
    {
        var (file, source, number, shape) = (FileArgument(), SourceOption(), NumberOption(), ShapeOption());
        var told = new Option<string>("--as") { Description = $"Tell what was read in another vocabulary: {string.Join(", ", Telling.Names.Order())}." };
        var json = new Option<bool>("--json") { Description = "Print each scan as JSON on a line of its own." };
        var command = new Command(
            "read", "Read a payload of a carrier or an aggregator without a suite: its scans, its errors, and the status that they make.\n\nExample: ./commerce tracking read tracker.json --source easypost --as shippo")
        {
            file, source, number, shape, told, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async () =>
            {
                var reading = await Read(parse.GetRequiredValue(file), parse.GetRequiredValue(source), parse.GetValue(number), parse.GetValue(shape), cancellationToken);
                var now = TimeProvider.System.GetUtcNow();
                var parcels = reading.Scans.GroupBy(scan => (scan.Carrier, scan.TrackingNumber)).Select(parcel => Parcel(parcel.Key.Carrier, parcel.Key.TrackingNumber, parcel, now)).ToList();
                if (parse.GetValue(told) is { } vocabulary)
                    Tell(parcels, vocabulary);
                else if (parse.GetValue(json))
                    WriteJson(parcels);
                else
                    Write(reading, parcels);
                foreach (var problem in reading.Problems)
                    await Console.Error.WriteLineAsync(problem.Code.Length > 0 ? $"{problem.Code}: {problem.Message}" : problem.Message);
                foreach (var rejected in reading.Rejected)
                    await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"scan {rejected.Index}: {rejected.Reason}"));
                return parcels.Count > 0 ? Exit.Done : Exit.NotFound;
            },
            cancellationToken));
        return command;
    }

    public static Command CreateIngest()
    {
        var (file, source, number, shape) = (FileArgument(), SourceOption(), NumberOption(), ShapeOption());
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "ingest", "Read a payload and keep its scans; those that are known change nothing.\n\nExample: ./commerce tracking ingest tracker.json --source easypost") { file, source, number, shape, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var reading = await Read(parse.GetRequiredValue(file), parse.GetRequiredValue(source), parse.GetValue(number), parse.GetValue(shape), cancellationToken);
                foreach (var problem in reading.Problems)
                    await Console.Error.WriteLineAsync(problem.Code.Length > 0 ? $"{problem.Code}: {problem.Message}" : problem.Message);
                if (reading.Scans.Count == 0)
                    return Exit.Rejected;
                using var call = api.Tracking.StreamScans(cancellationToken: cancellationToken);
                foreach (var some in reading.Scans.GroupBy(scan => scan.Aggregator).SelectMany(group => group.Chunk(ScansAMessage)))
                    await call.RequestStream.WriteAsync(new StreamScansRequest { Reporter = some[0].Aggregator, Scans = { some.Select(Message) } }, cancellationToken);
                await call.RequestStream.CompleteAsync();
                var response = await call;
                if (parse.GetValue(json))
                    Print.JsonFigures(response);
                else
                    AnsiConsole.MarkupLine($"{response.KeptCount} scans are new, {response.KnownCount} were known, {response.UnclaimedCount} wait for their parcel.");
                foreach (var rejected in response.Rejected)
                    await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"scan {rejected.Index}: {rejected.Reason}"));
                return response.Rejected.Count == reading.Scans.Count ? Exit.Rejected : Exit.Done;
            },
            cancellationToken));
        return command;
    }

    public static Command CreateAs()
    {
        var number = new Argument<string>("NUMBER") { Description = "The carrier's number." };
        var vocabulary = new Argument<string>("VOCABULARY") { Description = $"{string.Join(", ", Telling.Names.Order())}." };
        var command = new Command("as", "Show a parcel in the words and the shape of an aggregator.\n\nExample: ./commerce tracking as 1Z12345E0205271688 easypost") { number, vocabulary };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                Print.Json(await api.Tracking.GetTrackingAsAsync(
                    new GetTrackingAsRequest { TrackingNumber = parse.GetRequiredValue(number), Vocabulary = parse.GetRequiredValue(vocabulary) }, OrderCommands.Options(cancellationToken)));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    public static Command CreateWatch()
    {
        var number = new Argument<string>("NUMBER") { Description = "The carrier's number." };
        var after = new Option<long>("--after") { Description = "The version that is known already; nothing is printed until there is a later one." };
        var json = OrderCommands.JsonOption();
        var command = new Command("watch", "Follow a parcel live, until it is interrupted.\n\nExample: ./commerce tracking watch 1Z12345E0205271688") { number, after, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                using var call = api.Tracking.WatchTracking(new WatchTrackingRequest { TrackingNumber = parse.GetRequiredValue(number), AfterVersion = parse.GetValue(after) }, cancellationToken: cancellationToken);
                await foreach (var shipment in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    if (parse.GetValue(json))
                        Print.JsonLine(shipment);
                    else
                        AnsiConsole.MarkupLine($"[dim]{shipment.UpdateTime.ToDateTimeOffset():HH:mm:ss}[/] {LookupScreen.Words(shipment.Status)} {Print.Escape(shipment.Scans.FirstOrDefault()?.Description ?? "")}");
                }

                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Argument<FileInfo> FileArgument() => new("FILE") { Description = "JSON, XML or, with a --shape that says so, CSV." };

    private static Option<string> SourceOption() => new("--source")
    {
        Description = $"Whose payload it is: {string.Join(", ", new PayloadReader().Shapes.Order())}, or the name of the --shape. One of another shape is recognised.",
        Required = true,
    };

    private static Option<string> NumberOption() => new("--number") { Description = "The tracking number, where the payload names none because it was asked for." };

    private static Option<FileInfo> ShapeOption() => new("--shape") { Description = "A JSON file that says where a carrier that is not built in keeps what (docs/payloads.md)." };

    private static async Task<PayloadReading> Read(FileInfo file, string source, string? number, FileInfo? shape, CancellationToken cancellationToken)
    {
        try
        {
            if (file.Exists && file.Length > LargestFile)
                throw new UsageException($"{file.FullName} is larger than {LargestFile} bytes.");
            PayloadShape[] own = shape is null ? [] : [PayloadShape.Parse(await File.ReadAllBytesAsync(shape.FullName, cancellationToken))];
            var reader = new PayloadReader(own);
            if (!reader.Shapes.Contains(source))
                throw new UsageException($"There is no source {source}; there are {string.Join(", ", reader.Shapes.Order())}.");
            return reader.Read(await File.ReadAllBytesAsync(file.FullName, cancellationToken), source, number: number);
        }
        catch (PayloadException exception)
        {
            throw new UsageException(exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(exception.Message);
        }
    }

    private static ToldParcel Parcel(string carrier, string number, IEnumerable<ReportedScan> reported, DateTimeOffset now)
    {
        // A file may be of any age: what lies ahead of it does so by the clock of today.
        var scans = reported.Select(scan => scan.ToScan("file", now, TimeSpan.FromDays(2))).DistinctBy(scan => scan.Id).ToList();
        return new ToldParcel(carrier, number, TrackingStatusRules.Derive(scans, now), scans, EstimatedAt: null);
    }

    private static void Tell(List<ToldParcel> parcels, string vocabulary)
    {
        if (!Telling.Names.Contains(vocabulary))
            throw new UsageException($"There is no vocabulary {vocabulary}; there are {string.Join(", ", Telling.Names.Order())}.");
        foreach (var parcel in parcels)
            Console.Out.WriteLine(Telling.Tell(parcel, vocabulary).ToJsonString(Indented));
    }

    private static void WriteJson(List<ToldParcel> parcels)
    {
        foreach (var (parcel, scan) in parcels.SelectMany(parcel => parcel.Scans.OrderBy(scan => scan.OccurredAt).Select(scan => (parcel, scan))))
        {
            Console.Out.WriteLine(new JsonObject
            {
                ["carrier"] = parcel.Carrier,
                ["tracking_number"] = parcel.TrackingNumber,
                ["parcel_status"] = StatusName.Of(parcel.State.Status),
                ["status"] = StatusName.Of(scan.Status),
                ["reason_party"] = scan.ReasonParty.ToString().ToUpperInvariant(),
                ["reason_code"] = scan.ReasonCode,
                ["action_required"] = Reasons.NeedsAction(scan.Status, scan.ReasonCode),
                ["inferred"] = scan.Inferred,
                ["carrier_code"] = scan.CarrierCode,
                ["description"] = scan.Description,
                ["local_time"] = scan.LocalTime,
                ["time"] = scan.OccurredAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
                ["time_basis"] = scan.TimeBasis.ToString().ToUpperInvariant(),
                ["locality"] = scan.Place.Locality,
                ["region"] = scan.Place.Region,
                ["postal_code"] = scan.Place.PostalCode,
                ["country"] = scan.Place.Country,
                ["reporter"] = scan.Reporter,
                ["reporter_status"] = scan.ReporterStatus,
            }.ToJsonString(Line));
        }
    }

    private static void Write(PayloadReading reading, List<ToldParcel> parcels)
    {
        AnsiConsole.MarkupLine($"[dim]read as {Print.Escape(reading.Shape)}[/]");
        foreach (var parcel in parcels)
        {
            var reason = parcel.State.ReasonCode.Length > 0 ? $", {parcel.State.ReasonCode}" : "";
            AnsiConsole.MarkupLine($"[bold]{Print.Escape(parcel.TrackingNumber)}[/] ({Print.Escape(parcel.Carrier)}): {LookupScreen.Words(parcel.State.Status)}{Print.Escape(reason)}{(parcel.State.ActionRequired ? " [red]somebody has to act[/]" : "")}");
            var journey = new Grid().AddColumn(new GridColumn().NoWrap().Padding(2, 0, 2, 0)).AddColumn().AddColumn().AddColumn().AddColumn();
            foreach (var scan in parcel.Scans.OrderByDescending(scan => scan.OccurredAt))
            {
                journey.AddRow(
                    $"[dim]{Print.Escape(scan.LocalTime)}{(scan.TimeBasis == TimeBasis.Carrier ? "" : $" ({scan.TimeBasis.ToString().ToLowerInvariant()})")}[/]",
                    $"{StatusName.Of(scan.Status)}{(scan.ReasonCode.Length > 0 ? "/" + scan.ReasonCode : "")}{(scan.Inferred ? " [yellow]inferred[/]" : "")}",
                    Print.Escape(scan.CarrierCode),
                    Print.Escape(scan.Description),
                    $"[dim]{Print.Escape(string.Join(", ", new[] { scan.Place.Locality, scan.Place.Region, scan.Place.PostalCode, scan.Place.Country }.Where(part => part.Length > 0)))}[/]");
            }

            AnsiConsole.Write(journey);
        }
    }

    private static Commerce.Shipments.V1.ReportedScan Message(ReportedScan scan) => new()
    {
        Carrier = scan.Carrier,
        TrackingNumber = scan.TrackingNumber,
        CarrierCode = scan.Code,
        Description = scan.Words,
        LocalTime = scan.Time.Text,
        Place = new Commerce.Types.V1.Place { Locality = scan.Place.Locality, AdministrativeArea = scan.Place.Region, PostalCode = scan.Place.PostalCode, RegionCode = scan.Place.Country },
        ReporterStatus = scan.AggregatorStatus,
        CoarseCode = scan.CoarseCode,
        // What the file's own shape knows of a code that no table of the suite has.
        Status = scan.Meaning.Inferred || scan.Meaning.Status == TrackingStatus.Unknown ? TrackingStatus.Unspecified : scan.Meaning.Status,
        ReasonCode = scan.Meaning.Inferred || scan.Meaning.Status == TrackingStatus.Unknown ? "" : scan.Meaning.Reason,
    };
}
