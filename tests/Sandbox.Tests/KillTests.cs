using System.Diagnostics;
using Commerce.Testing;
using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

/// <summary>The Sandbox as a process of its own that is killed with SIGKILL.</summary>
public sealed class KillTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"sandbox-{Guid.NewGuid():N}");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_answered_survives_a_kill_and_what_was_due_goes_on()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        string id, number, knobs;
        using (var first = await StartAsync(receiver.Url))
        {
            id = (string)(await first.Http.PostAsync("/payments/v1/authorizations", Authorization("r"), "key")).Body["id"]!;
            await first.Http.PostAsync("/payments/v1/authorizations", Authorization("later", "tok_pending"), "key-2");
            number = (string)(await first.Http.PostAsync("/carriers/ups/v1/labels", Label("s"))).Body["tracking_number"]!;
            await first.Http.TurnAsync("""{"day_seconds": 1}""");
            knobs = (await first.Http.GetAsync("/control/knobs")).ToJsonString();
            await receiver.WaitForScanAsync(number, "PICKED_UP");
        }

        using var second = await StartAsync(receiver.Url);
        var (status, again) = await second.Http.PostAsync("/payments/v1/authorizations", Authorization("r"), "key");
        Assert.Equal((200, id), (status, (string)again["id"]!));
        Assert.Equal(knobs, (await second.Http.GetAsync("/control/knobs")).ToJsonString());
        await receiver.WaitForScanAsync(number, "DELIVERED");
        await receiver.WaitAsync(all => all.Any(r => (string?)r.Body["data"]?["reference"] == "later"), "the pending payment's news");

        var next = (string)(await second.Http.PostAsync("/carriers/ups/v1/labels", Label("s2"))).Body["tracking_number"]!;
        Assert.NotEqual(number, next);
        var summary = await second.Http.GetAsync("/books/summary");
        Assert.Equal((2, 2), ((int)summary["authorizations"]!, (int)summary["labels"]!));
        Assert.Equal(0, receiver.BadSignatures);
    }

    [Fact]
    public async Task Webhooks_not_delivered_before_a_kill_arrive_after_it()
    {
        var receiver = await WebhookReceiver.StartAsync();
        await receiver.DisposeAsync();
        using (var first = await StartAsync(receiver.Url))
        {
            for (var i = 0; i < 50; i++) await first.Http.PostAsync("/payments/v1/authorizations", Authorization($"r{i}"));
        }

        await using var back = await WebhookReceiver.StartAsync(new Uri(receiver.Url).Port);
        using var second = await StartAsync(receiver.Url);
        var all = await back.WaitAsync(r => r.Count >= 50, "the fifty webhooks");
        Assert.Equal(50, all.Select(r => (string)r.Body["data"]!["reference"]!).Distinct().Count());
    }

    [Fact]
    public async Task A_kill_amid_many_charges_loses_none_that_was_answered_and_makes_none_twice()
    {
        var answered = new System.Collections.Concurrent.ConcurrentDictionary<string, string>();
        using (var first = await StartAsync(""))
        {
            var callers = Enumerable.Range(0, 8).Select(c => Task.Run(async () =>
            {
                for (var i = 0; ; i++)
                {
                    var (_, body) = await first.Http.PostAsync("/payments/v1/authorizations", Authorization($"r{c}-{i}"), $"k{c}-{i}");
                    answered[$"{c}-{i}"] = (string)body["id"]!;
                }
            })).ToList();
            await Eventually.True(() => answered.Count > 300);
            first.Kill();
            foreach (var caller in callers) await Assert.ThrowsAnyAsync<HttpRequestException>(() => caller);
        }

        using var second = await StartAsync("");
        foreach (var (key, id) in answered)
        {
            var (status, again) = await second.Http.PostAsync("/payments/v1/authorizations", Authorization($"r{key}"), $"k{key}");
            Assert.Equal((200, id), (status, (string)again["id"]!));
        }

        var charges = (await second.Http.GetAsync("/books/charges"))["charges"]!.AsArray();
        var references = charges.Select(c => (string)c!["authorization"]!["reference"]!).ToList();
        Assert.Equal(references.Count, references.Distinct().Count());
    }

    private async Task<Child> StartAsync(string target)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Commerce.Sandbox.dll")])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = AppContext.BaseDirectory,
            Environment =
            {
                ["Kestrel__Endpoints__http__Url"] = "http://127.0.0.1:0",
                ["Sandbox__DataDirectory"] = _directory,
                ["SMTP_PORT"] = "0",
                ["Sandbox__Knobs__day_seconds"] = "1",
                ["Sandbox__Knobs__pending_delay_seconds"] = "2",
                ["Webhooks__Secret"] = WebhookReceiver.Secret,
                ["services__shipments__http__0"] = target,
                ["services__payments__http__0"] = target,
                ["Logging__Console__FormatterName"] = "simple",
            },
        };
        var process = Process.Start(start)!;
        var lines = new List<string>();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            const string listening = "Now listening on: ";
            var at = line.IndexOf(listening, StringComparison.Ordinal);
            if (at < 0) continue;
            // Its output is drained, so that a full pipe never stops it.
            _ = process.StandardOutput.ReadToEndAsync();
            return new Child(process, new SandboxClient(new Uri(line[(at + listening.Length)..].Trim())));
        }

        throw new InvalidOperationException($"The Sandbox did not start: {string.Join('\n', lines)}");
    }

    private sealed class Child(Process process, SandboxClient http) : IDisposable
    {
        public SandboxClient Http { get; } = http;

        public void Kill()
        {
            process.Kill();
            process.WaitForExit();
        }

        public void Dispose()
        {
            if (!process.HasExited) Kill();
            Http.Dispose();
            process.Dispose();
        }
    }
}
