using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Commerce.Cli.Api;
using Commerce.Tracking.Numbers;

namespace Commerce.Cli.Tracking;

/// <summary>`./commerce detect`: whose number it is, without a suite. As many as wanted go through in a fixed amount of memory.</summary>
internal static class DetectCommand
{
    // What is longer is no number; that much of it is shown.
    private const int LongestShown = 200;
    private const int FlushAt = 64 * 1024;

    public static Command Create()
    {
        var numbers = new Argument<string[]>("NUMBER") { Description = "Tracking numbers; none: one a line from standard input. Spaces, dashes and case are forgiven.", Arity = ArgumentArity.ZeroOrMore };
        var carrier = new Option<string?>("--carrier") { Description = "The carrier's code, when it is known, for example usps: then it decides." };
        var json = new Option<bool>("--json") { Description = "Print a commerce.shipments.v1.CarrierDetection as protobuf JSON for each number, one a line, in the order given." };
        var command = new Command(
            "detect",
            "Name the carrier and the service that a tracking number belongs to, from its format and check digit; needs no suite.\n"
            + "Ends with 0 once every number was looked at: that nothing is recognised is an answer. Ends with 2 if the command's words are off.\n\n"
            + "Example: ./commerce detect 1Z5R89390357567127 \"9400 1112 0108 0805 4830 16\"\n"
            + "Example: ./commerce detect --json < numbers.txt")
        {
            numbers,
            carrier,
            json,
        };
        carrier.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } code && CarrierDetector.FindCarrier(code) is null)
                result.AddError($"No numbers are known of a carrier '{code}'; give its code, for example ups, usps, fedex, dhl, royal_mail.");
        });
        command.SetAction(parse =>
        {
            var given = parse.GetValue(numbers) ?? [];
            var known = parse.GetValue(carrier) is { } code ? CarrierDetector.FindCarrier(code) : null;
            var lines = given.Length > 0 ? given.Select(number => number.AsMemory()) : ReadLines(Console.In);
            if (parse.GetValue(json))
                WriteJson(lines, known, Console.OpenStandardOutput());
            else
                WriteTable(lines, known, Console.Out);
            return Exit.Done;
        });
        return command;
    }

    /// <summary>Lines one by one, each only as long as is looked at: a line without an end must not fill the memory.</summary>
    internal static IEnumerable<ReadOnlyMemory<char>> ReadLines(TextReader reader)
    {
        var buffer = new char[16 * 1024];
        var line = new char[LongestShown + 1];
        int length = 0, read;
        var open = false;
        while ((read = reader.Read(buffer)) > 0)
        {
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] == '\n')
                {
                    yield return Ended(line, length);
                    (length, open) = (0, false);
                    continue;
                }

                open = true;
                if (length < line.Length)
                    line[length++] = buffer[i];
            }
        }

        if (open)
            yield return Ended(line, length);
    }

    internal static void WriteJson(IEnumerable<ReadOnlyMemory<char>> numbers, Carrier? known, Stream output)
    {
        var buffer = new ArrayBufferWriter<byte>(2 * FlushAt);
        using var json = new Utf8JsonWriter(buffer);
        foreach (var number in numbers)
        {
            var detection = Detect(number.Span, known);
            json.WriteStartObject();
            json.WriteString("number", number.Length > LongestShown ? number.Span[..LongestShown] : number.Span);
            json.WriteBoolean("ambiguous", detection.IsAmbiguous);
            json.WriteStartArray("candidates");
            foreach (var candidate in detection.Candidates)
                Write(json, candidate);
            json.WriteEndArray();
            json.WriteString("mistypedFormat", detection.Mistyped?.Id ?? "");
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            buffer.Write("\n"u8);
            if (buffer.WrittenCount >= FlushAt)
                Flush(buffer, output);
        }

        Flush(buffer, output);
    }

    internal static void WriteTable(IEnumerable<ReadOnlyMemory<char>> numbers, Carrier? known, TextWriter output)
    {
        foreach (var number in numbers)
        {
            var shown = Print.Printable(number.Length > LongestShown ? number.Span[..LongestShown] : number.Span);
            var detection = Detect(number.Span, known);
            var verdict = detection switch
            {
                { Mistyped: { } format } => $"mistyped? It looks like {format.Name}, but its check digit is wrong",
                { Candidates.Count: 0 } => "not recognised",
                { Carrier: { } carrier } => carrier.Name,
                { IsAmbiguous: true } => "ambiguous: the carrier has to be known",
                var uncertain => $"perhaps {uncertain.Candidates[0].Carrier.Name}",
            };
            output.WriteLine($"{shown}  {verdict}");
            foreach (var candidate in detection.Candidates)
                output.WriteLine($"  {Line(candidate)}");
        }
    }

    private static string Line(Candidate candidate)
    {
        var text = new StringBuilder()
            .Append(Percent(candidate.Confidence).PadLeft(8)).Append("  ")
            .Append(candidate.Carrier.Code.PadRight(16)).Append(' ')
            .Append(candidate.Service is { } service ? $"{service.Name} ({service.Code})" : "service unknown");
        if (candidate.OriginCountry is { } origin)
            text.Append(", from ").Append(origin);
        if (candidate.DestinationCountry is not null || candidate.DestinationPostcode is not null)
            text.Append(", to ").AppendJoin(' ', new[] { candidate.DestinationCountry, candidate.DestinationPostcode }.OfType<string>());
        text.Append(candidate.CheckDigitVerified ? ", check digit verified" : ", no check digit");
        return text.Append("  [").Append(candidate.Format).Append(']').ToString();
    }

    // Never "100%" of what is not certain.
    private static string Percent(double confidence) => confidence switch
    {
        1 => "100%",
        > 0.999 => ">99.9%",
        < 0.001 => "<0.1%",
        _ => confidence.ToString("0.0%", CultureInfo.InvariantCulture),
    };

    private static Detection Detect(ReadOnlySpan<char> number, Carrier? known)
    {
        var detection = CarrierDetector.Detect(number);
        return known is null ? detection : detection.DecidedBy(known);
    }

    private static void Write(Utf8JsonWriter json, Candidate candidate)
    {
        json.WriteStartObject();
        json.WriteString("carrier", candidate.Carrier.Code);
        json.WriteString("carrierName", candidate.Carrier.Name);
        json.WriteString("service", candidate.Service?.Name ?? "");
        json.WriteString("serviceCode", candidate.Service?.Code ?? "");
        json.WriteNumber("confidence", candidate.Confidence == 1 ? 1 : Math.Clamp(Math.Round(candidate.Confidence, 6), 0.000001, 0.999999));
        json.WriteString("format", candidate.Format);
        json.WriteBoolean("checkDigitVerified", candidate.CheckDigitVerified);
        json.WriteString("originCountry", candidate.OriginCountry ?? "");
        json.WriteString("destinationCountry", candidate.DestinationCountry ?? "");
        json.WriteString("destinationPostalCode", candidate.DestinationPostcode ?? "");
        json.WriteEndObject();
    }

    private static ReadOnlyMemory<char> Ended(char[] line, int length) => line.AsMemory(0, length > 0 && line[length - 1] == '\r' ? length - 1 : length);

    private static void Flush(ArrayBufferWriter<byte> buffer, Stream output)
    {
        output.Write(buffer.WrittenSpan);
        output.Flush();
        buffer.ResetWrittenCount();
    }
}
