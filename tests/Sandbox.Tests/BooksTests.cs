using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

public sealed class BooksTests
{
    [Fact]
    public async Task Forgetting_forgets_everything_but_never_repeats_a_tracking_number()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        await sandbox.Http.PostAsync("/payments/v1/authorizations", Authorization("r"), "k");
        var before = (string)(await sandbox.Http.PostAsync("/carriers/dhl/v1/labels", Label("s", "ecommerce"))).Body["tracking_number"]!;
        Assert.Equal(204, (await sandbox.Http.SendAsync(HttpMethod.Delete, "/books")).Status);

        var summary = await sandbox.Http.GetAsync("/books/summary");
        Assert.Equal((0, 0, 0), ((int)summary["authorizations"]!, (int)summary["labels"]!, (int)summary["webhooks_pending"]!));
        Assert.Equal(201, (await sandbox.Http.PostAsync("/payments/v1/authorizations", Authorization("r"), "k")).Status);
        Assert.NotEqual(before, (string)(await sandbox.Http.PostAsync("/carriers/dhl/v1/labels", Label("s", "ecommerce"))).Body["tracking_number"]!);
    }

    [Fact]
    public async Task It_is_healthy_and_alive()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        Assert.Equal("Healthy", await sandbox.Http.Raw.GetStringAsync("/health"));
        Assert.Equal("Healthy", await sandbox.Http.Raw.GetStringAsync("/alive"));
    }
}
