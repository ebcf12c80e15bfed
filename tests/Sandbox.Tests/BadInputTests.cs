using System.Text;
using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

public sealed class BadInputTests
{
    [Theory]
    [InlineData("", 400, "invalid_json")]
    [InlineData("null", 400, "invalid_json")]
    [InlineData("[]", 400, "invalid_json")]
    [InlineData("{", 400, "invalid_json")]
    [InlineData("""{"reference": 5}""", 400, "invalid_json")]
    [InlineData("""{"amount": {"currency": "BRL", "minor": 99999999999999999999}}""", 400, "invalid_json")]
    [InlineData("{}", 422, "invalid_request")]
    [InlineData("""{"reference": "r", "amount": {"currency": "brl", "minor": 1}, "method": {"type": "card", "token": "t"}}""", 422, "invalid_request")]
    [InlineData("""{"reference": "r", "amount": {"currency": "BRL", "minor": -1}, "method": {"type": "card", "token": "t"}}""", 422, "invalid_request")]
    [InlineData("""{"reference": "r", "amount": {"currency": "BRL", "minor": 1}, "method": {"type": "barter", "token": "t"}}""", 422, "invalid_request")]
    [InlineData("""{"reference": "\ud800", "amount": {"currency": "BRL", "minor": 1}, "method": {"type": "card", "token": "t"}}""", 0, "")]
    public async Task A_bad_authorization_is_a_precise_problem_and_leaves_no_trace(string body, int status, string code)
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var (got, problem) = await sandbox.Http.SendAsync(HttpMethod.Post, "/payments/v1/authorizations", body, "k");
        if (status == 0) Assert.InRange(got, 400, 422);
        else Assert.Equal((status, code), (got, (string?)problem["code"]));
        Assert.Equal(0, (int)(await sandbox.Http.GetAsync("/books/summary"))["authorizations"]!);
    }

    [Fact]
    public async Task A_giant_body_and_broken_utf8_are_refused()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        using var giant = new ByteArrayContent(new byte[(1 << 20) + 1]);
        using var tooLarge = await sandbox.Http.Raw.PostAsync("/payments/v1/authorizations", giant);
        Assert.Equal(413, (int)tooLarge.StatusCode);
        Assert.Equal("application/problem+json", tooLarge.Content.Headers.ContentType?.MediaType);

        using var broken = new ByteArrayContent([.. Encoding.UTF8.GetBytes("{\"reference\":\""), 0xC3, 0x28, .. Encoding.UTF8.GetBytes("\"}")]);
        using var invalid = await sandbox.Http.Raw.PostAsync("/payments/v1/authorizations", broken);
        Assert.InRange((int)invalid.StatusCode, 400, 422);
    }

    [Theory]
    [InlineData("""{"payment_decline_rate": 1.5}""", 422)]
    [InlineData("""{"day_seconds": 0}""", 422)]
    [InlineData("""{"day_seconds": "soon"}""", 400)]
    public async Task A_knob_that_cannot_be_turned_so_far_stays(string knobs, int status)
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var before = (await sandbox.Http.GetAsync("/control/knobs")).ToJsonString();
        Assert.Equal(status, (await sandbox.Http.SendAsync(HttpMethod.Patch, "/control/knobs", knobs)).Status);
        Assert.Equal(before, (await sandbox.Http.GetAsync("/control/knobs")).ToJsonString());
    }

    [Fact]
    public async Task Unknown_things_are_404_and_a_bad_scenario_is_refused()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        Assert.Equal(404, (await sandbox.Http.PostAsync("/carriers/pigeon/v1/rates", Lane())).Status);
        Assert.Equal(404, (await sandbox.Http.SendAsync(HttpMethod.Get, "/carriers/ups/v1/tracking/1Z")).Status);
        Assert.Equal(404, (await sandbox.Http.SendAsync(HttpMethod.Get, "/payments/v1/authorizations/auth_x")).Status);
        Assert.Equal(404, (await sandbox.Http.SendAsync(HttpMethod.Get, "/mailbox/mail_x")).Status);
        Assert.Equal(422, (await sandbox.Http.SendAsync(HttpMethod.Put, "/control/scenarios/o", """{"ends_at": "ON_THE_MOON"}""")).Status);
        Assert.Equal(422, (await sandbox.Http.SendAsync(HttpMethod.Put, "/control/scenarios", "{}")).Status);
    }
}
