using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;
using Spectre.Console;
using Source = Commerce.Shipments.V1.LoadPostalCodesRequest.Types.Source;

namespace Commerce.Cli.Carriers;

/// <summary>`./commerce postal …`.</summary>
internal static class PostalCommands
{
    public static Command Create() => new("postal", "Public lists of postal codes.") { Load() };

    private static Command Load()
    {
        var source = new Argument<string>("LIST") { Description = "Whose list it is: geonames or india." };
        source.AcceptOnlyFromAmong("geonames", "india");
        var path = new Argument<string>("PATH") { Description = "A file, plain or gzip, or a folder: all its .csv, .txt and .gz files of that list." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "load",
            "Load postal codes with their places and positions; each file replaces the lists of its countries.\n\n"
            + "Example: ./commerce postal load india india_post_offices.csv.gz\n"
            + "Example: ./commerce postal load geonames ./geonames") { source, path, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var of = parse.GetRequiredValue(source) == "india" ? Source.India : Source.Geonames;
                var (files, codes, countries, lines, skipped) = (FilesOf(of, parse.GetRequiredValue(path)), 0, 0, 0, 0);
                var began = TimeProvider.System.GetTimestamp();
                foreach (var file in files)
                {
                    // No deadline: it takes as long as there are lines.
                    using var call = api.Carriers.LoadPostalCodes(cancellationToken: cancellationToken);
                    var loaded = await Files.Send(file, call, bytes => new LoadPostalCodesRequest { Source = of, Data = bytes }, cancellationToken);
                    (codes, countries, lines, skipped) = (codes + loaded.Countries.Sum(one => one.Codes), countries + loaded.Countries.Count, lines + loaded.Lines, skipped + loaded.Skipped);
                    if (parse.GetValue(json))
                        Print.JsonLine(loaded);
                    else
                        AnsiConsole.MarkupLine($"{Print.Escape(Path.GetFileName(file))}: {string.Join(", ", loaded.Countries.Take(10).Select(one => $"{one.RegionCode} {one.Codes}"))} codes of {loaded.Lines} lines{(loaded.Skipped > 0 ? $" [yellow]({loaded.Skipped} are no codes: {Print.Escape(loaded.Examples[0])})[/]" : "")}");
                }

                if (!parse.GetValue(json))
                    AnsiConsole.MarkupLine($"[bold]{codes}[/] codes of {countries} countries from {lines} lines, {skipped} of which are no codes, in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:F1} s");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static string[] FilesOf(Source source, string path)
    {
        if (!Directory.Exists(path))
            return [path];
        var files = Directory.GetFiles(path)
            .Where(file => file.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            // Among other lists of a folder that of the offices is the one with delivery and position.
            .Where(file => source != Source.India || Path.GetFileName(file).Contains("office", StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal).ToArray();
        return files.Length > 0 ? files : throw new UsageException($"{path} has no file of that list.");
    }
}
