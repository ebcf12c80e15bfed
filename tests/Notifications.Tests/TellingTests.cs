using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Notifications.Consumers;
using Commerce.Notifications.Storage;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Npgsql;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;
using State = Commerce.Notifications.V1.Notification.Types.State;

namespace Commerce.Notifications.Tests;

/// <summary>What is told of which fact, on the real database: one message an event, however often it is heard.</summary>
public sealed class TellingTests : IAsyncLifetime
{
    private const string OrderId = "ORD-7K3M9QX-T2F8CRW";
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;

    private readonly OrderFactsConsumer _orders = new(TimeProvider.System);
    private readonly ShipmentFactsConsumer _shipments = new(TimeProvider.System);
    private readonly PaymentFactsConsumer _payments = new(TimeProvider.System);
    private TestDatabase _database = null!;
    private NpgsqlDataSource _source = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await (await TestServers.Get()).CreateDatabase();
        _source = NpgsqlDataSource.Create(_database.ConnectionString);
        await Services.Migrate(_source);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_return_is_told_as_approved_with_its_label_then_as_received_and_its_money_as_given_back()
    {
        await Hear(_orders, new ReturnApproved(OrderId, "main", 5, At, 1, LabelWanted: true));
        Assert.Empty(await Told());
        await Hear(_shipments, Label("s1", 1, "1Z12345E0205271688"));
        await Hear(_orders, new ReturnReceived(OrderId, "main", 7, At, 1, Complete: false));
        await Hear(_orders, new ReturnReceived(OrderId, "main", 8, At, 1, Complete: true));
        await Hear(_payments, new PaymentRefunded(OrderId, "main", 3, At, new Money(1500, "EUR"), new Money(4000, "EUR")));
        await Hear(_payments, new PaymentRefunded(OrderId, "main", 4, At, new Money(1900, "EUR"), new Money(4000, "EUR")));

        var told = await Told();
        Assert.Equal([Kind.ReturnApproved, Kind.ReturnReceived, Kind.ReturnReceived, Kind.Refunded, Kind.Refunded], told.Select(n => n.Kind));
        Assert.Equal(("1Z12345E0205271688", "s1", 1), (told[0].TrackingNumber, told[0].ShipmentId, told[0].ReturnNumber));
        Assert.Equal([new Money(1500, "EUR"), new Money(400, "EUR")], told.Where(n => n.Kind == Kind.Refunded).Select(n => n.Amount!.Value));
        Assert.Equal(told.Count, told.Select(n => n.Id).Distinct().Count());
    }

    [Fact]
    public async Task Who_is_limited_to_another_store_is_told_of_none_of_it()
    {
        await Hear(_orders, new ReturnApproved(OrderId, "main", 5, At, 1, LabelWanted: false));

        TestAccess.CallsAs(new Principal(PrincipalKind.Shop, "own", ScopeSet.All, ["main"]));
        Assert.Single(await Told());
        TestAccess.CallsAs(new Principal(PrincipalKind.Shop, "other", ScopeSet.All, ["elsewhere"]));
        Assert.Empty(await Told());
    }

    [Fact]
    public async Task Where_no_label_is_wanted_or_can_be_had_the_approval_is_told_without_and_a_label_that_comes_later_is_told_of()
    {
        await Hear(_orders, new ReturnApproved(OrderId, "main", 5, At, 1, LabelWanted: false));
        await Hear(_orders, new ReturnApproved(OrderId, "main", 6, At, 2, LabelWanted: true));
        await Hear(_shipments, new ShipmentExceptionChanged("s2", OrderId, "main", 2, At, "CARRIER_UNAVAILABLE", "") { ReturnNumber = 2 });
        await Hear(_shipments, new ShipmentExceptionChanged("s2", OrderId, "main", 3, At, null, null) { ReturnNumber = 2 });
        await Hear(_shipments, Label("s2", 2, "T2"));
        await Hear(_shipments, new ShipmentExceptionChanged("s2", OrderId, "main", 9, At, "SILENT", "") { ReturnNumber = 2 });
        Assert.Equal([(1, ""), (2, ""), (2, "T2")], (await Told()).Select(n => (n.ReturnNumber, n.TrackingNumber)));
        Assert.All(await Told(), n => Assert.Equal(Kind.ReturnApproved, n.Kind));
    }

    [Fact]
    public async Task Each_change_of_an_order_is_told_once_and_a_redelivery_never()
    {
        IFact[] facts =
        [
            new OrderEdited(OrderId, "main", 2, At, ["shipping_address"]),
            new OrderLinesChanged(OrderId, "main", 3, At, 0, new Money(4000, "EUR"), new Money(3000, "EUR"), []),
            new OrderChangeProposed(OrderId, "main", 4, At, 1, new PaymentPartFact(2, "CARD", "tok", new Money(500, "EUR"), 1)),
            new OrderChangeWithdrawn(OrderId, "main", 5, At, 1, "DECLINED"),
            new ReturnRejected(OrderId, "main", 6, At, 1),
        ];
        foreach (var fact in facts.Concat(facts))
            await Hear(_orders, fact);
        await Hear(_payments, new PaymentPending(OrderId, "main", 1, At, new Money(4000, "EUR")));
        await Hear(_payments, new PaymentPending(OrderId, "main", 1, At, new Money(4000, "EUR")));

        Assert.Equal(
            [(Kind.OrderChanged, "v2", ""), (Kind.OrderChanged, "v3", ""), (Kind.PaymentActionRequired, "C1", ""), (Kind.ChangeWithdrawn, "C1", "DECLINED"), (Kind.ReturnRejected, "R1", ""), (Kind.PaymentActionRequired, "", "")],
            (await Told()).Select(n => (n.Kind, n.Event, n.Reason)));
    }

    [Fact]
    public async Task What_the_payment_needs_of_the_shopper_is_told_with_where_to_go_and_not_where_it_needs_nothing()
    {
        await using var server = await MailServer.Start();
        await Hear(_payments, new PaymentPending(OrderId, "main", 1, At, new Money(500, "EUR")));
        await Hear(_orders, new OrderChangeProposed(OrderId, "main", 4, At, 1, new PaymentPartFact(2, "CARD", "tok", new Money(500, "EUR"), 1)));
        await Hear(_orders, new OrderEdited(OrderId, "main", 5, At, ["customer.phone"]));
        var told = await Told();
        var services = new Services();

        // Nobody knows yet; and nothing else waits for it.
        Assert.IsType<RecoveryOutcome.Again>(await services.Attempt(_source, server, told[0].Id, 1));
        await services.Attempt(_source, server, told[2].Id, 1);
        Assert.Equal(State.Sent, (await Told())[2].State);
        await using var fact = _source.CreateCommand("SELECT fact || ' ' || key FROM messaging.outbox");
        Assert.Equal($"NotificationSettled {told[2].Id:N}", await fact.ExecuteScalarAsync());

        services.Payment = new Payment
        {
            Parts =
            {
                new Payment.Types.Part { PartNumber = 1, State = Payment.Types.State.RequiresAction, NextActionUrl = "https://bank.example/confirm" },
                new Payment.Types.Part { PartNumber = 2, State = Payment.Types.State.Captured, ChangeNumber = 1 },
            },
        };
        await services.Attempt(_source, server, told[0].Id, 2);
        await services.Attempt(_source, server, told[1].Id, 1);
        Assert.Equal([State.Sent, State.Suppressed], (await Told()).Take(2).Select(n => n.State));
        Assert.Equal(2, server.Received.Count);
    }

    [Fact]
    public async Task Nobody_is_sent_a_label_for_what_they_keep()
    {
        await using var server = await MailServer.Start();
        await Hear(_shipments, Label("s1", 1, "T1"));
        var services = new Services { Return = new Return { ReturnNumber = OrderId + "-R1", State = ReturnState.Cancelled } };
        await services.Attempt(_source, server, (await Told())[0].Id, 1);
        Assert.Equal(State.Suppressed, (await Told())[0].State);
        Assert.Empty(server.Received);
    }

    [Fact]
    public async Task The_version_before_goes_on_telling_beside_this_one()
    {
        await using var command = _source.CreateCommand(
            """
            INSERT INTO notifications (id, store_id, order_id, shipment_id, kind, channel, carrier, tracking_number, state, created_at)
            VALUES (gen_random_uuid(), 'main', $1, '', 1, 'email', '', '', 1, now()) ON CONFLICT DO NOTHING
            """);
        command.Parameters.AddWithValue(OrderId);
        await command.ExecuteNonQueryAsync();
        await Hear(_orders, new OrderConfirmed(OrderId, "main", 2, At, null, null));
        Assert.Single(await Told());
    }

    private static LabelBought Label(string shipment, int returnNumber, string trackingNumber) =>
        new(shipment, OrderId, "main", 2, At, "ups", "ground", trackingNumber, new Money(500, "EUR"), null) { ReturnNumber = returnNumber };

    private async Task<IReadOnlyList<Notification>> Told() => await new NotificationStore(_source).OfOrder(OrderId, 0, 100, CancellationToken.None);

    // As the inbox does it, but for its record: so that what is told twice is seen to be kept once all the same.
    private async Task Hear(object consumer, IFact fact)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var context = new FactContext(
            connection, transaction, Guid.NewGuid(), new Outbox(TimeProvider.System, new OutboxSignal()), new RecoveryPoints(TimeProvider.System, new RecoverySignal()), CancellationToken.None);
        await (Task)typeof(IConsumeFact<>).MakeGenericType(fact.GetType()).GetMethod(nameof(IConsumeFact<IFact>.Consume))!.Invoke(consumer, [fact, context])!;
        if (context.Batch.BatchCommands.Count > 0)
            await context.Batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }
}
