namespace Commerce.Cli.Api;

/// <summary>Files that a command is given; "-" is standard input.</summary>
internal static class Files
{
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static Stream Open(string file)
    {
        try
        {
            return file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot read {file}: {exception.Message}");
        }
    }

    /// <exception cref="UsageException">It cannot be read.</exception>
    public static async Task<string> ReadText(string file, CancellationToken cancellationToken)
    {
        await using var stream = Open(file);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellationToken);
    }
}
