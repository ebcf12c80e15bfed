using System.Text.Json.Nodes;

namespace Commerce.Payments.Tests;

public sealed class SandboxFlowTests(PaymentsApp app) : IClassFixture<PaymentsApp>
{
    [Theory]
    [InlineData("tok_ok")]
    [InlineData("tok_error_once")]
    [InlineData("tok_timeout_after_success")]
    public async Task An_order_on_the_broker_is_charged_once_and_told_on_the_broker(string token)
    {
        var orderId = await app.Place("main", (token, 12_345));
        Assert.Equal("PaymentCaptured", (await app.Facts(orderId, "PaymentCaptured"))[^1]);

        var charge = Assert.Single(await app.Charges(orderId))!;
        Assert.Equal(12_345, Minor(charge, "captured"));
        Assert.Equal(0, Minor(charge, "refunded"));
    }

    [Fact]
    public async Task A_declined_part_frees_the_other_one()
    {
        var orderId = await app.Place("main", ("tok_ok", 700), ("tok_insufficient_funds", 300));
        Assert.Equal(["PaymentDeclined"], await app.Facts(orderId, "PaymentDeclined"));

        var charges = await app.Charges(orderId);
        Assert.Equal(["authorized", "declined"], charges.Select(c => (string)c!["status"]!).Order());
        Assert.Equal(700, charges.Sum(c => Minor(c!, "voided")));
        Assert.Equal(0, charges.Sum(c => Minor(c!, "captured")));
    }

    [Fact]
    public async Task A_pending_payment_goes_on_with_the_webhook()
    {
        var orderId = await app.Place("main", ("tok_pending", 500));
        Assert.Equal("PaymentCaptured", (await app.Facts(orderId, "PaymentCaptured"))[^1]);
        Assert.Equal(500, Minor(Assert.Single(await app.Charges(orderId))!, "captured"));
    }

    [Fact]
    public async Task A_payment_that_never_comes_is_voided_when_the_order_is_cancelled()
    {
        var orderId = await app.Place("main", ("tok_never", 500));
        await app.Facts(orderId, "PaymentPending");
        await app.Cancel(orderId);
        Assert.Equal(["PaymentPending", "PaymentVoided"], await app.Facts(orderId, "PaymentVoided"));
        Assert.Equal(500, Minor(Assert.Single(await app.Charges(orderId))!, "voided"));
    }

    [Fact]
    public async Task A_captured_payment_is_refunded_when_the_order_is_cancelled()
    {
        var orderId = await app.Place("main", ("tok_ok", 900), ("tok_ok_2", 100));
        await app.Facts(orderId, "PaymentCaptured");
        await app.Cancel(orderId);
        Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await app.Facts(orderId, "PaymentRefunded"));
        Assert.Equal(1000, (await app.Charges(orderId)).Sum(c => Minor(c!, "refunded")));
    }

    [Fact]
    public async Task Orders_through_a_faulty_provider_and_cancelled_at_random_all_end_right()
    {
        await app.Ready;
        await app.Turn("""{"payment_error_rate":0.2,"payment_timeout_after_success_rate":0.03,"webhook_duplicate_rate":0.5,"webhook_reorder_rate":0.5}""");
        try
        {
            var orders = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            {
                var orderId = await app.Place("main", ("tok_ok", 1000 + i), (i % 8 == 7 ? "tok_declined" : "tok_ok", 500));
                // At some point of its way, none of them the same.
                if (i % 3 == 0)
                    await app.Cancel(orderId);
                return (OrderId: orderId, Cancelled: i % 3 == 0, Declined: i % 8 == 7, Minor: 1500L + i);
            }));

            foreach (var order in orders)
            {
                var payment = await Testing.Eventually.Value(
                    async () => await Find(order.OrderId),
                    p => p is not null && (order.Cancelled || order.Declined
                        ? p.State is V1.Payment.Types.State.Voided or V1.Payment.Types.State.Refunded or V1.Payment.Types.State.Declined
                        : p.State == V1.Payment.Types.State.Captured));
                var charges = await app.Charges(order.OrderId);
                Assert.Equal(charges.Count, charges.Select(c => (string)c!["reference"]!).Distinct().Count());
                var kept = charges.Sum(c => Minor(c!, "captured") - Minor(c!, "refunded"));
                Assert.Equal(order.Cancelled || order.Declined ? 0 : order.Minor, kept);
                Assert.Equal(charges.Sum(c => Minor(c!, "captured")), (payment!.CapturedAmount.Units * 100) + (payment.CapturedAmount.Nanos / 10_000_000));
            }
        }
        finally
        {
            await app.Turn("""{"payment_error_rate":0,"payment_timeout_after_success_rate":0,"webhook_duplicate_rate":0,"webhook_reorder_rate":0}""");
        }
    }

    [Fact]
    public async Task Refunds_over_gRPC_and_REST_reach_the_provider_and_are_told_one_by_one()
    {
        var orderId = await app.Place("main", ("tok_ok", 900), ("tok_ok_2", 100));
        await app.Facts(orderId, "PaymentCaptured");
        var request = new V1.RefundPaymentRequest
        {
            Name = "payments/" + orderId,
            RequestId = Guid.NewGuid().ToString(),
            Amount = new Money(250, "BRL").ToProto(),
            Reason = V1.RefundReason.Damaged,
            Note = "a scratch",
        };
        var refund = await app.Grpc.RefundPaymentAsync(request);
        Assert.Equal(($"payments/{orderId}/refunds/1", request.Amount, V1.RefundReason.Damaged, "a scratch"), (refund.Name, refund.Amount, refund.Reason, refund.Note));
        Assert.Equal([(1, 1L), (2, 1L)], refund.Parts.Select(p => (p.PartNumber, p.Amount.Units)));
        await Testing.Eventually.Value(
            async () => await app.Grpc.GetRefundAsync(new V1.GetRefundRequest { Name = refund.Name }), r => r.State == V1.Refund.Types.State.Succeeded);
        Assert.Equal(refund.Name, (await app.Grpc.RefundPaymentAsync(request)).Name);

        await app.Turn("""{"refund_failure_rate":1}""");
        try
        {
            using var failing = await app.Rest.PostAsync(
                $"/v1/payments/{orderId}:refund", new StringContent("""{"requestId":"r1","reason":"REFUND_REASON_GOODWILL"}""", System.Text.Encoding.UTF8, "application/json"));
            Assert.True(failing.IsSuccessStatusCode, await failing.Content.ReadAsStringAsync());
            var failed = await Testing.Eventually.Value(
                async () => await app.Grpc.GetRefundAsync(new V1.GetRefundRequest { Name = $"payments/{orderId}/refunds/2" }), r => r.State != V1.Refund.Types.State.Pending);
            Assert.Equal((V1.Refund.Types.State.Failed, "refund_failed"), (failed.State, failed.Parts[0].FailureReason));
        }
        finally
        {
            await app.Turn("""{"refund_failure_rate":0}""");
        }

        var exceeds = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.Grpc.RefundPaymentAsync(
            new V1.RefundPaymentRequest { Name = "payments/" + orderId, RequestId = "r2", Amount = new Money(751, "BRL").ToProto() }));
        Assert.Equal(Grpc.Core.StatusCode.FailedPrecondition, exceeds.StatusCode);
        var listed = await app.Grpc.ListRefundsAsync(new V1.ListRefundsRequest { Parent = "payments/" + orderId, PageSize = 1 });
        Assert.Equal((1, 7L), (listed.Refunds.Count, listed.RefundableAmount.Units));
        listed = await app.Grpc.ListRefundsAsync(new V1.ListRefundsRequest { Parent = "payments/" + orderId, PageSize = 1, PageToken = listed.NextPageToken });
        Assert.Equal(($"payments/{orderId}/refunds/2", ""), (listed.Refunds[0].Name, listed.NextPageToken));

        await app.Cancel(orderId);
        await Testing.Eventually.Value(() => app.Facts(orderId, "PaymentRefunded"), facts => facts.Count == 4);
        Assert.Equal(1000, (await app.Charges(orderId)).Sum(c => Minor(c!, "refunded")));
    }

    [Fact]
    public async Task Store_credit_is_given_spent_and_given_back_over_gRPC_and_REST()
    {
        await app.Ready;
        var grant = new V1.GrantStoreCreditRequest { StoreId = "main", CustomerId = "c-1", RequestId = "g1", Amount = new Money(1000, "BRL").ToProto(), Note = "sorry for the delay" };
        var entry = await app.StoreCredit.GrantStoreCreditAsync(grant);
        Assert.Equal((1, V1.StoreCreditEntry.Types.Kind.Granted, "staff/developer", 10L), (entry.EntryNumber, entry.Kind, entry.Actor, entry.Balance.Units));
        Assert.Equal(entry, await app.StoreCredit.GrantStoreCreditAsync(grant));

        var orderId = await app.PlaceFor("c-1", "main", ("tok_ok", 500), ("credit", 400));
        await app.Facts(orderId, "PaymentCaptured");
        var refund = await app.Grpc.RefundPaymentAsync(new V1.RefundPaymentRequest
        {
            Name = "payments/" + orderId,
            RequestId = "to-credit",
            Amount = new Money(600, "BRL").ToProto(),
            Destination = V1.RefundDestination.StoreCredit,
        });
        Assert.Equal(V1.RefundDestination.StoreCredit, refund.Destination);
        await app.Facts(orderId, "PaymentRefunded");
        Assert.Equal(0, Minor(Assert.Single(await app.Charges(orderId))!, "refunded"));
        var credit = await app.StoreCredit.GetStoreCreditAsync(new V1.GetStoreCreditRequest { StoreId = "main", CustomerId = "c-1" });
        Assert.Equal((12L, 12L, 0L), (credit.Balances[0].Balance_.Units, credit.Balances[0].Available.Units, credit.Balances[0].Held.Units));

        using var rest = await app.Rest.GetAsync("/v1/storeCredits/main/c-1");
        Assert.Contains("\"units\":\"12\"", await rest.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var page = await app.Rest.GetAsync("/v1/storeCredits/main/c-1/entries?pageSize=2");
        Assert.Contains("nextPageToken", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var granted = await app.Rest.PostAsync(
            "/v1/storeCredits/main/c-1:grant",
            new StringContent("""{"requestId":"g2","amount":{"currencyCode":"BRL","units":"-3"},"note":"a mistake"}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.True(granted.IsSuccessStatusCode, await granted.Content.ReadAsStringAsync());
        var first = await app.StoreCredit.ListStoreCreditEntriesAsync(new V1.ListStoreCreditEntriesRequest { StoreId = "main", CustomerId = "c-1", PageSize = 3 });
        var rest2 = await app.StoreCredit.ListStoreCreditEntriesAsync(new V1.ListStoreCreditEntriesRequest { StoreId = "main", CustomerId = "c-1", PageSize = 3, PageToken = first.NextPageToken });
        var entries = first.Entries.Concat(rest2.Entries).Select(e => (e.Amount.Units * 100) + (e.Amount.Nanos / 10_000_000)).ToList();
        // The pieces of a refund go back side by side.
        Assert.Equal([-300L, -400L, 1000L], [entries[0], .. entries[3..]]);
        Assert.Equal([200L, 400L], entries[1..3].Order());
        Assert.Empty((await app.StoreCredit.GetStoreCreditAsync(new V1.GetStoreCreditRequest { StoreId = "main", CustomerId = "nobody" })).Balances);

        async Task<Grpc.Core.StatusCode> Refusal(Action<V1.GrantStoreCreditRequest> wrong)
        {
            var request = grant.Clone();
            request.RequestId = Guid.NewGuid().ToString();
            wrong(request);
            return (await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.StoreCredit.GrantStoreCreditAsync(request))).StatusCode;
        }

        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Note = ""));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.CustomerId = "ada@example.com"));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Amount = new Money(0, "BRL").ToProto()));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Amount = new Google.Type.Money { CurrencyCode = "BRL", Units = long.MaxValue }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.RequestId = ""));
        Assert.Equal(Grpc.Core.StatusCode.FailedPrecondition, await Refusal(r => r.Amount = new Money(-901, "BRL").ToProto()));
        using var shopper = new HttpRequestMessage(HttpMethod.Post, "/v1/storeCredits/main/c-1:grant") { Content = new StringContent("""{"requestId":"g3"}""", System.Text.Encoding.UTF8, "application/json") };
        shopper.Headers.Add(ServiceDefaults.TokenMinter.Header, Testing.TestAccess.Token("payments", Testing.TestAccess.Somebody("shopper/ada")));
        using var denied = await app.Rest.SendAsync(shopper);
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, denied.StatusCode);
    }

    [Fact]
    public async Task What_is_held_is_taken_in_amounts_and_the_rest_let_go_over_gRPC_and_REST()
    {
        var orderId = await app.PlaceHeld("MANUAL", "main", ("tok_ok", 900));
        Assert.Equal(["PaymentAuthorised"], await app.Facts(orderId, "PaymentAuthorised"));
        var name = "payments/" + orderId;
        var payment = await app.Grpc.CapturePaymentAsync(new V1.CapturePaymentRequest { Name = name, RequestId = "c1", Amount = new Money(250, "BRL").ToProto() });
        Assert.Equal((Types.V1.CaptureMode.Manual, 6L, 1), (payment.CaptureMode, payment.CapturableAmount.Units, payment.Captures.Count));
        await Testing.Eventually.Value(async () => await Find(orderId), p => p?.State == V1.Payment.Types.State.PartlyCaptured);
        using var rest = await app.Rest.PostAsync(
            $"/v1/{name}:capture", new StringContent("""{"requestId":"c2","amount":{"currencyCode":"BRL","units":"1"}}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.True(rest.IsSuccessStatusCode, await rest.Content.ReadAsStringAsync());
        using var rejected = await app.Rest.PostAsync(
            $"/v1/{name}:capture", new StringContent("""{"requestId":"c3","amount":{"currencyCode":"BRL","units":"6"}}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.Contains("CAPTURE_EXCEEDS_AUTHORISATION", await rejected.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var released = await app.Rest.PostAsync($"/v1/{name}:void", new StringContent("""{"requestId":"v1"}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.True(released.IsSuccessStatusCode, await released.Content.ReadAsStringAsync());
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await app.Facts(orderId, "PaymentCaptured"));
        Assert.Equal((350L, 550L), (Minor(Assert.Single(await app.Charges(orderId))!, "captured"), Minor(Assert.Single(await app.Charges(orderId))!, "voided")));
        var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.Grpc.CapturePaymentAsync(new V1.CapturePaymentRequest { Name = name, RequestId = "" }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task The_providers_own_settlement_agrees_with_the_ledger_and_what_it_leaves_out_is_seen()
    {
        var orderId = await app.Place("settled", ("tok_ok", 90_000), ("tok_ok_2", 10_000));
        await app.Facts(orderId, "PaymentCaptured");
        await app.Grpc.RefundPaymentAsync(new V1.RefundPaymentRequest { Name = "payments/" + orderId, RequestId = "settled-1", Amount = new Money(12_345, "BRL").ToProto() });
        await app.Facts(orderId, "PaymentRefunded");
        // Each store has an account of its own with the provider; in the file of all of them, the lines of others are left out.
        var lines = (await app.Outside.GetStringAsync("/payments/v1/settlement?account=settled")).TrimEnd('\n').Split('\n').ToList();
        Assert.Equal(5, lines.Count);
        await app.Facts(await app.Place("another", ("tok_ok", 100)), "PaymentCaptured");
        var ofAll = await Import(await app.Outside.GetStringAsync("/payments/v1/settlement"));
        Assert.Equal((4, 0), (ofAll.Imported, ofAll.Refused));
        Assert.True(ofAll.OfOtherStores > 0);

        var all = await Import(string.Join('\n', lines));
        Assert.Equal((0, 4, 0), (all.Imported, all.Unchanged, all.Refused));
        Assert.Equal((0, 4, 0), ((await Import(string.Join('\n', lines))).Imported, (await Import(string.Join('\n', lines))).Unchanged, 0));
        var books = await app.Ledger.GetReconciliationAsync(new V1.GetReconciliationRequest { StoreId = "settled", Provider = "sandbox" });
        Assert.Empty(books.Differences);
        var currency = Assert.Single(books.Currencies);
        Assert.Equal((4L, 0L, 1000L, 1000L), (currency.MatchedCount, currency.DifferenceCount, currency.CapturedHere.Units, currency.CapturedThere.Units));
        // 1.4 % and 0.25 of each charge.
        Assert.Equal(1450, (currency.Fees.Units * 100) + (currency.Fees.Nanos / 10_000_000));
        var balance = await app.Ledger.GetTrialBalanceAsync(new V1.GetTrialBalanceRequest { StoreId = "settled" });
        Assert.All(balance.Sums, s => Assert.Equal((0L, 0), (s.Difference.Units, s.Difference.Nanos)));
        Assert.Contains(balance.Accounts, a => a.Account == "settled/BRL/PROVIDER_FEES/sandbox");

        using var rest = await app.Rest.GetAsync("/v1/ledger/reconciliation?storeId=settled&provider=sandbox");
        Assert.Contains("\"matchedCount\":\"4\"", await rest.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.Ledger.GetReconciliationAsync(new V1.GetReconciliationRequest
        {
            StoreId = "settled",
            StartTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch),
            MaxDifferences = -1,
        }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, wrong.StatusCode);
        var corrected = await app.Rest.PostAsync(
            "/v1/ledger/entries:correct", new StringContent("""{"requestId":"c","movement":"nothing","note":"x"}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, corrected.StatusCode);

        async Task<V1.ImportSettlementResponse> Import(string csv)
        {
            using var call = app.Ledger.ImportSettlement();
            await call.RequestStream.WriteAsync(new V1.ImportSettlementRequest { StoreId = "settled", Provider = "sandbox", Csv = Google.Protobuf.ByteString.CopyFromUtf8(csv[..100]) });
            await call.RequestStream.WriteAsync(new V1.ImportSettlementRequest { Csv = Google.Protobuf.ByteString.CopyFromUtf8(csv[100..]) });
            await call.RequestStream.CompleteAsync();
            return await call;
        }
    }

    [Fact]
    public async Task Documents_are_issued_by_themselves_and_rendered_on_demand()
    {
        var orderId = await app.Place("main", ("tok_ok", 900));
        var listed = await Testing.Eventually.Value(
            async () => await app.Invoices.ListInvoicesAsync(new V1.ListInvoicesRequest { OrderId = orderId }), l => l.Invoices.Count == 2);
        var invoice = await app.Invoices.GetInvoiceAsync(new V1.GetInvoiceRequest { Name = listed.Invoices[0].Name });
        Assert.Equal((V1.Invoice.Types.Kind.Invoice, orderId, "Loja do Sol"), (invoice.Kind, invoice.OrderId, invoice.StoreName));
        Assert.Equal(V1.Invoice.Types.Kind.Receipt, listed.Invoices[1].Kind);
        var pdf = await app.Invoices.RenderInvoiceAsync(new V1.RenderInvoiceRequest { Name = invoice.Name });
        Assert.Equal(("application/pdf", "%PDF"), (pdf.ContentType, pdf.Content.ToStringUtf8()[..4]));
        using var rest = await app.Rest.GetAsync($"/v1/{invoice.Name}:render");
        Assert.Contains("\"content\"", await rest.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var plain = await app.Rest.GetAsync($"/v1/{invoice.Name}");
        Assert.Contains(invoice.Number, await plain.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var page = await app.Invoices.ListInvoicesAsync(new V1.ListInvoicesRequest { StoreId = "main", PageSize = 1 });
        var next = await app.Invoices.ListInvoicesAsync(new V1.ListInvoicesRequest { StoreId = "main", PageSize = 1, PageToken = page.NextPageToken });
        Assert.NotEqual(Assert.Single(page.Invoices).Name, Assert.Single(next.Invoices).Name);
        async Task<Grpc.Core.StatusCode> Refusal(string name) =>
            (await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.Invoices.GetInvoiceAsync(new V1.GetInvoiceRequest { Name = name }))).StatusCode;
        Assert.Equal(Grpc.Core.StatusCode.NotFound, await Refusal("invoices/main.INV-1999-000001"));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal("invoices/7"));
    }

    [Fact]
    public async Task A_refund_that_makes_no_sense_is_refused_field_by_field()
    {
        await app.Ready;
        var order = OrderId.New("ORD", TimeProvider.System).ToString();
        async Task<Grpc.Core.StatusCode> Refusal(Action<V1.RefundPaymentRequest> wrong)
        {
            var request = new V1.RefundPaymentRequest { Name = "payments/" + order, RequestId = "r", Amount = new Money(1, "BRL").ToProto() };
            wrong(request);
            return (await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.Grpc.RefundPaymentAsync(request))).StatusCode;
        }

        Assert.Equal(Grpc.Core.StatusCode.NotFound, await Refusal(_ => { }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.RequestId = ""));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Name = "payments/7"));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Amount.Units = -1));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Amount = new Google.Type.Money { CurrencyCode = "BRL" }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Amount = new Google.Type.Money { CurrencyCode = "BRL", Nanos = 1 }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Amount = new Google.Type.Money { CurrencyCode = "BRL", Units = long.MaxValue }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Reason = V1.RefundReason.OrderCancelled));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, await Refusal(r => r.Note = new string('x', 501)));
        var refund = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await app.Grpc.GetRefundAsync(new V1.GetRefundRequest { Name = "payments/" + order + "/refunds/x" }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, refund.StatusCode);
    }

    private async Task<V1.Payment?> Find(string orderId)
    {
        try
        {
            return await app.Grpc.GetPaymentAsync(new V1.GetPaymentRequest { Name = "payments/" + orderId });
        }
        catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.NotFound)
        {
            return null;
        }
    }

    private static long Minor(JsonNode charge, string amount) => (long)charge[amount]!["minor"]!;
}
