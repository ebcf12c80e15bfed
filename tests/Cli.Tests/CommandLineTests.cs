using System.CommandLine;

namespace Commerce.Cli.Tests;

/// <summary>What may be typed, and what scripts are told.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("queues")]
    [InlineData("queues --json")]
    [InlineData("redrive notifications.orders")]
    [InlineData("redrive notifications.orders --json")]
    [InlineData("redrive --all --json")]
    [InlineData("bench up")]
    [InlineData("bench flow --here --orders 10 --json")]
    public void Is_understood(string line) => Assert.Empty(Commands.Root().Parse(line).Errors);

    [Theory]
    [InlineData("redrive")]
    [InlineData("redrive --json")]
    [InlineData("redrive notifications.orders --all")]
    [InlineData("redrive notifications.orders orders.payments")]
    [InlineData("queues notifications.orders")]
    [InlineData("bench flow --orders 0")]
    [InlineData("order")]
    [InlineData("nonsense")]
    public async Task Is_refused_with_2(string line)
    {
        using var output = new StringWriter();
        var code = await Commands.Run(line.Split(' '), new InvocationConfiguration { Output = output, Error = output });
        Assert.Equal(Exit.Usage, code);
        Assert.NotEmpty(output.ToString());
    }

    [Theory]
    [InlineData("queues --help", "./commerce queues")]
    [InlineData("redrive --help", "./commerce redrive notifications.orders")]
    public async Task Help_shows_an_example(string line, string example)
    {
        using var output = new StringWriter();
        Assert.Equal(Exit.Done, await Commands.Run(line.Split(' '), new InvocationConfiguration { Output = output, Error = output }));
        Assert.Contains("Example: " + example, output.ToString(), StringComparison.Ordinal);
    }
}
