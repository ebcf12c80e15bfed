using System.CommandLine;

namespace Commerce.Cli.Suite;

/// <summary>`./commerce logs [name]`: what a resource, or all of them, have written.</summary>
internal static class LogsCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var name = new Argument<string?>("name") { Description = "orders, postgres, …; without it, all.", Arity = ArgumentArity.ZeroOrOne };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as more is written." };
        var lines = new Option<int>("--lines", "-n") { Description = "How many of the last lines of each.", DefaultValueFactory = _ => 50 };
        var command = new Command("logs", "Show the logs.") { name, follow, lines };
        command.SetAction((parse, cancellationToken) => RunAsync(parse.GetValue(name), parse.GetValue(follow), Math.Max(0, parse.GetValue(lines)), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string? name, bool follow, int lines, CancellationToken cancellationToken)
    {
        var folder = Repository.State.Logs;
        var known = Directory.Exists(folder)
            ? Directory.GetFiles(folder, "*.log").Where(f => !f.EndsWith(".1.log", StringComparison.Ordinal)).Order().ToList()
            : [];
        var chosen = name is null ? known : known.Where(f => string.Equals(Path.GetFileNameWithoutExtension(f), name, StringComparison.OrdinalIgnoreCase)).ToList();
        if (chosen.Count == 0)
        {
            await Console.Error.WriteLineAsync(known.Count == 0
                ? $"There are no logs in {folder}: nothing has run here."
                : $"There is no log of '{name}'. There are: {string.Join(", ", known.Select(Path.GetFileNameWithoutExtension))}.");
            return Exit.NotFound;
        }

        var positions = new Dictionary<string, long>();
        var width = chosen.Max(f => Path.GetFileNameWithoutExtension(f).Length);
        string Prefix(string file) => chosen.Count == 1 ? "" : Path.GetFileNameWithoutExtension(file).PadRight(width) + " | ";
        foreach (var file in chosen)
        {
            foreach (var line in Read(file, positions).TakeLast(lines))
                Console.WriteLine(Prefix(file) + line);
        }

        try
        {
            while (follow)
            {
                await Task.Delay(Poll, TimeProvider.System, cancellationToken);
                foreach (var file in chosen)
                {
                    foreach (var line in Read(file, positions))
                        Console.WriteLine(Prefix(file) + line);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }

        return Exit.Done;
    }

    /// <summary>The complete lines since the last time; from the start again when the file was begun anew.</summary>
    private static List<string> Read(string file, Dictionary<string, long> positions)
    {
        var lines = new List<string>();
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var position = positions.GetValueOrDefault(file);
            stream.Position = position <= stream.Length ? position : 0;
            using var reader = new StreamReader(stream);
            var text = reader.ReadToEnd();
            var end = text.LastIndexOf('\n') + 1;
            positions[file] = stream.Length - System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(end));
            if (end > 0)
                lines.AddRange(text[..(end - 1)].Split('\n'));
        }
        catch (FileNotFoundException)
        {
            // Between two files of a rotation.
        }

        return lines;
    }
}
