using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

/// <summary>What is in a view, who sees it, and what of it is asked for.</summary>
public sealed class PartTests : IAsyncLifetime
{
    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    private OrderId PlaceWithEverything(string trackingNumber)
    {
        var id = _suite.World.Place();
        _suite.World.AdvancePayment(id);
        _suite.World.AddShipment(id);
        _suite.World.AddShipment(id);
        _suite.World.Label(id, trackingNumber, 1);
        _suite.World.RequestReturn(id);
        _suite.World.Issue(id, "INV-2026-000001");
        _suite.World.Decide(id);
        _suite.World.Send(id);
        _suite.World.Decide(id);
        return id;
    }

    [Fact]
    public async Task Everything_about_an_order_is_one_view_and_counts_in_its_version()
    {
        var id = PlaceWithEverything("WHOLE0001");

        var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id.ToString() });

        Assert.Equal((1, 1, 1, 2), (view.Returns.Count, view.Documents.Count, view.Notifications.Count, view.Shipments.Count));
        Assert.Empty(view.Journeys);
        Assert.Equal(_suite.World.VersionOf(id), view.Version);
    }

    [Fact]
    public async Task Each_change_of_any_part_is_seen_when_its_fact_came()
    {
        var id = PlaceWithEverything("CHANGE001");
        var before = await _suite.Node.Find(id);

        await _suite.Tell(_suite.World.RequestReturn(id));
        Assert.Equal(2, (await _suite.Node.Find(id)).Returns.Count);
        await _suite.Tell(_suite.World.Issue(id, "CRN-2026-000001"));
        Assert.Equal(2, (await _suite.Node.Find(id)).Documents.Count);
        await _suite.Tell(_suite.World.Send(id));
        var after = await _suite.Node.Find(id);

        Assert.Equal(2, after.Notifications.Count);
        Assert.Equal(before.Version + 4, after.Version);
    }

    [Fact]
    public async Task A_mask_chooses_parts_and_the_others_are_not_asked_for()
    {
        var id = PlaceWithEverything("MASKED001");

        var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id.ToString(), ReadMask = new FieldMask { Paths = { "shipments", "journeys" } } });

        Assert.Null(view.Order);
        Assert.Null(view.Payment);
        Assert.Equal((2, 2), (view.Shipments.Count, view.Journeys.Count));
        Assert.Equal(view.Shipments.Sum(one => one.Version), view.Version);
        Assert.Equal(0, _suite.Payments.Calls.Count);
    }

    [Fact]
    public async Task A_mask_works_on_REST_too()
    {
        var id = PlaceWithEverything("MASKED002");

        var view = Google.Protobuf.JsonParser.Default.Parse<LookupView>(await _suite.Node.Http.GetStringAsync($"/v1/lookup/{id}?readMask=order,documents"));

        Assert.NotNull(view.Order);
        Assert.Single(view.Documents);
        Assert.Empty(view.Shipments);
    }

    [Fact]
    public async Task A_mask_that_names_no_part_is_refused_with_the_parts_there_are()
    {
        var id = _suite.World.Place();

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id.ToString(), ReadMask = new FieldMask { Paths = { "order.state" } } }));

        var violation = error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Single();
        Assert.Equal("read_mask", violation.Field);
        Assert.Contains("shipments", violation.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("payments/{0}", "payment")]
    [InlineData("orders/{0}/returns/1", "returns")]
    [InlineData("orders/{0}", "order")]
    public async Task A_writer_of_any_part_reads_its_own_write(string resource, string part)
    {
        var id = PlaceWithEverything("OWN" + part.ToUpperInvariant());
        var before = await _suite.Node.Find(id);
        if (part == "payment")
            _suite.World.AdvancePayment(id);
        else if (part == "order")
            _suite.World.AdvanceOrder(id);
        else
            _suite.World.AdvanceReturn(id);
        var name = string.Format(System.Globalization.CultureInfo.InvariantCulture, resource, id);
        var written = part switch { "payment" => before.Payment.Version, "order" => before.Order.Version, _ => 1 } + 1;

        var view = await _suite.Node.Find(new LookupRequest { Code = id.ToString(), MinVersions = { $"{name}={written}" } });
        Assert.Equal(before.Version + 1, view.Version);
        var error = await Assert.ThrowsAsync<Failure>(() => _suite.Node.Find(new LookupRequest { Code = id.ToString(), MinVersions = { $"{name}={written + 5}" } }));
        Assert.Equal(ErrorReason.VersionNotReached, error.Reason);
    }

    [Fact]
    public async Task Whoever_has_only_a_number_sees_its_parcels_journey_and_nothing_else()
    {
        var id = PlaceWithEverything("STRANGER1");
        for (var time = 0; time < 2; time++)
        {
            var view = await _suite.Node.Find(new LookupRequest { Code = "STRANGER1" }, Visibility.Public);

            var expected = new LookupView { CodeKind = CodeKind.TrackingId, TrackingNumber = "STRANGER1", Version = view.Version, Journeys = { view.Journeys } };
            Assert.Equal(expected, view);
            Assert.Equal("STRANGER1", Assert.Single(view.Journeys).TrackingNumber);
            Assert.DoesNotContain(id.ToString(), view.ToString(), StringComparison.Ordinal);
            await _suite.Node.Find(id);
        }
    }

    [Theory]
    [InlineData("INV-2026-000001")]
    [InlineData("SHOPS-OWN-7")]
    public async Task Numbers_that_follow_one_another_lead_strangers_nowhere(string code)
    {
        _suite.World.Issue(_suite.World.Place("SHOPS-OWN-7"), "INV-2026-000001");
        await _suite.Node.Find(code);

        var error = await Assert.ThrowsAsync<Failure>(() => _suite.Node.Find(new LookupRequest { Code = code }, Visibility.Public));

        Assert.Equal(ErrorReason.CodeNotFound, error.Reason);
    }

    [Fact]
    public async Task Shoppers_see_their_order_without_what_is_the_shops_own_business()
    {
        var id = PlaceWithEverything("SHOPPER01");
        var staff = await _suite.Node.Find(id);
        Assert.Equal("staff/ada", staff.Returns[0].RequestedBy);

        var shopper = await _suite.Node.Find(new LookupRequest { Code = id.ToString() }, Visibility.Shopper);

        Assert.Equal("", shopper.Returns[0].RequestedBy);
        Assert.Equal("Ada", shopper.Order.Customer.Name);
        Assert.Equal(staff.Version, shopper.Version);
        // The copy for staff is still theirs.
        Assert.Equal(staff, await _suite.Node.Find(id));
    }

    [Fact]
    public void Each_class_sees_what_is_named_and_no_new_field_by_accident()
    {
        // Whoever adds a field to a journey decides that anybody may see it.
        Assert.Equal(
            ["carrier", "tracking_number", "status", "status_reason", "status_time", "direction", "arrival_estimate", "delivered_time", "events"],
            Journey.Descriptor.Fields.InDeclarationOrder().Select(field => field.Name));
        Assert.Equal(["status", "reason", "time", "local_time", "place"], Journey.Types.Event.Descriptor.Fields.InDeclarationOrder().Select(field => field.Name));
    }

    [Fact]
    public async Task A_copy_for_another_class_is_made_once_and_goes_with_the_part()
    {
        await using var suite = await Suite.Start(settings: ("Gateway:HotAnswers", "0"));
        var id = suite.World.Place();
        suite.World.AddShipment(id);
        suite.World.Label(id, "CLASSES01");
        await suite.Node.Find(id);
        await suite.Node.Find(new LookupRequest { Code = "CLASSES01" }, Visibility.Public);
        var redis = (await suite.Admin()).GetDatabase();
        Assert.True(await redis.HashExistsAsync($"{suite.Prefix}view:{id.Value}", "shipments:public"));
        var calls = suite.Shipments.Calls.Count;
        await suite.Node.Find(new LookupRequest { Code = "CLASSES01" }, Visibility.Public);
        Assert.Equal(calls, suite.Shipments.Calls.Count);

        await suite.Tell(suite.World.AdvanceShipment(id));
        await suite.Node.Find(id);

        Assert.False(await redis.HashExistsAsync($"{suite.Prefix}view:{id.Value}", "shipments:public"));
        Assert.Equal(3, (await suite.Node.Find(new LookupRequest { Code = "CLASSES01" }, Visibility.Public)).Version);
    }
}
