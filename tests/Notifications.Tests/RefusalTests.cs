using Commerce.Messaging;
using Commerce.Notifications.SendingMail;
using Commerce.Notifications.Storage;
using Commerce.Orders.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
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
        var assembly = typeof(NotificationsModule).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            await using var command = _source.CreateCommand(await reader.ReadToEndAsync());
            await command.ExecuteNonQueryAsync();
        }

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

    /// <summary>One attempt and its closing transaction, as the worker of recovery points does it.</summary>
    private async Task<RecoveryOutcome> Attempt(MailServer server, int attempt)
    {
        var options = Options.Create(new SmtpOptions { Endpoint = server.Endpoint });
        using var smtp = new SmtpConnections(options);
        var sending = new SendMail(
            new NotificationStore(_source), new OrderService.OrderServiceClient(new Answers()), new StoreBranding(new StoreService.StoreServiceClient(new Answers()), TimeProvider.System),
            smtp, options, TimeProvider.System, NullLogger<SendMail>.Instance);
        var outcome = await sending.Recover(new RecoveryPoint(SendMail.PointKind, _notification.Id.ToString("N")), attempt, CancellationToken.None);
        var commit = outcome switch
        {
            RecoveryOutcome.Done done => done.Commit,
            RecoveryOutcome.Again again => again.Commit,
            _ => null,
        };
        await using var connection = await _source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var context = new RecoveryContext(connection, transaction, null!, null!, CancellationToken.None);
        await commit!(context);
        await context.Batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return outcome;
    }

    private async Task<State> Stored() => (await new NotificationStore(_source).OfOrder(_notification.OrderId, 0, 1, CancellationToken.None)).Single().State;

    /// <summary>Orders, as far as a mail asks it.</summary>
    private sealed class Answers : CallInvoker
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            object answer = method.Name == "GetOrder"
                ? new Order { OrderId = "ORD-7K3M9QX-T2F8CRW", Customer = new Contact { Name = "Ada Example", Email = "ada@example.com" }, Total = new Google.Type.Money { CurrencyCode = "EUR", Units = 5 } }
                : new Store { DisplayName = "Shop" };
            return new AsyncUnaryCall<TResponse>(Task.FromResult((TResponse)answer), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
    }
}
