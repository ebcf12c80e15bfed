using Commerce.Messaging;
using Commerce.Notifications.SendingMail;
using Commerce.Notifications.Storage;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Notifications.Tests;

/// <summary>The other services as far as a mail asks them, and the mail's attempts as the worker of recovery points makes them.</summary>
internal sealed class Services : CallInvoker
{
    public Order Order { get; set; } = new()
    {
        OrderId = "ORD-7K3M9QX-T2F8CRW",
        Customer = new Contact { Name = "Ada Example", Email = "ada@example.com" },
        Total = new Google.Type.Money { CurrencyCode = "EUR", Units = 5 },
    };

    public OrderLinkOptions Links { get; set; } = new();

    public Return Return { get; set; } = new() { ReturnNumber = "ORD-7K3M9QX-T2F8CRW-R1", State = ReturnState.Approved };

    /// <summary>Null: there is none yet.</summary>
    public Payment? Payment { get; set; }

    public static async Task Migrate(NpgsqlDataSource database)
    {
        foreach (var assembly in new[] { typeof(Outbox).Assembly, typeof(NotificationsModule).Assembly })
        {
            foreach (var name in assembly.GetManifestResourceNames().Where(n => n.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                await using var command = database.CreateCommand(await reader.ReadToEndAsync());
                await command.ExecuteNonQueryAsync();
            }
        }
    }

    /// <summary>One attempt and its closing transaction.</summary>
    public async Task<RecoveryOutcome> Attempt(NpgsqlDataSource database, MailServer server, Guid notification, int attempt)
    {
        var options = Options.Create(new SmtpOptions { Endpoint = server.Endpoint });
        using var smtp = new SmtpConnections(options);
        var sending = new SendMail(
            new NotificationStore(database), new OrderService.OrderServiceClient(this), new ReturnService.ReturnServiceClient(this), new PaymentService.PaymentServiceClient(this),
            new StoreBranding(new StoreService.StoreServiceClient(this), TimeProvider.System), smtp, options, Options.Create(Links), TimeProvider.System, NullLogger<SendMail>.Instance);
        var outcome = await sending.Recover(new RecoveryPoint(SendMail.PointKind, notification.ToString("N")), attempt, CancellationToken.None);
        var commit = outcome switch
        {
            RecoveryOutcome.Done done => done.Commit,
            RecoveryOutcome.Again again => again.Commit,
            _ => null,
        };
        if (commit is null)
            return outcome;
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var context = new RecoveryContext(connection, transaction, new Outbox(TimeProvider.System, new OutboxSignal()), null!, CancellationToken.None);
        await commit(context);
        await context.Batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return outcome;
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        object? answer = method.Name switch
        {
            "GetOrder" => Order,
            "GetReturn" => Return,
            "GetPayment" => Payment,
            _ => new Store { DisplayName = "Shop" },
        };
        return new AsyncUnaryCall<TResponse>(
            answer is null ? Task.FromException<TResponse>(new RpcException(new Status(StatusCode.NotFound, "Not there."))) : Task.FromResult((TResponse)answer),
            Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
}
