using Commerce.Orders.V1;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

/// <summary>Numbers that were bought elsewhere, and numbers that were wrong.</summary>
public sealed class RegisteringTrackingTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private static int _numbers;

    private readonly ShipmentsApp _app = fixture.Required;

    // Right numbers that no other test has.
    private static string Usps() => WithGs1($"94001110{Interlocked.Increment(ref _numbers):D13}");

    private static string Ups()
    {
        var body = $"999AA103{Interlocked.Increment(ref _numbers):D7}";
        var sum = body.Select((c, i) => (char.IsAsciiDigit(c) ? c - '0' : (c - 3) % 10) * (i % 2 == 1 ? 2 : 1)).Sum();
        return $"1Z{body}{(10 - (sum % 10)) % 10}";
    }

    private static string WithGs1(string body) =>
        body + ((10 - (body.Reverse().Select((digit, i) => (digit - '0') * (i % 2 == 0 ? 3 : 1)).Sum() % 10)) % 10);

    private static string Id() => Guid.NewGuid().ToString("N");

    [Fact]
    public async Task A_number_bought_elsewhere_makes_a_parcel_of_the_order_with_the_carrier_that_it_tells()
    {
        var order = _app.Orders.Add("");
        var number = Usps();

        var shipment = await Register(order, number.Insert(4, " ").Insert(9, "-"));

        Assert.Equal(("usps", number, true, 2L), (shipment.Carrier, shipment.TrackingNumber, shipment.Registered, shipment.Version));
        Assert.Equal([(1, 2)], shipment.Lines.Select(line => (line.LineNumber, line.Quantity)));
        Assert.Equal(shipment.ShipmentId, (await Track(number)).ShipmentId);
        Assert.Equal([("ShipmentCreated", 1L), ("TrackingNumberChanged", 2L)], await _app.Facts(shipment.ShipmentId));
    }

    [Fact]
    public async Task A_parcel_that_no_carrier_takes_gets_the_number_and_no_label_is_bought_for_it()
    {
        _app.Ups.Serves = _app.Dhl.Serves = false;
        try
        {
            var order = _app.Orders.Add("");
            await _app.Confirm(order);
            var planned = (await _app.Parcels(order, all => all is [{ Exception.Kind: ShipmentException.Types.Kind.NoRate }]))[0];

            var shipment = await Register(order, Ups());

            Assert.Equal(planned.ShipmentId, shipment.ShipmentId);
            Assert.Null(shipment.Exception);
            _app.Ups.Serves = true;
            await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM messaging.recovery_points WHERE kind = 'buy-label' AND key = '{shipment.ShipmentId}'") == 0);
            Assert.Equal(shipment.TrackingNumber, (await _app.Parcel(shipment)).TrackingNumber);
        }
        finally
        {
            _app.Ups.Serves = _app.Dhl.Serves = true;
        }
    }

    // Karrio 660: the same number added twice makes a second tracker.
    [Fact]
    public async Task Adding_the_same_number_again_gives_the_same_parcel()
    {
        var order = _app.Orders.Add("");
        var number = Usps();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Register(order, i % 2 == 0 ? number : number.Insert(8, " "), requestId: Id())));

        Assert.Single(answers.Select(answer => answer.ShipmentId).Distinct());
        Assert.Single(await _app.Parcels(order));
        Assert.Equal([("ShipmentCreated", 1L), ("TrackingNumberChanged", 2L)], await _app.Facts(answers[0].ShipmentId));
    }

    [Fact]
    public async Task A_repeated_request_is_answered_with_what_the_first_one_made()
    {
        var (order, id, number) = (_app.Orders.Add(""), Id(), Usps());
        var first = await Register(order, number, requestId: id);
        Assert.Equal(first.ShipmentId, (await Register(order, number, requestId: id)).ShipmentId);
        var reused = await Refused(() => Register(order, Usps(), requestId: id));
        Assert.Equal("REQUEST_ID_REUSED", reused.Reason);
    }

    [Fact]
    public async Task A_second_number_is_a_further_parcel()
    {
        var order = _app.Orders.Add("");
        var first = await Register(order, Usps());
        var second = await Register(order, Usps());
        Assert.NotEqual(first.ShipmentId, second.ShipmentId);
        Assert.Empty(second.Lines);
        Assert.Equal(2, (await _app.Parcels(order)).Count);
    }

    [Fact]
    public async Task An_ambiguous_number_is_refused_with_what_it_can_be_until_the_carrier_is_named()
    {
        var order = _app.Orders.Add("");
        const string Number = "320610804900";

        var refused = await Refused(() => Register(order, Number));
        Assert.Equal(("TRACKING_AMBIGUOUS", "fedex,purolator"), (refused.Reason, refused.Metadata["candidates"]));
        Assert.Equal("purolator", (await Register(order, Number, carrier: "purolator")).Carrier);
    }

    [Theory]
    [InlineData("UNHEARD OF 1", "", "TRACKING_NOT_RECOGNISED")]
    [InlineData("1Z5R89390357567128", "", "TRACKING_NOT_RECOGNISED")]
    [InlineData("9400111206206407628746", "nobody", "CARRIER_NOT_FOUND")]
    [InlineData("9400111206206407628746", "No Carrier!", "INVALID_FIELD")]
    [InlineData("?", "usps", "INVALID_FIELD")]
    public async Task What_cannot_be_right_is_refused(string number, string carrier, string reason)
    {
        var order = _app.Orders.Add("");
        Assert.Equal(reason, (await Refused(() => Register(order, number, carrier))).Reason);
        Assert.Empty(await _app.Parcels(order));
    }

    [Fact]
    public async Task An_order_that_nobody_knows_has_no_parcel()
    {
        var stranger = OrderId.New("ORD", TimeProvider.System).ToString();
        Assert.Equal("ORDER_NOT_FOUND", (await Refused(() => Register(new Order { OrderId = stranger }, Usps()))).Reason);
    }

    [Fact]
    public async Task A_parcel_that_has_a_label_bears_no_second_number()
    {
        var order = _app.Orders.Add("");
        var labelled = (await _app.Ship(order))[0];
        Assert.Equal("SHIPMENT_STATE", (await Refused(() => Register(order, Usps(), shipment: labelled.Name))).Reason);
    }

    [Fact]
    public async Task Scans_that_came_before_the_number_was_registered_join()
    {
        var order = _app.Orders.Add("");
        var number = Ups();
        await _app.Webhook("ups", ShipmentsApp.Event(number, "P", 1), ShipmentsApp.Event(number, "I", 2));

        var shipment = await Register(order, number);

        Assert.Equal((TrackingStatus.InTransit, 2), (shipment.Status, shipment.Scans.Count));
    }

    // Carriers use their numbers again: a number names the newest parcel that bears it.
    [Fact]
    public async Task A_recycled_number_names_the_newest_parcel_and_the_older_stays_with_its_order()
    {
        var number = Ups();
        var old = await Register(_app.Orders.Add(""), number);
        await _app.Webhook("ups", ShipmentsApp.Event(number, "P", 1), ShipmentsApp.Event(number, "D", 20));
        var recent = await Register(_app.Orders.Add(""), number);
        await _app.Webhook("ups", ShipmentsApp.Event(number, "P", 200));

        Assert.Equal(recent.ShipmentId, (await Track(number)).ShipmentId);
        Assert.Equal(TrackingStatus.PickedUp, (await _app.Parcel(recent)).Status);
        var before = (await _app.Shipments.ListShipmentsAsync(new ListShipmentsRequest { OrderId = old.OrderId })).Shipments.Single();
        Assert.Equal((old.ShipmentId, TrackingStatus.Delivered, 2), (before.ShipmentId, before.Status, before.Scans.Count));
    }

    // Vendure 589, home-assistant 150920: the tracking code cannot be corrected.
    [Fact]
    public async Task A_corrected_number_leads_to_the_parcel_and_so_does_the_old_one()
    {
        var (wrong, right) = (Ups(), Ups());
        var shipment = await Register(_app.Orders.Add(""), wrong);
        await _app.Webhook("ups", ShipmentsApp.Event(wrong, "D", 30));
        await _app.Webhook("ups", ShipmentsApp.Event(right, "I", 10));

        var corrected = await Correct(shipment, right, note: "typed from a smudged label");

        Assert.Equal((right, TrackingStatus.InTransit, 1), (corrected.TrackingNumber, corrected.Status, corrected.Scans.Count));
        Assert.Null(corrected.DeliveredTime);
        var former = Assert.Single(corrected.FormerTracking);
        Assert.Equal(("ups", wrong, "typed from a smudged label"), (former.Carrier, former.TrackingNumber, former.Note));
        Assert.Equal(TrackingStatus.Delivered, Assert.Single(former.Scans).Status);
        Assert.NotEmpty(former.ReplacedBy);
        Assert.Equal(shipment.ShipmentId, (await Track(right)).ShipmentId);
        Assert.Equal(shipment.ShipmentId, (await Track(wrong)).ShipmentId);
        var batch = await _app.Tracking.BatchGetTrackingAsync(new BatchGetTrackingRequest { TrackingNumbers = { wrong, right } });
        Assert.Equal([shipment.ShipmentId, shipment.ShipmentId], batch.Shipments.Select(one => one.ShipmentId));
        Assert.Equal(
            [("ShipmentCreated", 1L), ("TrackingNumberChanged", 2L), ("ParcelTracked", 3L), ("TrackingNumberChanged", 4L), ("ParcelTracked", 5L)],
            await _app.Facts(shipment.ShipmentId));
    }

    [Fact]
    public async Task The_old_number_is_anothers_once_another_bears_it()
    {
        var (wrong, right) = (Ups(), Ups());
        var shipment = await Correct(await Register(_app.Orders.Add(""), wrong), right);
        Assert.Equal(shipment.ShipmentId, (await Track(wrong)).ShipmentId);
        var other = await Register(_app.Orders.Add(""), wrong);
        Assert.Equal(other.ShipmentId, (await Track(wrong)).ShipmentId);
        Assert.Equal(shipment.ShipmentId, (await Track(right)).ShipmentId);
    }

    [Fact]
    public async Task Two_parcels_whose_numbers_were_mixed_up_each_get_their_own_scans()
    {
        var (a, b) = (Ups(), Ups());
        var first = await Register(_app.Orders.Add(""), a);
        var second = await Register(_app.Orders.Add(""), b);
        await _app.Webhook("ups", ShipmentsApp.Event(a, "P", 1), ShipmentsApp.Event(a, "D", 9));
        await _app.Webhook("ups", ShipmentsApp.Event(b, "I", 2));

        await Correct(first, b);
        await Correct(second, a);

        var (one, two) = (await _app.Parcel(first), await _app.Parcel(second));
        Assert.Equal((b, TrackingStatus.InTransit, 1), (one.TrackingNumber, one.Status, one.Scans.Count));
        Assert.Equal((a, TrackingStatus.Delivered, 2), (two.TrackingNumber, two.Status, two.Scans.Count));
    }

    [Fact]
    public async Task A_number_that_is_corrected_back_has_its_scans_again()
    {
        var (a, b) = (Ups(), Ups());
        var shipment = await Register(_app.Orders.Add(""), a);
        await _app.Webhook("ups", ShipmentsApp.Event(a, "P", 1), ShipmentsApp.Event(a, "O", 9));
        Assert.Equal(TrackingStatus.PreTransit, (await Correct(shipment, b)).Status);

        var back = await Correct(shipment, a);

        Assert.Equal((TrackingStatus.OutForDelivery, 2, 2), (back.Status, back.Scans.Count, back.FormerTracking.Count));
        Assert.Equal([b, a], back.FormerTracking.Select(former => former.TrackingNumber));
    }

    [Fact]
    public async Task A_wrong_carrier_is_corrected_and_the_right_ones_scans_join()
    {
        var number = Ups();
        var shipment = await Register(_app.Orders.Add(""), number, carrier: "dhl");
        await _app.Webhook("ups", ShipmentsApp.Event(number, "I", 3));
        Assert.Empty((await _app.Parcel(shipment)).Scans);

        var corrected = await Correct(shipment, "", carrier: "ups");

        Assert.Equal(("ups", number, TrackingStatus.InTransit), (corrected.Carrier, corrected.TrackingNumber, corrected.Status));
        Assert.Equal("dhl", Assert.Single(corrected.FormerTracking).Carrier);
    }

    [Fact]
    public async Task A_label_of_ours_whose_carrier_was_corrected_is_still_voided_where_it_was_bought()
    {
        var order = _app.Orders.Add("");
        var shipment = (await _app.Ship(order))[0];
        await Correct(shipment, Usps());
        await _app.Cancel(order);
        await _app.Parcel(shipment, one => one.Status == TrackingStatus.Cancelled);
        Assert.Contains(_app.Ups.Voided, label => label.Contains(shipment.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Correcting_to_what_it_is_changes_nothing()
    {
        var shipment = await Register(_app.Orders.Add(""), Ups());
        Assert.Equal(shipment.Stored(), (await Correct(shipment, shipment.TrackingNumber, carrier: "ups")).Stored());
    }

    [Fact]
    public async Task The_wrong_number_told_again_makes_no_second_parcel()
    {
        var order = _app.Orders.Add("");
        var wrong = Ups();
        var shipment = await Correct(await Register(order, wrong), Ups());
        Assert.Equal(shipment.Stored(), (await Register(order, wrong)).Stored());
        Assert.Single(await _app.Parcels(order));
    }

    [Fact]
    public async Task A_correction_of_what_has_changed_meanwhile_is_refused()
    {
        var shipment = await Register(_app.Orders.Add(""), Ups());
        var etag = shipment.Etag;
        await Correct(shipment, Ups());
        Assert.Equal("ETAG_MISMATCH", (await Refused(() => Correct(shipment, Ups(), etag: etag))).Reason);
    }

    [Fact]
    public async Task A_correction_needs_a_number_to_correct_and_something_that_is_right()
    {
        Assert.Equal("SHIPMENT_NOT_FOUND", (await Refused(() => Correct(new V1.Shipment { Name = $"shipments/{Id()}" }, Ups()))).Reason);
        var shipment = await Register(_app.Orders.Add(""), Ups());
        Assert.Equal("INVALID_FIELD", (await Refused(() => Correct(shipment, ""))).Reason);
        Assert.Equal("TRACKING_NOT_RECOGNISED", (await Refused(() => Correct(shipment, "UNHEARDOF"))).Reason);
        Assert.Equal("UNHEARDOF", (await Correct(shipment, "UNHEARDOF", carrier: "ups")).TrackingNumber);
    }

    [Fact]
    public async Task Corrections_at_once_leave_one_number_and_every_other_in_the_history()
    {
        var shipment = await Register(_app.Orders.Add(""), Ups());
        var numbers = Enumerable.Range(0, 6).Select(_ => Ups()).ToList();
        foreach (var number in numbers)
            await _app.Webhook("ups", ShipmentsApp.Event(number, "I", 3));

        await Task.WhenAll(numbers.Select(number => Correct(shipment, number)));

        var after = await _app.Parcel(shipment);
        Assert.Equal(numbers.Append(shipment.TrackingNumber).Order(), after.FormerTracking.Select(former => former.TrackingNumber).Append(after.TrackingNumber).Order());
        Assert.Single(after.Scans);
        var facts = await _app.Facts(shipment.ShipmentId);
        Assert.Equal(Enumerable.Range(1, facts.Count).Select(version => (long)version), facts.Select(fact => fact.Version));
    }

    [Fact]
    public async Task A_shopper_registers_and_corrects_nothing()
    {
        var shopper = TestAccess.As("shipments", "shopper/ana");
        var shipment = await Register(_app.Orders.Add(""), Ups());
        var correct = new CorrectTrackingRequest { Name = shipment.Name, TrackingNumber = Ups(), RequestId = Id() };
        Assert.Equal("PERMISSION_DENIED", (await Refused(async () => await _app.Shipments.CorrectTrackingAsync(correct, shopper))).Reason);
        var register = new RegisterTrackingRequest { OrderId = shipment.OrderId, TrackingNumber = Ups(), RequestId = Id() };
        Assert.Equal("PERMISSION_DENIED", (await Refused(async () => await _app.Shipments.RegisterTrackingAsync(register, shopper))).Reason);
    }

    [Fact]
    public async Task A_parcel_of_a_cancelled_order_is_cancelled_although_its_label_was_bought_elsewhere()
    {
        var order = _app.Orders.Add("");
        var shipment = await Register(order, Ups());
        await _app.Cancel(order);
        await _app.Parcel(shipment, one => one.Status == TrackingStatus.Cancelled);
        Assert.Equal("ORDER_STATE", (await Refused(() => Register(order, Ups()))).Reason);
    }

    [Fact]
    public async Task Whose_number_it_is_the_parcel_decides_that_bears_it()
    {
        const string Ambiguous = "287809468872";
        var shipment = await Register(_app.Orders.Add(""), Ambiguous, carrier: "purolator");

        var answer = await _app.Tracking.DetectCarrierAsync(new DetectCarrierRequest { TrackingNumbers = { "2878 0946 8872", "9400 1112 0620 6407 6287 46", "nothing", "1Z5R89390357567128" } });

        Assert.Equal(["2878 0946 8872", "9400 1112 0620 6407 6287 46", "nothing", "1Z5R89390357567128"], answer.Detections.Select(one => one.Number));
        Assert.Equal(("purolator", 1.0, shipment.Name, false), (answer.Detections[0].Candidates.Single().Carrier, answer.Detections[0].Candidates[0].Confidence, answer.Detections[0].KnownShipment, answer.Detections[0].Ambiguous));
        Assert.Equal(("usps", "USPS Tracking", true, "US"), (answer.Detections[1].Candidates[0].Carrier, answer.Detections[1].Candidates[0].Service, answer.Detections[1].Candidates[0].CheckDigitVerified, answer.Detections[1].Candidates[0].OriginCountry));
        Assert.Empty(answer.Detections[2].Candidates);
        Assert.Equal("ups", answer.Detections[3].MistypedFormat);
    }

    [Fact]
    public async Task Whose_number_it_is_the_orders_carrier_decides_where_the_number_can_be_its()
    {
        var shipment = await Register(_app.Orders.Add(""), "331434972567", carrier: "purolator");
        const string Ambiguous = "320610804900";

        var without = (await _app.Tracking.DetectCarrierAsync(new DetectCarrierRequest { TrackingNumbers = { Ambiguous } })).Detections.Single();
        var with = (await _app.Tracking.DetectCarrierAsync(new DetectCarrierRequest { TrackingNumbers = { Ambiguous }, OrderId = shipment.OrderId })).Detections.Single();

        if (without.KnownShipment.Length == 0)
            Assert.True(without.Ambiguous);
        Assert.Equal("purolator", with.Candidates.Single().Carrier);
    }

    [Fact]
    public async Task Whose_numbers_they_are_is_asked_for_a_bounded_number()
    {
        Assert.Equal("INVALID_FIELD", (await Refused(async () => await _app.Tracking.DetectCarrierAsync(new DetectCarrierRequest()))).Reason);
        var many = new DetectCarrierRequest { TrackingNumbers = { Enumerable.Repeat("9400111206206407628746", 501) } };
        Assert.Equal("INVALID_FIELD", (await Refused(async () => await _app.Tracking.DetectCarrierAsync(many))).Reason);
        var giant = new DetectCarrierRequest { TrackingNumbers = { new string('1', 201) } };
        Assert.Equal("INVALID_FIELD", (await Refused(async () => await _app.Tracking.DetectCarrierAsync(giant))).Reason);
    }

    [Fact]
    public async Task REST_answers_alike()
    {
        using var body = new StringContent("""{"trackingNumbers":["1Z5R89390357567127"]}""", System.Text.Encoding.UTF8, "application/json");
        using var response = await _app.Http.PostAsync(new Uri("/v1/tracking:detectCarrier", UriKind.Relative), body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Contains("\"carrier\":\"ups\"", text.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);

        var shipment = await Register(_app.Orders.Add(""), Ups());
        var right = Ups();
        using var correction = new StringContent($$"""{"trackingNumber":"{{right}}","requestId":"{{Id()}}"}""", System.Text.Encoding.UTF8, "application/json");
        using var corrected = await _app.Http.PostAsync(new Uri($"/v1/{shipment.Name}:correctTracking", UriKind.Relative), correction);
        Assert.True(corrected.IsSuccessStatusCode, await corrected.Content.ReadAsStringAsync());
        Assert.Equal(right, (await _app.Parcel(shipment)).TrackingNumber);
    }

    private async Task<V1.Shipment> Register(Order order, string number, string carrier = "", string shipment = "", string? requestId = null) =>
        await _app.Shipments.RegisterTrackingAsync(new RegisterTrackingRequest { OrderId = order.OrderId, TrackingNumber = number, Carrier = carrier, Shipment = shipment, RequestId = requestId ?? Id() });

    private async Task<V1.Shipment> Correct(V1.Shipment shipment, string number, string carrier = "", string note = "", string etag = "") =>
        await _app.Shipments.CorrectTrackingAsync(new CorrectTrackingRequest { Name = shipment.Name, TrackingNumber = number, Carrier = carrier, Note = note, Etag = etag, RequestId = Id() });

    private async Task<V1.Shipment> Track(string number) => await _app.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = number });

    private static async Task<ErrorInfo> Refused(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).GetRpcStatus()!.GetDetail<ErrorInfo>();
}
