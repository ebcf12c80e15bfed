namespace Commerce.NativeHosting.State;

/// <summary>Files that only their owner reads, replaced whole.</summary>
internal static class PrivateFile
{
    public static void Write(string path, string content)
    {
        var next = $"{path}.{Environment.ProcessId}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(next, options))
            writer.Write(content);
        File.Move(next, path, overwrite: true);
    }
}
