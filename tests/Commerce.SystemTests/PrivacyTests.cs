using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.SystemTests;

/// <summary>A customer is erased: looked for in everything that the suite keeps.</summary>
[Collection("One suite, one test at a time")]
public sealed class PrivacyTests(Suite suite)
{
    private static readonly TimeSpan ToTheDoor = TimeSpan.FromSeconds(120);

    private readonly string _tag = Guid.NewGuid().ToString("N")[..10];

    [Fact]
    public async Task Nothing_of_an_erased_customer_is_found_anywhere_but_in_the_documents_that_the_law_wants_kept()
    {
        var erasures = new ErasureService.ErasureServiceClient(suite.Gateway);
        var invoices = new InvoiceService.InvoiceServiceClient(suite.Gateway);
        var digits = string.Concat(_tag.Select(c => (char)('0' + (c % 10))));
        var person = new Dictionary<string, string>
        {
            ["name"] = "Quackel" + _tag,
            ["e-mail"] = $"zq{_tag}@needle.example",
            ["phone"] = "+49" + digits,
            ["recipient"] = "Rezipient" + _tag,
            ["organization"] = "Firma" + _tag,
            ["street"] = "Nadelgasse" + _tag,
            ["town"] = "Heuhaufen" + _tag,
            ["postal code"] = "9876 XQ",
            ["customer id"] = "kunde-" + _tag,
            ["neighbour"] = "Nachbar" + _tag,
            ["gift note"] = "Grusswort" + _tag,
            ["cancel note"] = "Stornowort" + _tag,
            ["return note"] = "Retourwort" + _tag,
            ["line note"] = "Zeilenwort" + _tag,
            ["photo"] = $"https://photos.example/{_tag}.jpg",
            ["decision note"] = "Entscheid" + _tag,
            ["refund note"] = "Erstattwort" + _tag,
            ["scan"] = "Scanwort" + _tag,
            ["exception note"] = "Ausnahmewort" + _tag,
            ["customs reference"] = "Zollwort" + _tag,
        };
        var needles = new Needles(suite, person);
        var customer = new CustomerKey { CustomerId = person["customer id"] };
        var stranger = await suite.Orders.PlaceOrderAsync(Shop.Order($"other{_tag}@example.com"));

        // Lives: one that is delivered, returned and paid back; one as a guest that is cancelled; one that is declined. No mail arrives for a while.
        await suite.Knobs(new { smtp_reject_rate = 1.0 });
        var delivered = await Place(person, customer.CustomerId, "DELIVERED");
        var cancelled = await Place(person, "", "PRE_TRANSIT");
        await Eventually.True(needles.MailsWereRefused, ToTheDoor);
        await suite.Knobs(new { smtp_reject_rate = 0.0 });
        var declined = await Place(person, "", "DELIVERED", "tok_declined");
        var early = await Refused(() => erasures.EraseCustomerAsync(Erasing(customer)).ResponseAsync);
        Assert.Equal("ORDERS_UNDER_WAY", early.Reason);

        var packed = await Until(cancelled, view => view.Order.PaymentState == PaymentState.Paid && view.Shipments.Count > 0);
        await new ShipmentService.ShipmentServiceClient(suite.Gateway).DeclareCustomsAsync(new DeclareCustomsRequest
        {
            Name = packed.Shipments[0].Name,
            RequestId = Id(),
            Customs = new CustomsDeclaration
            {
                Contents = CustomsDeclaration.Types.Contents.SaleOfGoods,
                Lines = { new CustomsLine { Description = "Holder", Quantity = 1, Value = Shop.Euro(1, 0), WeightGrams = 100, HsCode = "940521", OriginRegionCode = "NL" } },
                Reference = person["customs reference"],
            },
        });
        await suite.Orders.CancelOrderAsync(new CancelOrderRequest { Name = cancelled.Name, RequestId = Id(), Note = person["cancel note"] });
        var arrived = await Until(delivered, view => view.Order.State == OrderState.Completed);
        await GiveBack(arrived.Order, person);
        await Scan(arrived.Shipments[0], person["scan"], "2026-01-02T10:00:00+01:00");
        Order[] all = [delivered, cancelled, declined];
        // It is there already, and so is why somebody wanted it to come later.
        var tomorrow = TimeProvider.System.GetUtcNow().AddDays(2);
        var parcel = arrived.Shipments[0].Name;
        await new ExceptionService.ExceptionServiceClient(suite.Gateway).ResolveExceptionAsync(new ResolveExceptionRequest
        {
            Name = parcel,
            RequestId = Id(),
            Action = ResolutionAction.Reschedule,
            Note = person["exception note"],
            PreferredDay = new Google.Type.Date { Year = tomorrow.Year, Month = tomorrow.Month, Day = tomorrow.Day },
        });
        await Eventually.Value(
            async () => await new ExceptionService.ExceptionServiceClient(suite.Gateway).ListResolutionsAsync(new ListResolutionsRequest { Parent = parcel }),
            list => list.Resolutions.Single().State == Resolution.Types.State.Failed, ToTheDoor);
        await Until(cancelled, view => view.Order.PaymentState == PaymentState.Refunded);
        await Until(declined, view => view.Order.State == OrderState.Cancelled);
        foreach (var order in all)
            await Eventually.Value(async () => await suite.Payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + order.OrderId }), payment => payment.Settled, ToTheDoor);

        // What is known is told, all of it, and who saw it is known by the order and by the person.
        var export = new ExportCustomerResponse();
        var page = new ExportCustomerRequest { StoreId = "main", Customer = customer, PageSize = 2 };
        do
        {
            var told = await new PrivacyService.PrivacyServiceClient(suite.Gateway).ExportCustomerAsync(page);
            export.Records.AddRange(told.Records);
            page.PageToken = told.NextPageToken;
        }
        while (page.PageToken.Length > 0);
        Assert.Equal(all.Select(order => order.OrderId).Order(StringComparer.Ordinal), export.Records.Select(record => record.View.OrderId).Order(StringComparer.Ordinal));
        Assert.All(person, one => Assert.Contains(one.Value, export.ToString(), StringComparison.Ordinal));
        var audit = new AuditService.AuditServiceClient(suite.Gateway);
        var placing = await audit.SearchAuditEventsAsync(new SearchAuditEventsRequest { Person = person["e-mail"], Method = "OrderService.PlaceOrder" });
        Assert.Equal(all.Select(order => order.Name).Order(StringComparer.Ordinal), placing.Events.Select(one => one.Resources.Single(name => name.StartsWith("orders/", StringComparison.Ordinal))).Order(StringComparer.Ordinal));
        Assert.Contains((await audit.SearchAuditEventsAsync(new SearchAuditEventsRequest { Resource = delivered.Name })).Events, one => one is { Method: "PaymentService.RefundPayment", Principal: "staff/dev-admin", Result: "OK" });

        // A fact that nobody could handle waits for somebody: in the error queues, and set aside.
        await needles.Fail(delivered.OrderId, customer.CustomerId);

        // Each of them is there, or this test could not fail.
        var before = await needles.Find();
        Assert.True(person.Keys.ToHashSet().SetEquals(before.Select(one => one.What)), "not found: " + string.Join(", ", person.Keys.Except(before.Select(one => one.What))));
        Assert.Contains(before, one => one.Where == "Redis");
        Assert.Equal(Needles.OfPlacedOrders.Select(queue => $"queue {queue}_error").Order(StringComparer.Ordinal), before.Where(one => one.Where.StartsWith("queue", StringComparison.Ordinal)).Select(one => one.Where).Order(StringComparer.Ordinal));
        Assert.Equal(["notificationsdb messaging.failed_facts", "notificationsdb messaging.parked_facts"], before.Where(one => one.Where.StartsWith("notificationsdb", StringComparison.Ordinal)).Select(one => one.Where).Order(StringComparer.Ordinal));

        var asked = Erasing(customer);
        asked.ValidateOnly = true;
        var validated = await Eventually.Value(() => Try(() => erasures.EraseCustomerAsync(asked).ResponseAsync), erasure => erasure is not null, ToTheDoor);
        Assert.Equal(all.Select(order => order.Name).Order(StringComparer.Ordinal), validated!.Orders.Order(StringComparer.Ordinal));
        Assert.Equal(person["name"], (await suite.Orders.GetOrderAsync(new GetOrderRequest { Name = delivered.Name })).Customer.Name.Split(' ')[1]);

        // Who is down when it is told does it when it is back.
        var request = Erasing(customer);
        var killed = suite.Kill("shipments");
        var erasure = await erasures.EraseCustomerAsync(request);
        await killed;
        erasure = await Eventually.Value(
            () => erasures.GetErasureAsync(new GetErasureRequest { Name = erasure.Name }).ResponseAsync, report => report.State == Erasure.Types.State.Done, ToTheDoor);

        var left = Array.Empty<(string What, string Where)>();
        await Eventually.True(
            async () => (left = [.. (await needles.Find()).Where(one => !MayStay(one))]).Length == 0, TimeSpan.FromSeconds(45), () => "still there:\n" + Needles.Tell(left));
        Assert.DoesNotContain(await needles.Told(), _ => true);

        // What failed can be brought back still.
        Assert.All(await needles.Failed(delivered.OrderId), body => Assert.Contains("\"customerId\":null", body.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal));
        await needles.Unfail(delivered.OrderId);

        // What a carrier tells afterwards names nobody either, and what is read again brings nobody back.
        await Scan(arrived.Shipments[0], person["scan"], "2026-01-03T10:00:00+01:00");
        foreach (var order in all)
        {
            var view = await suite.Lookup.LookupAsync(new LookupRequest { Code = order.OrderId });
            Assert.NotNull(view.Order.EraseTime);
            Assert.Equal(order.Total, view.Order.Total);
        }

        left = [.. (await needles.Find()).Where(one => !MayStay(one))];
        Assert.True(left.Length == 0, "there again:\n" + Needles.Tell(left));

        // The report names what is kept, why and until when; who bought is seen by those alone who have to.
        var documents = Assert.Single(erasure.Items, item => item.KeepUntil is not null);
        Assert.Equal(("payments", true, true), (documents.Service, documents.KeptCount >= 3, documents.KeepUntil.Year > 2030));
        var listed = await invoices.ListInvoicesAsync(new ListInvoicesRequest { OrderId = delivered.OrderId }, await As("finance"));
        Assert.All(listed.Invoices, invoice => Assert.Equal((true, "", 0), (invoice.Restricted, invoice.CustomerName, invoice.CustomerAddressLines.Count)));
        var finance = await As("finance");
        var hidden = await Refused(() => invoices.RenderInvoiceAsync(new RenderInvoiceRequest { Name = listed.Invoices[0].Name }, finance).ResponseAsync);
        Assert.Equal("DOCUMENT_RESTRICTED", hidden.Reason);
        Assert.Contains(person["name"], (await invoices.GetInvoiceAsync(new GetInvoiceRequest { Name = listed.Invoices[0].Name })).CustomerName, StringComparison.Ordinal);

        // Asked again it is the same; nobody is left; and nothing more is done to them.
        Assert.Equal(erasure.Name, (await erasures.EraseCustomerAsync(request)).Name);
        Assert.Equal("CUSTOMER_NOT_FOUND", (await Refused(() => erasures.EraseCustomerAsync(Erasing(new CustomerKey { Email = person["e-mail"] })).ResponseAsync)).Reason);
        Assert.Equal("ORDER_ERASED", (await Refused(() => suite.Returns.RequestReturnAsync(new RequestReturnRequest
        {
            Parent = delivered.Name,
            RequestId = Id(),
            Lines = { new ReturnLine { LineNumber = 1, Quantity = 1, Reason = ReturnReason.ChangedMind } },
        }).ResponseAsync)).Reason);
        Assert.Equal("Ada Example", (await suite.Orders.GetOrderAsync(new GetOrderRequest { Name = stranger.Name })).Customer.Name);
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("payments")]
    [InlineData("shipments")]
    [InlineData("notifications")]
    [InlineData("gateway")]
    public async Task An_erasure_ends_complete_whichever_service_is_killed_in_the_middle_of_it(string killed)
    {
        var erasures = new ErasureService.ErasureServiceClient(suite.Gateway);
        var person = new Dictionary<string, string> { ["name"] = "Quackel" + _tag, ["e-mail"] = $"zq{_tag}@needle.example", ["street"] = "Nadelgasse" + _tag };
        var needles = new Needles(suite, person);
        var request = Shop.Order(person["e-mail"], "tok_declined");
        request.Customer.Name = person["name"];
        request.ShippingAddress.AddressLines[0] = person["street"];
        var order = await suite.Orders.PlaceOrderAsync(request);
        await Until(order, view => view.Order.State == OrderState.Cancelled);
        await Eventually.Value(async () => await suite.Payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + order.OrderId }), payment => payment.Settled, ToTheDoor);
        Assert.Contains(await needles.Find(), one => one.Where.StartsWith("ordersdb", StringComparison.Ordinal));

        // Whoever asked was not answered, perhaps, and asks the same again.
        var erasing = Erasing(new CustomerKey { Email = person["e-mail"] });
        Task? kill = null;
        var erasure = await Eventually.Value(
            async () =>
            {
                var call = Answer(erasures.EraseCustomerAsync(erasing).ResponseAsync);
                kill ??= suite.Kill(killed);
                return await call;
            },
            answer => answer is not null, ToTheDoor);
        await kill!;

        var report = await Eventually.Value(
            () => Answer(erasures.GetErasureAsync(new GetErasureRequest { Name = erasure!.Name }).ResponseAsync), answer => answer?.State == Erasure.Types.State.Done, ToTheDoor);
        Assert.Equal([order.Name], report!.Orders);
        Assert.Superset(new HashSet<string> { "orders", "payments", "shipments" }, report.Items.Select(item => item.Service).ToHashSet());
        var left = Array.Empty<(string What, string Where)>();
        await Eventually.True(async () => (left = [.. (await needles.Find()).Where(one => !MayStay(one))]).Length == 0, TimeSpan.FromSeconds(45), () => "still there:\n" + Needles.Tell(left));
    }

    private async Task<Order> Place(Dictionary<string, string> person, string customerId, string endsAt, string token = "tok_ok")
    {
        var reference = Guid.NewGuid().ToString("N");
        await suite.Scenario(reference, new { ends_at = endsAt });
        var request = Shop.Order(person["e-mail"], token, externalId: reference);
        request.CustomerId = customerId;
        request.Customer.Name = "Zephyrine " + person["name"];
        request.Customer.Phone = person["phone"];
        request.ShippingAddress = new Google.Type.PostalAddress
        {
            RegionCode = "NL",
            PostalCode = person["postal code"],
            Locality = person["town"],
            AddressLines = { person["street"] + " 7" },
            Recipients = { person["recipient"] },
            Organization = person["organization"],
        };
        request.DeliveryWishes = new DeliveryWishes { Neighbour = person["neighbour"], GiftNote = person["gift note"] };
        return await suite.Orders.PlaceOrderAsync(request);
    }

    // A piece comes back and is paid for, and a euro more.
    private async Task GiveBack(Order order, Dictionary<string, string> person)
    {
        var asked = await suite.Returns.RequestReturnAsync(new RequestReturnRequest
        {
            Parent = order.Name,
            RequestId = Id(),
            Note = person["return note"],
            Photos = { person["photo"] },
            Lines = { new ReturnLine { LineNumber = 1, Quantity = 1, Reason = ReturnReason.ChangedMind, Note = person["line note"] } },
        });
        var approved = await suite.Returns.ApproveReturnAsync(new ApproveReturnRequest { Name = asked.Name, RequestId = Id(), Note = person["decision note"] });
        approved = await Eventually.Value(
            async () => await suite.Returns.GetReturnAsync(new GetReturnRequest { Name = approved.Name }), one => one.Parcels.Any(parcel => parcel.TrackingNumber.Length > 0), ToTheDoor);
        await suite.Received(approved, refund: true);
        await suite.Payments.RefundPaymentAsync(new RefundPaymentRequest
        {
            Name = "payments/" + order.OrderId,
            RequestId = Id(),
            Amount = Shop.Euro(1, 0),
            Reason = RefundReason.Goodwill,
            Note = person["refund note"],
        });
        await Until(order, view => view.Returns.All(one => one.RefundState == ReturnRefundState.Refunded));
    }

    private async Task Scan(Shipment parcel, string words, string time)
    {
        var tracking = new TrackingService.TrackingServiceClient(suite.Gateway);
        var answer = await tracking.IngestScansAsync(new IngestScansRequest
        {
            Scans = { new ReportedScan { Carrier = parcel.Carrier, TrackingNumber = parcel.TrackingNumber, Description = words, LocalTime = time, Status = TrackingStatus.InTransit } },
        });
        Assert.True(answer.KeptCount == 1, answer.ToString());
    }

    // Documents, and towns in which carriers scanned parcels, counted over all of them and tied to none.
    private static bool MayStay((string What, string Where) found) =>
        found.Where == "paymentsdb public.documents" || found is { What: "town", Where: "shipmentsdb public.place_names" or "shipmentsdb public.place_days" };

    private EraseCustomerRequest Erasing(CustomerKey customer) => new() { RequestId = Id(), StoreId = "main", Customer = customer };

    private async Task<Metadata> As(string role) => new() { { "Authorization", "Bearer " + await suite.Token(role) } };

    private static string Id() => Guid.NewGuid().ToString();

    private static async Task<Google.Rpc.ErrorInfo> Refused(Func<Task> call) =>
        (await Assert.ThrowsAsync<RpcException>(call)).GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!;

    // Null: it was not answered, by somebody who was killed, or may not be done yet.
    private static async Task<T?> Answer<T>(Task<T> call)
        where T : class
    {
        try
        {
            return await call;
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled or StatusCode.DeadlineExceeded
            || exception.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason == "ORDERS_UNDER_WAY")
        {
            return null;
        }
    }

    // Parcels of a return may still be on their way, and documents about to be written.
    private static async Task<Erasure?> Try(Func<Task<Erasure>> call)
    {
        try
        {
            return await call();
        }
        catch (RpcException exception) when (exception.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason == "ORDERS_UNDER_WAY")
        {
            return null;
        }
    }

    private async Task<LookupView> Until(Order order, Func<LookupView, bool> condition) =>
        await Eventually.Value(async () => await suite.Lookup.LookupAsync(new LookupRequest { Code = order.OrderId }), condition, ToTheDoor);
}
