using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;
using Npgsql;

namespace Commerce.NativeHosting.Servers;

/// <summary>A private Postgres cluster.</summary>
internal sealed class PostgresServer(PostgresServerResource resource, StateDirectory state) : Runnable(resource)
{
    // Tuned for a laptop, never at the price of durability.
    private static readonly string[] Settings =
    [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "shared_buffers=128MB",
        "fsync=on",
        "synchronous_commit=on",
        "max_wal_size=2GB",
        "checkpoint_timeout=15min",
        "log_checkpoints=off",
        "log_timezone=UTC",
        "timezone=UTC",
        "logging_collector=off",
    ];

    private readonly string _folder = state.File(resource.Name);
    private readonly string? _user = RunAs();

    public override string Kind => "postgres";

    private string Data => Path.Combine(_folder, "data");

    private string ConnectionString =>
        $"{resource.Connection!.Value.ConnectionString};Database=postgres;Pooling=false;Timeout=5;Command Timeout=5";

    public override void Check()
    {
        var installed = Version(Binaries.PostgresBin());
        if (File.Exists(Path.Combine(Data, "PG_VERSION")) && File.ReadAllText(Path.Combine(Data, "PG_VERSION")).Trim() is var written && written != installed)
        {
            throw new EngineException(
                $"The data in {Data} was written by Postgres {written}, and Postgres {installed} is installed, which cannot read it. "
                + $"Install version {written} beside it (sudo apt-get install postgresql-{written}), or forget the data with './commerce up --fresh'.");
        }
    }

    public override async Task<ChildSpec> PrepareAsync(CancellationToken cancellationToken)
    {
        var bin = Binaries.PostgresBin();
        StateDirectory.Create(_folder);
        await OwnAsync(_folder, cancellationToken);
        await RefuseUnreachableAsync(cancellationToken);
        await EndLeftoverAsync(cancellationToken);
        if (!Directory.Exists(Data))
            await InitialiseAsync(bin, cancellationToken);

        var arguments = new List<string> { "-D", Data, "-p", resource.GetEndpoint("tcp").Port.ToString(CultureInfo.InvariantCulture) };
        foreach (var setting in Settings)
            arguments.AddRange(["-c", setting]);
        var (file, all) = As(Path.Combine(bin, "postgres"), arguments);
        // SIGINT is Postgres' "fast shutdown": sessions are ended, the WAL is flushed, no recovery at the next start.
        return new ChildSpec(file, all, _folder, new Dictionary<string, string?> { ["HOME"] = _folder, ["LC_ALL"] = "C" }, "INT", TimeSpan.FromSeconds(20));
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT NOT pg_is_in_recovery()", connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(cancellationToken);
        foreach (var database in resource.Databases)
        {
            await using var exists = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = $1", connection) { Parameters = { new() { Value = database.DatabaseName } } };
            if (await exists.ExecuteScalarAsync(cancellationToken) is not null)
                continue;
            await using var create = new NpgsqlCommand($"CREATE DATABASE \"{database.DatabaseName.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", connection) { CommandTimeout = 60 };
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Into a folder beside it that is renamed when complete, so that a kill on the way leaves nothing half made.</summary>
    private async Task InitialiseAsync(string bin, CancellationToken cancellationToken)
    {
        var next = Path.Combine(_folder, "data.new");
        if (Directory.Exists(next))
            Directory.Delete(next, recursive: true);
        var passwordFile = Path.Combine(_folder, "password");
        PrivateFile.Write(passwordFile, resource.Password.Value.Value);
        try
        {
            await OwnAsync(_folder, cancellationToken);
            // Locale C: text sorts by bytes on every machine alike, and no locale need be installed.
            var (file, arguments) = As(Path.Combine(bin, "initdb"),
                ["-D", next, "-U", "postgres", "--auth=scram-sha-256", $"--pwfile={passwordFile}", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
            await ShortCommand.RunAsync(file, arguments, cancellationToken);
        }
        finally
        {
            File.Delete(passwordFile);
        }

        Directory.Move(next, Data);
    }

    /// <summary>
    /// A kill leaves postmaster.pid. Its process may be gone and its number taken by a stranger, which Postgres would mistake
    /// for itself; or it may be our own server, still ending. This engine holds the state folder, so nobody else starts one.
    /// </summary>
    private async Task EndLeftoverAsync(CancellationToken cancellationToken)
    {
        var lockFile = Path.Combine(Data, "postmaster.pid");
        if (!File.Exists(lockFile) || !int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            return;

        for (var round = 0; Signals.IsAlive(pid) && Signals.CommandLine(pid).Contains(Data, StringComparison.Ordinal); round++)
        {
            Signals.Send(pid, round < 200 ? 2 : Signals.Kill);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        File.Delete(lockFile);
    }

    private async Task RefuseUnreachableAsync(CancellationToken cancellationToken)
    {
        if (_user is null)
            return;
        try
        {
            var (file, arguments) = As("test", ["-w", _folder]);
            await ShortCommand.RunAsync(file, arguments, cancellationToken);
        }
        catch (EngineException)
        {
            throw new EngineException(
                $"Postgres does not run as root, and the user '{_user}' cannot reach {_folder}. Set COMMERCE_STATE_DIR to a folder that it can, such as /var/tmp/commerce.");
        }
    }

    private async Task OwnAsync(string path, CancellationToken cancellationToken)
    {
        if (_user is not null)
            await ShortCommand.RunAsync("chown", ["-R", $"{_user}:", path], cancellationToken);
    }

    private (string File, IReadOnlyList<string> Arguments) As(string file, IReadOnlyList<string> arguments) => _user is null
        ? (file, arguments)
        : ("setpriv", [$"--reuid={_user}", $"--regid={PrimaryGroup(_user)}", "--clear-groups", "--", file, .. arguments]);

    /// <summary>Postgres refuses to run as root.</summary>
    private static string? RunAs()
    {
        if (!Environment.IsPrivilegedProcess)
            return null;
        return Array.Find(["postgres", "nobody"], user => Passwd(user) is not null)
            ?? throw new EngineException("Postgres does not run as root, and there is neither a user 'postgres' nor 'nobody' to run it as.");
    }

    private static string PrimaryGroup(string user) => Passwd(user)![3];

    private static string[]? Passwd(string user) =>
        File.ReadLines("/etc/passwd").Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length > 3 && fields[0] == user);

    /// <summary>The major version, from the layout of the installation or the server itself.</summary>
    private static string Version(string bin)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Path.Combine(bin, "postgres"), "--version") { RedirectStandardOutput = true })
            ?? throw new EngineException($"{bin}/postgres did not start.");
        var words = process.StandardOutput.ReadToEnd().Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return words.Length > 2 ? words[2].Split('.')[0] : throw new EngineException($"{bin}/postgres does not tell its version.");
    }
}
