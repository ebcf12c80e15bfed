using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

/// <summary>Codes that are neither an Order ID nor a Tracking ID, and those that can be several things.</summary>
public sealed class CodeTests : IAsyncLifetime
{
    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Theory]
    [InlineData("INV-2026-000042", "INV-2026-000042")]
    [InlineData("CRN-2026-000001", " crn-2026-000001 ")]
    [InlineData("REC-2026-123456", "main.REC-2026-123456")]
    public async Task A_documents_number_leads_to_its_order_and_names_the_document(string number, string typed)
    {
        var id = _suite.World.Place();
        _suite.World.Issue(id, number);

        for (var time = 0; time < 2; time++)
        {
            var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = typed });
            Assert.Equal((id.ToString(), CodeKind.DocumentNumber, $"invoices/main.{number}"), (view.OrderId, view.CodeKind, view.Resource));
            Assert.Equal(number, Assert.Single(view.Documents).Number);
        }
    }

    [Fact]
    public async Task A_number_that_two_stores_gave_out_is_ambiguous_until_the_store_is_named()
    {
        var one = _suite.World.Place("A-100", "main");
        var other = _suite.World.Place("A-100", "outlet");

        var error = await Assert.ThrowsAsync<RpcException>(async () => await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "A-100" }));
        Assert.Equal((StatusCode.InvalidArgument, "CODE_AMBIGUOUS"), (error.StatusCode, LookupTests.ReasonOf(error)));
        Assert.Equal([one.ToString(), other.ToString()], error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Metadata["candidates"].Split(',').Order(StringComparer.Ordinal).OrderBy(candidate => candidate == other.ToString()));

        var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "A-100", StoreId = "outlet" });
        Assert.Equal((other.ToString(), CodeKind.ExternalId), (view.OrderId, view.CodeKind));
        Assert.Equal(one.ToString(), (await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "A-100", StoreId = "main" })).OrderId);
    }

    [Fact]
    public async Task A_tracking_number_of_one_order_that_is_a_shops_number_of_another_is_ambiguous()
    {
        var carried = _suite.World.Place();
        _suite.World.AddShipment(carried);
        _suite.World.Label(carried, "40012345");
        _suite.World.Place("40012345");

        var error = await Assert.ThrowsAsync<RpcException>(async () => await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "40012345" }));

        Assert.Equal("CODE_AMBIGUOUS", LookupTests.ReasonOf(error));
    }

    [Fact]
    public async Task A_shops_number_is_exact_but_for_spaces_around_it()
    {
        var id = _suite.World.Place("web/Order_7");

        Assert.Equal(id.ToString(), (await _suite.Node.Find(" web/Order_7 ")).OrderId);
        Assert.Equal(ErrorReason.CodeNotFound, (await Assert.ThrowsAsync<Failure>(() => _suite.Node.Find("WEB/ORDER_7"))).Reason);
    }

    [Fact]
    public async Task A_code_that_was_given_to_an_order_since_is_ambiguous_at_once()
    {
        var id = _suite.World.Place("B-1");
        Assert.Equal(id.ToString(), (await _suite.Node.Find("B-1")).OrderId);

        var other = _suite.World.Place("B-1", "outlet");
        await _suite.Tell(new Facts.OrderPlaced(other.ToString(), "outlet", 1, DateTimeOffset.UnixEpoch, "B-1", new Money(1, "EUR"), []));

        Assert.Equal(ErrorReason.CodeAmbiguous, (await Assert.ThrowsAsync<Failure>(() => _suite.Node.Find("B-1"))).Reason);
    }

    [Fact]
    public async Task A_number_that_several_parcels_bore_leads_to_the_newest_and_names_the_others()
    {
        var orders = Enumerable.Range(0, 3).Select(_ => _suite.World.Place()).ToList();
        foreach (var id in orders)
        {
            _suite.World.AddShipment(id);
            _suite.World.Label(id, "REUSED77");
        }

        _suite.World.Correct(orders[0], "MENDED77");
        for (var time = 0; time < 2; time++)
        {
            var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "reused-77" });
            Assert.Equal(orders[2].ToString(), view.OrderId);
            Assert.Equal($"shipments/{view.Shipments[0].ShipmentId}", view.Resource);
            Assert.Equal([orders[1].ToString(), orders[0].ToString()], view.OtherBearers.Select(one => one.OrderId));
            Assert.Equal([false, true], view.OtherBearers.Select(one => one.Former));
        }
    }

    [Fact]
    public async Task Without_the_service_that_may_know_a_code_it_is_not_said_to_be_unknown()
    {
        _suite.Payments.Cut();
        var error = await Assert.ThrowsAsync<Failure>(() => _suite.Node.Find("INV-2026-000099"));
        Assert.Equal(ErrorReason.DependencyUnavailable, error.Reason);
    }
}
