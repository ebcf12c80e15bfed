using System.Security.Cryptography;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Payments.CapturingPayment;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Consumers;
using Commerce.Payments.Documents;
using Commerce.Payments.ErasingCustomers;
using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Commerce.Payments.Providers.StoreCredit;
using Commerce.Payments.RefundingPayment;
using Commerce.Payments.Settling;
using Commerce.Payments.Storage;
using Commerce.Payments.StoreCredits;
using Commerce.Payments.Webhooks;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Payments.Tests;

/// <summary>
/// Payments on a real database, without broker and workers: the test decides what runs when, and where it is killed. A
/// database a test class.
/// </summary>
public sealed class DriverHarness : IAsyncDisposable
{
    // Begun by the first test and not by the runner: a missing server then skips tests instead of failing the class.
    private readonly Lazy<Task> _started;
    private TestDatabase? _database;
    private NpgsqlDataSource? _source;

    public DriverHarness() => _started = new Lazy<Task>(Start);

    internal NpgsqlDataSource Database => _source!;

    internal PaymentStore Store => new(Database, TimeProvider.System);

    internal StoreCreditBook CreditBook => new(Database, TimeProvider.System);

    internal StoreCreditProvider Credit => new(CreditBook);

    public async ValueTask DisposeAsync()
    {
        if (_source is not null)
            await _source.DisposeAsync();
        if (_database is not null)
            await _database.DisposeAsync();
    }

    internal async Task<TestPayment> Begin(IPaymentProvider provider)
    {
        await _started.Value;
        return new TestPayment(this, provider, OrderId.New("ORD", TimeProvider.System).ToString());
    }

    /// <summary>Gives a customer credit, as staff does.</summary>
    internal async Task<CreditEntry> Grant(string customer, long minor, string? requestId = null, string currency = "BRL")
    {
        await _started.Value;
        var request = new V1.GrantStoreCreditRequest
        {
            StoreId = "main",
            CustomerId = customer,
            RequestId = requestId ?? Guid.NewGuid().ToString(),
            Amount = new Money(minor, currency).ToProto(),
            Note = "sorry",
        };
        var key = new RequestKey("staff/tests", "GrantStoreCredit", request.RequestId, SHA256.HashData(request.ToByteArray()));
        return await new GrantStoreCredit(CreditBook, Database, new Requests(Database, TimeProvider.System)).Grant(request, key, CancellationToken.None);
    }

    /// <summary>Imports a settlement of the fake provider, cut into chunks.</summary>
    internal async Task<V1.ImportSettlementResponse> Import(string csv, string store = "main", int chunk = 64 * 1024)
    {
        await _started.Value;
        var providers = new PaymentProviders([new FakeProvider(), Credit], new OptionsWrapper<PaymentsOptions>(new PaymentsOptions { Provider = "fake" }));
        var bytes = System.Text.Encoding.UTF8.GetBytes(csv);
        var requests = bytes.Chunk(chunk).Select((piece, i) => new V1.ImportSettlementRequest { StoreId = i == 0 ? store : "", Provider = i == 0 ? "fake" : "", Csv = ByteString.CopyFrom(piece) });
        return await new ImportSettlement(Database, providers, TimeProvider.System).Import(
            new ListReader<V1.ImportSettlementRequest>([.. requests.DefaultIfEmpty(new V1.ImportSettlementRequest { StoreId = store, Provider = "fake" })]), CancellationToken.None);
    }

    internal Reconcile Reconcile => new(Database);

    /// <summary>What a customer has: (balance, held). The ledger has to have the same, and nothing may be left on its way.</summary>
    internal async Task<(long Balance, long Held)> BalanceOf(string customer)
    {
        var balance = (await CreditBook.Balances("main", customer, CancellationToken.None)).SingleOrDefault();
        var ledger = await new LedgerStore(Database).List("main", "", $"main/BRL/STORE_CREDIT/{customer}", null, null, null, 1000, CancellationToken.None);
        Assert.Equal(balance?.Balance ?? 0, -ledger.Sum(e => e.Amount.Minor));
        Assert.Equal(balance?.Balance ?? 0, (await CreditBook.Entries("main", customer, null, 1000, CancellationToken.None)).Sum(e => e.Amount.Minor));
        return (balance?.Balance ?? 0, balance?.Held ?? 0);
    }

    private async Task Start()
    {
        _database = await (await TestServers.Get()).CreateDatabase();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging().AddSingleton(TimeProvider.System);
        builder.Configuration["ConnectionStrings:paymentsdb"] = _database.ConnectionString;
        builder.AddNpgsqlDataSource("paymentsdb");
        builder.AddMigrations(typeof(Outbox).Assembly).AddMigrations(typeof(PaymentsModule).Assembly);
        using var host = builder.Build();
        await host.MigrateAsync();
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
    }

    /// <summary>A client's stream that was sent already.</summary>
    private sealed class ListReader<T>(IReadOnlyList<T> items) : IAsyncStreamReader<T>
    {
        private int _next;

        public T Current => items[_next - 1];

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(_next++ < items.Count);
    }

    /// <summary>One order's payment, and the means to push it about.</summary>
    internal sealed class TestPayment(DriverHarness harness, IPaymentProvider provider, string orderId)
    {
        private readonly OptionsWrapper<PaymentsOptions> _options = new(new PaymentsOptions { Provider = provider.Name });
        private readonly OutboxSignal _outboxSignal = new();
        private readonly RecoverySignal _recoverySignal = new();

        public string OrderId => orderId;

        /// <summary>What Orders says.</summary>
        public FakeOrders.Orders Orders { get; } = new();

        /// <summary>Whose order it is; parts with the token "credit" are paid with their store credit.</summary>
        public string? Customer { get; set; }

        public string Store { get; set; } = "main";

        /// <summary>Orders' stores, as documents ask for them.</summary>
        public FakeOrders.Stores Stores { get; set; } = new();

        /// <summary>When its money is taken, as the fact says it.</summary>
        public string? CaptureMode { get; set; }

        private PaymentProviders Providers => new([provider, harness.Credit], _options);

        private Outbox Outbox => new(TimeProvider.System, _outboxSignal);

        private RecoveryPoints Points => new(TimeProvider.System, _recoverySignal);

        public Task Place(params (string Token, long Minor)[] parts) => Consume((consumer, context) => consumer.Consume(
            new OrderPlaced(
                orderId, Store, 1, TimeProvider.System.GetUtcNow(), null, new Money(parts.Sum(p => p.Minor), "BRL"),
                [.. parts.Select((p, i) => new PaymentPartFact(
                    i + 1, p.Token == "credit" || Commerce.OrderId.TryParse(p.Token, out _) ? "STORE_CREDIT" : "CARD", p.Token, new Money(p.Minor, "BRL"), 1))],
                Customer,
                CaptureMode),
            context));

        /// <summary>Its customer is erased.</summary>
        public Task Erase() => Consume((consumer, context) => consumer.Consume(new OrderErased(orderId, "main", 9, TimeProvider.System.GetUtcNow(), Guid.NewGuid().ToString("N")), context));

        public Task Cancel() => Consume((consumer, context) => consumer.Consume(
            new OrderCancelled(orderId, "main", 2, TimeProvider.System.GetUtcNow(), "SHOPPER"), context));

        /// <summary>The order's lines changed, and it costs so much less (or, with the charge of a change, more).</summary>
        public Task Changed(int version, long before, long after, int change = 0, params (int Line, int Pieces, long Price)[] lines) => Consume((consumer, context) => consumer.Consume(
            new OrderLinesChanged(
                orderId, "main", version, TimeProvider.System.GetUtcNow(), change, new Money(before, "BRL"), new Money(after, "BRL"),
                [.. lines.Select(l => new LineChangeFact(l.Line, "sku", l.Pieces, new Money(l.Price, "BRL")))]),
            context));

        public Task Charge(int change, string token, long minor) => Consume((consumer, context) => consumer.Consume(
            new OrderChangeProposed(orderId, "main", 3, TimeProvider.System.GetUtcNow(), change, new PaymentPartFact(0, "CARD", token, new Money(minor, "BRL"), 1)), context));

        public Task Withdraw(int change) => Consume((consumer, context) => consumer.Consume(
            new OrderChangeWithdrawn(orderId, "main", 4, TimeProvider.System.GetUtcNow(), change, "EXPIRED"), context));

        public async Task<Payment> Read() => await harness.Store.Find(orderId, CancellationToken.None) ?? throw new InvalidOperationException("There is no payment.");

        /// <summary>A webhook arrives; returns what it was: news, known or ignored.</summary>
        public Task<string> Hear(Authorisation said) =>
            new ReceiveWebhook(harness.Store, Providers, harness.Database, Outbox, Points, TimeProvider.System, NullLogger<ReceiveWebhook>.Instance)
                .Take(provider.Name, new ProviderNotice(Guid.NewGuid().ToString(), said.Id, said), CancellationToken.None);

        /// <summary>A webhook arrives as its provider sent it.</summary>
        public Task<string> Hear(ProviderNotice notice) =>
            new ReceiveWebhook(harness.Store, Providers, harness.Database, Outbox, Points, TimeProvider.System, NullLogger<ReceiveWebhook>.Instance)
                .Take(provider.Name, notice, CancellationToken.None);

        /// <summary>A webhook about a refund arrives.</summary>
        public Task<string> Hear(ProviderRefund said) =>
            new ReceiveWebhook(harness.Store, Providers, harness.Database, Outbox, Points, TimeProvider.System, NullLogger<ReceiveWebhook>.Instance)
                .Take(provider.Name, new ProviderNotice(Guid.NewGuid().ToString(), said.AuthorisationId, null, said), CancellationToken.None);

        /// <summary>Asks for a refund; null: all that is left.</summary>
        public async Task<Refund> Refund(
            long? minor, string? requestId = null, string etag = "", string note = "", V1.RefundDestination destination = V1.RefundDestination.Unspecified, string currency = "BRL")
        {
            var request = new V1.RefundPaymentRequest
            {
                Name = "payments/" + orderId,
                RequestId = requestId ?? Guid.NewGuid().ToString(),
                Amount = minor is { } given ? new Money(given, currency).ToProto() : null,
                Reason = V1.RefundReason.Goodwill,
                Note = note,
                Etag = etag,
                Destination = destination,
            };
            var key = new RequestKey("staff/tests", "RefundPayment", request.RequestId, SHA256.HashData(request.ToByteArray()));
            var refunds = new RefundPayment(Changes, TimeProvider.System);
            return (await refunds.Ask(request, key, CancellationToken.None)).Refund;
        }

        /// <summary>Asks for a capture; null: all that is held.</summary>
        public Task<Payment> Capture(long? minor = null, string? requestId = null, string currency = "BRL")
        {
            var request = new V1.CapturePaymentRequest
            {
                Name = "payments/" + orderId,
                RequestId = requestId ?? Guid.NewGuid().ToString(),
                Amount = minor is { } given ? new Money(given, currency).ToProto() : null,
            };
            return CapturePayment.Capture(request, new RequestKey("staff/tests", "CapturePayment", request.RequestId, SHA256.HashData(request.ToByteArray())), CancellationToken.None);
        }

        /// <summary>Asks for what is held to be let go.</summary>
        public Task<Payment> Void(string? requestId = null)
        {
            var request = new V1.VoidPaymentRequest { Name = "payments/" + orderId, RequestId = requestId ?? Guid.NewGuid().ToString() };
            return CapturePayment.Void(request, new RequestKey("staff/tests", "VoidPayment", request.RequestId, SHA256.HashData(request.ToByteArray())), CancellationToken.None);
        }

        private CapturePayment CapturePayment => new(Changes, TimeProvider.System);

        private RequestedChanges Changes => new(harness.Store, harness.Database, new Requests(harness.Database, TimeProvider.System), Points);

        /// <summary>A parcel was planned, or its carrier has it.</summary>
        public Task Parcel(string shipmentId, params (int Line, int Pieces)[] lines) => Consume((consumer, context) => new ShipmentFactsConsumer().Consume(
            new ShipmentCreated(shipmentId, orderId, "main", 1, TimeProvider.System.GetUtcNow(), [.. lines.Select(l => new ShipmentLineFact(l.Line, l.Pieces))]), context));

        /// <inheritdoc cref="Parcel"/>
        public Task HandOver(string shipmentId, string previous = "PRE_TRANSIT") => Consume((consumer, context) => new ShipmentFactsConsumer().Consume(
            new ParcelTracked(
                shipmentId, orderId, "main", 3, TimeProvider.System.GetUtcNow(), "sandbox", "T", "IN_TRANSIT", previous, ["PRE_TRANSIT", "IN_TRANSIT"], TimeProvider.System.GetUtcNow(), 1),
            context));

        /// <summary>A parcel that brings goods back is planned and handed over.</summary>
        public async Task ComeBack(string shipmentId, params (int Line, int Pieces)[] lines)
        {
            var now = TimeProvider.System.GetUtcNow();
            await Consume((_, context) => new ShipmentFactsConsumer().Consume(
                new ShipmentCreated(shipmentId, orderId, "main", 1, now, [.. lines.Select(l => new ShipmentLineFact(l.Line, l.Pieces))]) { ReturnNumber = 1 }, context));
            await Consume((_, context) => new ShipmentFactsConsumer().Consume(
                new ParcelTracked(shipmentId, orderId, "main", 3, now, "sandbox", "T", "IN_TRANSIT", "PRE_TRANSIT", ["IN_TRANSIT"], now, 1) { ReturnNumber = 1 }, context));
        }

        /// <summary>The recovery points that there are, whenever they are due.</summary>
        public async Task<IReadOnlyList<RecoveryPoint>> PointsLeft()
        {
            await using var command = harness.Database.CreateCommand(
                "SELECT kind, key FROM messaging.recovery_points WHERE key = $1 OR key LIKE $1 || '/%' ORDER BY kind, key");
            command.Parameters.AddWithValue(orderId);
            await using var reader = await command.ExecuteReaderAsync();
            var found = new List<RecoveryPoint>();
            while (await reader.ReadAsync())
                found.Add(new RecoveryPoint(reader.GetString(0), reader.GetString(1)));
            return found;
        }

        /// <summary>Carries out a point as the worker does; killed: dies after the work, before the commit.</summary>
        public async Task Run(RecoveryPoint point, bool killed = false)
        {
            var driver = new PaymentDriver(harness.Store, Providers, harness.Credit, _options, TimeProvider.System, NullLogger<PaymentDriver>.Instance);
            IRecover handler = point.Kind switch
            {
                IssueDocuments.PointKind => new IssueDocuments(harness.Store, Orders, Stores, TimeProvider.System),
                CaptureShipments.PointKind => new CaptureShipments(harness.Store, harness.Database, Orders, TimeProvider.System),
                PollPayment.PointKind => new PollPayment(driver),
                _ => new AdvancePayment(driver, point.Kind),
            };
            var outcome = await handler.Recover(point, 1, CancellationToken.None);
            await using var connection = await harness.Database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            var context = new RecoveryContext(connection, transaction, Outbox, Points, CancellationToken.None);
            var again = outcome as RecoveryOutcome.Again;
            if ((again?.Commit ?? (outcome as RecoveryOutcome.Done)?.Commit) is { } commit)
                await commit(context);
            if (again is null)
            {
                await using var delete = new NpgsqlCommand("DELETE FROM messaging.recovery_points WHERE kind = $1 AND key = $2", connection, transaction);
                delete.Parameters.AddWithValue(point.Kind);
                delete.Parameters.AddWithValue(point.Key);
                await delete.ExecuteNonQueryAsync();
            }

            if (context.Batch.BatchCommands.Count > 0)
                await context.Batch.ExecuteNonQueryAsync();
            if (!killed)
                await transaction.CommitAsync();
        }

        /// <summary>Carries out what there is until nothing but waiting is left.</summary>
        public async Task Settle()
        {
            for (var round = 0; round < 20; round++)
            {
                var open = await PointsLeft();
                if (open.All(p => p.Kind == PollPayment.PointKind) && round > 0)
                {
                    foreach (var poll in open)
                        await Run(poll);
                    open = await PointsLeft();
                    if (open.All(p => p.Kind == PollPayment.PointKind))
                        return;
                }

                foreach (var point in open)
                    await Run(point);
            }

            Assert.Fail($"{orderId} does not come to rest: {string.Join(", ", (await PointsLeft()).Select(p => p.Kind + " " + p.Key))}");
        }

        /// <summary>What was told, in the order of versions, which must be 1, 2, 3 … without a gap.</summary>
        public async Task<IReadOnlyList<string>> Facts()
        {
            await using var command = harness.Database.CreateCommand("SELECT version, fact FROM messaging.outbox WHERE key = $1 ORDER BY id");
            command.Parameters.AddWithValue(orderId);
            await using var reader = await command.ExecuteReaderAsync();
            var facts = new List<string>();
            while (await reader.ReadAsync())
            {
                Assert.Equal(facts.Count + 1, reader.GetInt64(0));
                facts.Add(reader.GetString(1));
            }

            return facts;
        }

        public Task<IReadOnlyList<IssuedDocument>> Documents() => new DocumentStore(harness.Database).Of(orderId, CancellationToken.None);

        /// <summary>What the ledger has of this order, by kind of account; it has to balance by itself.</summary>
        public async Task<IReadOnlyDictionary<AccountKind, long>> Ledger()
        {
            var entries = await new LedgerStore(harness.Database).List("main", orderId, "", null, null, null, 1000, CancellationToken.None);
            Assert.All(entries.GroupBy(e => e.Movement), movement => Assert.Equal(0, movement.Sum(e => e.Amount.Minor)));
            return entries.GroupBy(e => e.AccountKind).ToDictionary(g => g.Key, g => g.Sum(e => e.Amount.Minor));
        }

        private async Task Consume(Func<OrderFactsConsumer, FactContext, Task> consume)
        {
            await using var connection = await harness.Database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            var context = new FactContext(connection, transaction, Guid.NewGuid(), Outbox, Points, CancellationToken.None);
            await consume(new OrderFactsConsumer(Providers, new EraseOrder(Options.Create(new PaymentsOptions()), TimeProvider.System), TimeProvider.System), context);
            await context.Batch.ExecuteNonQueryAsync();
            await transaction.CommitAsync();
        }
    }
}
