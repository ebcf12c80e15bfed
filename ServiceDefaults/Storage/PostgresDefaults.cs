using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Commerce.ServiceDefaults;

/// <summary>A service's Postgres database, with what every service wants of Npgsql and no connection string should need to say.</summary>
public static class PostgresDefaults
{
    /// <summary>
    /// Registers the <see cref="NpgsqlDataSource"/> of a connection string, by whichever client integration this build uses,
    /// with at most 50 connections and with automatic preparation, unless the connection string says otherwise. Migrations
    /// use the connection string "{name}_migrator" where there is one.
    /// </summary>
    public static void AddNpgsqlDataSource(this IHostApplicationBuilder builder, string connectionName)
    {
        builder.Services.AddSingleton(new ServiceDatabase(connectionName));
        builder.AddNpgsqlDataSource(connectionName, null, Apply);
    }

    internal static void Apply(NpgsqlDataSourceBuilder dataSource)
    {
        var settings = dataSource.ConnectionStringBuilder;
        // NpgsqlConnectionStringBuilder.ContainsKey tells which keys exist, not which are set.
        var given = new DbConnectionStringBuilder { ConnectionString = settings.ConnectionString };
        if (!given.ContainsKey("Maximum Pool Size"))
            settings.MaxPoolSize = 50;
        if (!given.ContainsKey("Max Auto Prepare"))
            settings.MaxAutoPrepare = 100;
        if (!given.ContainsKey("Auto Prepare Min Usages"))
            settings.AutoPrepareMinUsages = 2;
        // Nothing that lives as long as a session is used but the relay's lock, which goes with its connection or is released:
        // so there is nothing to reset, and resetting would be seven statements before the first one of every use.
        if (!given.ContainsKey("No Reset On Close"))
            settings.NoResetOnClose = true;
        if (!given.ContainsKey("Application Name"))
            settings.ApplicationName = AppDomain.CurrentDomain.FriendlyName;
        // A dead peer behind a firewall would hold a pooled connection for ever.
        if (!given.ContainsKey("Tcp Keepalive") && !given.ContainsKey("Keepalive"))
            settings.TcpKeepAlive = true;
    }
}
