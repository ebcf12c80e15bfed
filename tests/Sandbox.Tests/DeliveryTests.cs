using System.Globalization;
using System.Text.Json.Nodes;
using Commerce.Testing;
using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

/// <summary>What a recipient wishes, and what a carrier says of the delivery.</summary>
public sealed class DeliveryTests
{
    [Fact]
    public async Task A_parcel_goes_where_it_was_redirected_to_and_the_proof_says_who_took_it()
    {
        await using var sandbox = await SandboxApp.StartAsync(settings: ("Sandbox:Knobs:day_seconds", "1.5"));
        var label = (await sandbox.Http.PostAsync("/carriers/ups/v1/labels", Label("d1"))).Body;
        var to = Lane()["ship_to"]!.DeepClone();
        (to["city"], to["postal_code"], to["name"]) = ("Itacoatiara", "69100", "Maria");
        var change = new JsonObject { ["ship_to"] = to, ["delivery"] = new JsonObject { ["neighbour"] = "Silva", ["signature_required"] = true } };
        Assert.Equal(200, (await sandbox.Http.PostAsync($"/carriers/ups/v1/labels/{label["id"]}/delivery", change, "k1")).Status);
        // The same key is the same change.
        Assert.Equal(200, (await sandbox.Http.PostAsync($"/carriers/ups/v1/labels/{label["id"]}/delivery", change, "k1")).Status);

        var number = (string)label["tracking_number"]!;
        var delivered = await Eventually.Value(
            async () => (await sandbox.Http.GetAsync($"/carriers/ups/v1/tracking/{number}"))["events"]!.AsArray().FirstOrDefault(scan => (string?)scan!["status_hint"] == "DELIVERED"),
            scan => scan is not null);
        Assert.Equal("Itacoatiara", (string?)delivered!["location"]!["city"]);
        Assert.Equal("Silva", (string?)delivered["proof_of_delivery"]!["signed_by"]);
        Assert.InRange((double)delivered["proof_of_delivery"]!["latitude"]!, -90, 90);

        var late = await sandbox.Http.PostAsync($"/carriers/ups/v1/labels/{label["id"]}/delivery", change, "k2");
        Assert.Equal((409, "out_for_delivery"), (late.Status, (string?)late.Body["code"]));
    }

    [Theory]
    [InlineData("ups", "ground", 200)]
    [InlineData("fedex", "ground_economy", 200)]
    [InlineData("dhl", "ecommerce", 200)]
    [InlineData("usps", "ground_advantage", 422)]
    public async Task Another_day_is_taken_by_carriers_that_offer_it(string carrier, string service, int expected)
    {
        await using var sandbox = await SandboxApp.StartAsync(settings: ("Sandbox:Knobs:day_seconds", "86400"));
        var label = (await sandbox.Http.PostAsync($"/carriers/{carrier}/v1/labels", Label("d2", service))).Body;
        var day = TimeProvider.System.GetUtcNow().AddDays(20);
        var change = new JsonObject { ["delivery"] = new JsonObject { ["day"] = day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) } };
        var (status, answer) = await sandbox.Http.PostAsync($"/carriers/{carrier}/v1/labels/{label["id"]}/delivery", change);
        Assert.Equal(expected, status);
        if (expected == 200)
            Assert.InRange(DateTimeOffset.Parse((string)answer["estimated_delivery_at"]!, CultureInfo.InvariantCulture), day.AddDays(-1), day.AddDays(3));
        else
            Assert.Equal("not_offered", (string?)answer["code"]);
    }

    [Fact]
    public async Task What_cannot_be_is_refused()
    {
        await using var sandbox = await SandboxApp.StartAsync(settings: ("Sandbox:Knobs:day_seconds", "86400"));
        var label = (await sandbox.Http.PostAsync("/carriers/ups/v1/labels", Label("d3"))).Body;
        var abroad = Lane()["ship_to"]!.DeepClone();
        abroad["country_code"] = "AR";
        Assert.Equal(422, await Status(new JsonObject { ["ship_to"] = abroad }));
        Assert.Equal(422, await Status([]));
        Assert.Equal(422, await Status(new JsonObject { ["delivery"] = new JsonObject { ["day"] = "tomorrow" } }));
        Assert.Equal(404, (await sandbox.Http.PostAsync("/carriers/dhl/v1/labels/lbl_none/delivery", new JsonObject { ["delivery"] = new JsonObject() })).Status);
        await sandbox.Http.SendAsync(HttpMethod.Delete, $"/carriers/ups/v1/labels/{label["id"]}");
        Assert.Equal(409, await Status(new JsonObject { ["delivery"] = new JsonObject { ["leave_at"] = "porch" } }));

        async Task<int> Status(JsonObject change) => (await sandbox.Http.PostAsync($"/carriers/ups/v1/labels/{label["id"]}/delivery", change)).Status;
    }
}
