using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

/// <summary>Each carrier has faults of its own.</summary>
public sealed class CarrierKnobTests
{
    private static readonly (string Carrier, string Service)[] Carriers = [("ups", "ground"), ("usps", "ground_advantage"), ("fedex", "ground_economy"), ("dhl", "ecommerce")];

    [Theory]
    [InlineData("ups")]
    [InlineData("usps")]
    [InlineData("fedex")]
    [InlineData("dhl")]
    public async Task One_carrier_is_silent_and_the_others_are_not(string silent)
    {
        await using var sandbox = await SandboxApp.StartAsync();
        await Turn(sandbox, $$$$"""{"carriers": {"{{{{silent}}}}": {"silence_rate": 1}}}""");
        foreach (var (carrier, service) in Carriers)
        {
            for (var i = 0; i < 8; i++)
            {
                var label = Label($"{carrier}{i}");
                label["service"] = service;
                Assert.Equal(201, (await sandbox.Http.PostAsync($"/carriers/{carrier}/v1/labels", label)).Status);
            }
        }

        var planned = (await sandbox.Http.GetAsync("/books/labels?limit=100"))["labels"]!.AsArray()
            .GroupBy(label => (string)label!["carrier"]!).ToDictionary(group => group.Key, group => group.Average(label => (int)label!["scans_planned"]!));
        Assert.All(planned.Where(one => one.Key != silent), one => Assert.True(planned[silent] < one.Value, $"{silent}: {planned[silent]}, {one.Key}: {one.Value}"));
    }

    [Fact]
    public async Task One_carrier_is_down_and_another_refuses_labels()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        await Turn(sandbox, """{"carriers": {"fedex": {"error_rate": 1}, "dhl": {"label_refuse_rate": 1}}}""");
        Assert.Equal(503, await Status("fedex", "ground_economy"));
        Assert.Equal(422, await Status("dhl", "ecommerce"));
        Assert.Equal(201, await Status("ups", "ground"));

        async Task<int> Status(string carrier, string service)
        {
            var label = Label(carrier);
            label["service"] = service;
            return (await sandbox.Http.PostAsync($"/carriers/{carrier}/v1/labels", label)).Status;
        }
    }

    [Fact]
    public async Task What_is_not_given_is_as_for_all_and_null_takes_back_what_was()
    {
        await using var sandbox = await SandboxApp.StartAsync(null, ("Sandbox:Knobs:carrier_error_rate", "1"), ("Sandbox:Knobs:Carriers:ups:ErrorRate", "0"));
        Assert.Equal((200, 503), (await Rates("ups"), await Rates("usps")));

        await Turn(sandbox, """{"carriers": {"usps": {"error_rate": 0}}}""");
        Assert.Equal((200, 200, 503), (await Rates("ups"), await Rates("usps"), await Rates("dhl")));

        await Turn(sandbox, """{"carriers": {"ups": null, "usps": {"error_rate": null}}}""");
        Assert.Equal((503, 503), (await Rates("ups"), await Rates("usps")));

        async Task<int> Rates(string carrier) => (await sandbox.Http.PostAsync($"/carriers/{carrier}/v1/rates", Lane())).Status;
    }

    [Fact]
    public void News_of_one_carrier_takes_longer_than_that_of_another_also_untouched()
    {
        var knobs = new Control.Knobs { WebhookDelayMs = 10 };
        var delays = Sandbox.Carriers.CarrierProfiles.All.Values.Select(carrier => knobs.Of(carrier).WebhookDelayMs).ToList();
        Assert.Equal(4, delays.Distinct().Count());
        Assert.Equal(10, knobs.Of(null).WebhookDelayMs);
        var told = knobs with { Carriers = new Dictionary<string, Control.CarrierKnobs> { ["usps"] = new() { WebhookDelayMs = 5, WebhookDuplicateRate = 1 } } };
        Assert.Equal((5, 1, 0), (told.Of(Sandbox.Carriers.CarrierProfiles.All["usps"]).WebhookDelayMs, told.Of(Sandbox.Carriers.CarrierProfiles.All["usps"]).WebhookDuplicateRate, told.Of(Sandbox.Carriers.CarrierProfiles.All["ups"]).WebhookDuplicateRate));
    }

    [Theory]
    [InlineData("""{"carriers": {"nobody": {"error_rate": 0.5}}}""", 422)]
    [InlineData("""{"carriers": {"ups": {"error_rate": 1.5}}}""", 422)]
    [InlineData("""{"carriers": {"ups": {"webhook_delay_ms": -1}}}""", 422)]
    [InlineData("""{"carriers": {"ups": 7}}""", 400)]
    [InlineData("""{"carriers": null}""", 422)]
    public async Task A_carrier_s_knob_that_cannot_be_turned_so_far_stays(string knobs, int status)
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var before = (await sandbox.Http.GetAsync("/control/knobs")).ToJsonString();
        Assert.Equal(status, (await sandbox.Http.SendAsync(HttpMethod.Patch, "/control/knobs", knobs)).Status);
        Assert.Equal(before, (await sandbox.Http.GetAsync("/control/knobs")).ToJsonString());
    }

    private static async Task Turn(SandboxApp sandbox, string knobs) =>
        Assert.Equal(200, (await sandbox.Http.SendAsync(HttpMethod.Patch, "/control/knobs", knobs)).Status);
}
