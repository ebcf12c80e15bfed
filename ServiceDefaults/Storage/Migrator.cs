using System.Reflection;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using DbUp.Postgresql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.ServiceDefaults;

/// <summary>The assemblies whose embedded SQL makes up a service's database, in the order in which they are applied.</summary>
internal sealed record MigrationSource(Assembly Assembly);

/// <summary>
/// Applies numbered, forward-only SQL scripts, each once, in its own transaction, one process at a time. A script whose
/// first line is "-- no transaction" runs outside one, as CREATE INDEX CONCURRENTLY wants it. It has a connection string of its
/// own, and where that is not given, as in a test, the service's.
/// </summary>
internal sealed partial class Migrator(
    IEnumerable<MigrationSource> sources, IServiceProvider services, IConfiguration configuration, TimeProvider time, ILogger<Migrator> logger)
{
    // "commerce" in ASCII: one lock a database, since advisory locks are a database's own.
    private const long Lock = 0x636F6D6D65726365;
    private const string NoTransaction = "-- no transaction";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly TimeSpan _patience = configuration.GetValue("Migrations:Patience", TimeSpan.FromMinutes(2));

    public bool OnStart { get; } = configuration.GetValue("Migrations:OnStart", true);

    public bool Any => sources.Any();

    /// <summary>The names of the scripts applied now.</summary>
    public async Task<IReadOnlyList<string>> Migrate(CancellationToken cancellationToken)
    {
        if (!Any)
            return [];
        if (services.GetService(typeof(NpgsqlDataSource)) is not NpgsqlDataSource service || services.GetService(typeof(ServiceDatabase)) is not ServiceDatabase database)
            throw new InvalidOperationException("Migrations are registered but no database: call AddNpgsqlDataSource.");
        if (configuration.GetConnectionString(database.MigratorConnectionName) is not { Length: > 0 } connectionString)
            return await Migrate(service, login: null, cancellationToken);

        await using var migrator = NpgsqlDataSource.Create(connectionString);
        return await Migrate(migrator, configuration.GetConnectionString(database.ConnectionName), cancellationToken);
    }

    private async Task<IReadOnlyList<string>> Migrate(NpgsqlDataSource dataSource, string? login, CancellationToken cancellationToken)
    {
        await using var connection = await OpenOnceUp(dataSource, cancellationToken);
        await Acquire(connection, cancellationToken);
        try
        {
            // DbUp is synchronous.
            var applied = await Task.Run(() => Apply(dataSource), cancellationToken);
            if (login is not null)
                await ServiceLogin.Grant(connection, login, cancellationToken);
            return applied;
        }
        finally
        {
            await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = Lock } } };
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task<NpgsqlConnection> OpenOnceUp(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await dataSource.OpenConnectionAsync(cancellationToken);
            }
            catch (NpgsqlException exception) when (IsStillStarting(exception))
            {
                if (time.GetElapsedTime(start) > _patience)
                    throw new TimeoutException($"The database did not come up within {_patience.TotalSeconds:0} s.", exception);
                LogWaiting(exception.GetType().Name);
                await Task.Delay(TimeSpan.FromMilliseconds(500), time, cancellationToken);
            }
        }
    }

    // The server may run before the database in it is created.
    private static bool IsStillStarting(NpgsqlException exception) =>
        ErrorStatus.IsDependency(exception) || exception is PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName };

    // Polled: a session that waits in pg_advisory_lock holds a snapshot that CREATE INDEX CONCURRENTLY waits for, in turn.
    private async Task Acquire(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = Lock } } };
        while (await command.ExecuteScalarAsync(cancellationToken) is not true)
        {
            if (time.GetElapsedTime(start) > _patience)
                throw new TimeoutException($"Another process was still migrating this database after {_patience.TotalSeconds:0} s.");
            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private List<string> Apply(NpgsqlDataSource dataSource)
    {
        var applied = new List<string>();
        foreach (var source in sources.DistinctBy(s => s.Assembly))
        {
            var scripts = Scripts(source.Assembly);
            for (var i = 0; i < scripts.Count;)
            {
                var transactional = IsTransactional(scripts[i]);
                var group = scripts.Skip(i).TakeWhile(s => IsTransactional(s) == transactional).ToList();
                i += group.Count;
                applied.AddRange(Apply(dataSource, group, transactional));
            }
        }

        LogDone(applied.Count);
        return applied;
    }

    private IEnumerable<string> Apply(NpgsqlDataSource dataSource, List<SqlScript> scripts, bool transactional)
    {
        var builder = DeployChanges.To
            .PostgresqlDatabase(new PostgresqlConnectionManager(dataSource))
            .WithScripts(scripts)
            // $name$ is a dollar quote in PostgreSQL, not a variable.
            .WithVariablesDisabled()
            .JournalToPostgresqlTable("public", "schema_versions")
            .LogTo(new UpgradeLog(logger));
        var result = (transactional ? builder.WithTransactionPerScript() : builder.WithoutTransaction()).Build().PerformUpgrade();
        return result.Successful
            ? result.Scripts.Select(s => s.Name)
            : throw new InvalidOperationException($"The migration {result.ErrorScript?.Name} failed: {result.Error.Message}", result.Error);
    }

    // The name of an embedded resource begins with its assembly's namespace, so names are unique in one journal.
    private static List<SqlScript> Scripts(Assembly assembly) => assembly.GetManifestResourceNames()
        .Where(name => name.Contains(".Migrations.", StringComparison.Ordinal) && name.EndsWith(".sql", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)
        .Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return new SqlScript(name, reader.ReadToEnd());
        })
        .ToList();

    private static bool IsTransactional(SqlScript script) => !script.Contents.StartsWith(NoTransaction, StringComparison.Ordinal);

    [LoggerMessage(LogLevel.Information, "Waiting for the database ({Error}).")]
    private partial void LogWaiting(string error);

    [LoggerMessage(LogLevel.Information, "The database is up to date; {Count} migrations were applied now.")]
    private partial void LogDone(int count);

#pragma warning disable CA1848, CA2254 // DbUp hands over formats of its own.
    private sealed class UpgradeLog(ILogger logger) : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) => logger.LogTrace(format, args);

        public void LogDebug(string format, params object[] args) => logger.LogDebug(format, args);

        public void LogInformation(string format, params object[] args) => logger.LogDebug(format, args);

        public void LogWarning(string format, params object[] args) => logger.LogWarning(format, args);

        public void LogError(string format, params object[] args) => logger.LogError(format, args);

        public void LogError(Exception ex, string format, params object[] args) => logger.LogError(ex, format, args);
    }
#pragma warning restore CA1848, CA2254
}
