using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Commerce.ServiceDefaults;

/// <summary>The database of a service, by the name of its connection string.</summary>
internal sealed record ServiceDatabase(string ConnectionName)
{
    /// <summary>
    /// The connection string of whoever changes its schema, who is not the service where it is deployed. No hyphen: a shell that
    /// starts a process does not hand on a variable with one.
    /// </summary>
    public string MigratorConnectionName => ConnectionName + "_migrator";
}

/// <summary>
/// The login that a service works with, where it is not the one that migrates: it reads and writes rows, and changes no
/// schema. Tables that only grow it cannot change or empty either, whatever becomes of their triggers.
/// </summary>
internal static class ServiceLogin
{
    private const int Iterations = 4096;

    // A table only grows where a trigger refuses to truncate it (32: TRIGGER_TYPE_TRUNCATE). Nobody else may connect at all: a
    // service does not read another one's tables, nor see what they are called.
    private const string Rights =
        """
        WITH mine AS (SELECT oid, nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%')
        SELECT format('REVOKE ALL ON DATABASE %1$I FROM PUBLIC; REVOKE ALL ON DATABASE %1$I FROM %2$I; GRANT CONNECT ON DATABASE %1$I TO %2$I', current_database(), $1)
        UNION ALL
        SELECT format('REVOKE ALL ON SCHEMA %1$I FROM PUBLIC; REVOKE ALL ON SCHEMA %1$I FROM %2$I; GRANT USAGE ON SCHEMA %1$I TO %2$I', nspname, $1) FROM mine
        UNION ALL
        SELECT format('REVOKE ALL ON %1$s FROM %2$I; GRANT %3$s ON %1$s TO %2$I', c.oid::regclass, $1,
          CASE WHEN c.oid = to_regclass('public.schema_versions') THEN 'SELECT'
               WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 32 <> 0) THEN 'SELECT, INSERT'
               ELSE 'SELECT, INSERT, UPDATE, DELETE' END)
        FROM pg_class c JOIN mine ON mine.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
        """;

    /// <summary>Makes the service's login, where the migrator's may make logins, and gives it what it needs and no more.</summary>
    /// <param name="migrator">The database, as its owner.</param>
    /// <param name="service">The service's own connection string.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidOperationException">The login does not exist, and cannot be made.</exception>
    public static async Task Grant(NpgsqlConnection migrator, string service, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(service);
        if (string.IsNullOrEmpty(settings.Username) || settings.Username == new NpgsqlConnectionStringBuilder(migrator.ConnectionString).Username)
            return;

        await using var transaction = await migrator.BeginTransactionAsync(cancellationToken);
        await Make(migrator, settings.Username, settings.Password ?? "", cancellationToken);
        var rights = new List<string>();
        await using (var command = new NpgsqlCommand(Rights, migrator) { Parameters = { new NpgsqlParameter<string> { TypedValue = settings.Username } } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                rights.Add(reader.GetString(0));
        }

        await using (var command = new NpgsqlCommand(string.Join("; ", rights), migrator))
            await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task Make(NpgsqlConnection migrator, string name, string password, CancellationToken cancellationToken)
    {
        bool exists, allowed;
        await using (var command = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)",
            migrator)
        { Parameters = { new NpgsqlParameter<string> { TypedValue = name } } })
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            (exists, allowed) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }

        if (!allowed && !exists)
            throw new InvalidOperationException($"The login \"{name}\" does not exist, and the migrator's may not make it: CREATE ROLE \"{name}\" LOGIN, or give the migrator CREATEROLE.");
        if (!allowed)
            return;
        // The password itself would be in the server's log, should the statement fail.
        await using var make = new NpgsqlCommand($"{(exists ? "ALTER" : "CREATE")} ROLE {Quoted(name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{Verifier(password)}'", migrator);
        await make.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>What Postgres keeps of a password (RFC 5803).</summary>
    private static string Verifier(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password.Normalize(NormalizationForm.FormKC)), salt, Iterations, HashAlgorithmName.SHA256, 32);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}";
    }

    private static string Quoted(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
