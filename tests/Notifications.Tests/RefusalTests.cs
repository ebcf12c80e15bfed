using Commerce.Messaging;
using Commerce.Notifications.Storage;
using Commerce.Testing;
using Npgsql;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;
using State = Commerce.Notifications.V1.Notification.Types.State;

namespace Commerce.Notifications.Tests;

/// <summary>A mail server that refuses for good, on the real database.</summary>
public sealed class RefusalTests : IAsyncLifetime
{
    private readonly Notification _notification = Notification.About("main", "ORD-7K3M9QX-T2F8CRW", Kind.OrderConfirmed, DateTimeOffset.UnixEpoch);
    private TestDatabase _database = null!;
    private NpgsqlDataSource _source = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await (await TestServers.Get()).CreateDatabase();
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
        await Services.Migrate(_source);
        await using var batch = _source.CreateBatch();
        batch.BatchCommands.Add(NotificationStore.Insert(_notification));
        await batch.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task One_refusal_is_no_word_about_the_mail_and_it_is_sent_the_next_time()
    {
        await using var server = await MailServer.Start(refusals: 1);
        Assert.IsType<RecoveryOutcome.Again>(await Attempt(server, 1));
        Assert.Equal(State.Pending, await Stored());

        Assert.IsType<RecoveryOutcome.Done>(await Attempt(server, 2));

        Assert.Equal(State.Sent, await Stored());
        Assert.Equal([$"{_notification.Id:N}@notifications.commerce"], server.Received);
    }

    [Fact]
    public async Task A_refusal_that_is_repeated_is_believed()
    {
        await using var server = await MailServer.Start(refusals: int.MaxValue);
        var attempts = 1;
        while (await Attempt(server, attempts) is RecoveryOutcome.Again)
            attempts++;

        Assert.Equal(4, attempts);
        Assert.Equal(State.Failed, await Stored());
    }

    private Task<RecoveryOutcome> Attempt(MailServer server, int attempt) => new Services().Attempt(_source, server, _notification.Id, attempt);

    private async Task<State> Stored() => (await new NotificationStore(_source).OfOrder(_notification.OrderId, 0, 1, CancellationToken.None)).Single().State;
}
