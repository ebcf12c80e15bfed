using System.Security.Cryptography;
using System.Text;
using Commerce.NativeHosting.Engine;

namespace Commerce.NativeHosting.State;

/// <summary>Where a running suite keeps its data, logs and <c>run.json</c>; one engine at a time holds it.</summary>
public sealed class StateDirectory
{
    private StateDirectory(string path) => Path = path;

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>What runs, kept current by the engine.</summary>
    public string RunFile => File("run.json");

    /// <summary>One log a resource.</summary>
    public string Logs => File("logs");

    /// <summary>
    /// <c>COMMERCE_STATE_DIR</c>, else <c>.local</c> in the repository. Postgres refuses to run as root, so for root a
    /// <c>.local</c> below a closed home folder, which the other user cannot reach, gives way to a folder under /var/tmp.
    /// </summary>
    /// <param name="start">A folder inside the repository.</param>
    public static StateDirectory Resolve(string start)
    {
        if (Environment.GetEnvironmentVariable("COMMERCE_STATE_DIR") is { Length: > 0 } given)
            return new StateDirectory(System.IO.Path.GetFullPath(given));

        var root = FindRoot(start);
        var local = System.IO.Path.Combine(root, ".local");
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess || OthersReach(root))
            return new StateDirectory(local);

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..12];
        return new StateDirectory($"/var/tmp/commerce-{hash}");
    }

    /// <summary>A state folder given by path.</summary>
    public static StateDirectory At(string path) => new(System.IO.Path.GetFullPath(path));

    /// <summary>Whether an engine holds the folder now.</summary>
    public bool IsHeld()
    {
        try
        {
            // A shared lock: two that only ask do not disturb each other.
            using var probe = new FileStream(File("lock"), FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Deletes everything in the folder.</summary>
    /// <exception cref="EngineException">An engine holds it, or it is not a state folder.</exception>
    public void Forget()
    {
        if (!Directory.Exists(Path))
            return;
        if (IsHeld())
            throw new EngineException($"The suite in {Path} still runs: './commerce down' first.");
        if (!System.IO.File.Exists(File("lock")) && Directory.EnumerateFileSystemEntries(Path).Any())
            throw new EngineException($"{Path} is not a state folder of the suite (it has no file 'lock'), so nothing is deleted.");
        foreach (var folder in Directory.GetDirectories(Path))
            Directory.Delete(folder, recursive: true);
        foreach (var file in Directory.GetFiles(Path))
            System.IO.File.Delete(file);
    }

    /// <summary>Takes the folder until the result is disposed or the process dies.</summary>
    /// <exception cref="EngineException">Another engine holds it.</exception>
    internal async Task<FileStream> HoldAsync(CancellationToken cancellationToken)
    {
        Create(Path);
        Create(Logs);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(File("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (attempt < 10)
            {
                // Somebody may only be asking whether it is held.
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
            catch (IOException)
            {
                var run = RunInfo.Read(RunFile);
                throw new EngineException(
                    $"The suite runs already{(run is null ? "" : $", as process {run.Pid} since {run.Started:u}")}, with its state in {Path}. "
                    + "See it with './commerce status', stop it with './commerce down', or run a second one beside it with COMMERCE_STATE_DIR=<another folder>.");
            }
        }
    }

    internal string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Enterable for all, since children run as other users; what is secret in it has modes of its own.</summary>
    internal static void Create(string path)
    {
        if (Directory.Exists(path))
            return;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, (UnixFileMode)0b111_101_101);
    }

    private static string FindRoot(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (folder.EnumerateFiles("*.sln").Any() || folder.EnumerateFileSystemInfos(".git").Any())
                return folder.FullName;
        }

        return start;
    }

    private static bool OthersReach(string path)
    {
        if (OperatingSystem.IsWindows())
            return true;
        for (var folder = new DirectoryInfo(path); folder is not null; folder = folder.Parent)
        {
            if (!folder.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return false;
        }

        return true;
    }
}
