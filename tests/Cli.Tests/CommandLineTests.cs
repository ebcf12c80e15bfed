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
    [InlineData("bench detect --json")]
    [InlineData("bench live --json")]
    [InlineData("detect 1Z5R89390357567127 9400111206206407628746 --json")]
    [InlineData("detect --carrier usps")]
    [InlineData("tracking get 1Z5R89390357567127 --json")]
    [InlineData("tracking register ORD-7K3M9QX-T2F8CRW 1Z5R89390357567127 --carrier ups --service ground --shipment shipments/1 --request-id 7")]
    [InlineData("tracking correct 1Z5R89390357567127 --number 9400111206206407628746 --carrier usps --note smudged")]
    [InlineData("tracking detect 320610804900 --order ORD-7K3M9QX-T2F8CRW")]
    [InlineData("return request ORD-7K3M9QX-T2F8CRW --line 1=2:Faulty --photo a.jpg --override-window --json")]
    [InlineData("return receive ORD-7K3M9QX-T2F8CRW-R1 --line 1=1:AsNew --line 1=1:Damaged --refund")]
    [InlineData("return request ORD-7K3M9QX-T2F8CRW --line 1=1:WrongSize --outcome Exchange --instead SHIRT-L=1 --pay-token tok_ok --pay-method Card")]
    [InlineData("return list --order ORD-7K3M9QX-T2F8CRW --state Requested")]
    [InlineData("return policy --window-days 60 --shopper-pays ChangedMind --auto-approve true")]
    [InlineData("bench flow --here --orders 10 --json")]
    [InlineData("order cancel ORD-7K3M9QX-T2F8CRW --line 2 --pieces 1 --reason Unavailable")]
    [InlineData("order edit ORD-7K3M9QX-T2F8CRW --set-line 2=3 --remove-line 1 --add-line LAMP-7=2 --pay-with tok_ok")]
    [InlineData("order edit ORD-7K3M9QX-T2F8CRW --leave-at neighbour --deliver-on 2026-12-24 --deliver-between 09:00-12:30 --signature true --gift-note hello")]
    [InlineData("product set LAMP-7 --title Lamp --price 39.90 --tax 7 --count-stock true")]
    [InlineData("product list --limit 5 --json")]
    [InlineData("stock list --low --json")]
    [InlineData("stock list --out")]
    [InlineData("stock watch LAMP-7 VASE-1 --low --changes")]
    [InlineData("stock threshold LAMP-7 5")]
    [InlineData("privacy erase customer-7 --store main --dry-run --json")]
    [InlineData("privacy erase --email ada@example.com --yes")]
    [InlineData("privacy report 0193f2a1b4c87d5e9a60c1d2e3f40516")]
    [InlineData("privacy erasures --json")]
    [InlineData("privacy export --email ada@example.com --out ada.json")]
    [InlineData("audit search orders/ORD-7K3M9QX-T2F8CRW --by staff/anna --result OK --from 2026-11-01 --limit 5 --json")]
    [InlineData("audit search --person ada@example.com")]
    public void Is_understood(string line) => Assert.Empty(Commands.Root().Parse(line).Errors);

    [Theory]
    [InlineData("redrive")]
    [InlineData("redrive --json")]
    [InlineData("redrive notifications.orders --all")]
    [InlineData("redrive notifications.orders orders.payments")]
    [InlineData("queues notifications.orders")]
    [InlineData("bench flow --orders 0")]
    [InlineData("detect --carrier nobody")]
    [InlineData("tracking")]
    [InlineData("tracking correct 1Z5R89390357567127")]
    [InlineData("tracking register ORD-7K3M9QX-T2F8CRW")]
    [InlineData("order")]
    [InlineData("order cancel ORD-7K3M9QX-T2F8CRW --line two")]
    [InlineData("order edit ORD-7K3M9QX-T2F8CRW --remove-line first")]
    [InlineData("stock threshold LAMP-7")]
    [InlineData("return")]
    [InlineData("return request ORD-7K3M9QX-T2F8CRW")]
    [InlineData("return reject ORD-7K3M9QX-T2F8CRW-R1")]
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
    [InlineData("order cancel --help", "./commerce order cancel ORD-7K3M9QX-T2F8CRW --line 2 --pieces 1")]
    [InlineData("order edit --help", "./commerce order edit ORD-7K3M9QX-T2F8CRW --set-line 2=3 --remove-line 1 --add-line LAMP-7=2")]
    [InlineData("stock list --help", "./commerce stock list --low")]
    [InlineData("stock watch --help", "./commerce stock watch --low")]
    [InlineData("detect --help", "./commerce detect 1Z5R89390357567127")]
    [InlineData("tracking register --help", "./commerce tracking register ORD-7K3M9QX-T2F8CRW 9400111206206407628746")]
    [InlineData("tracking correct --help", "./commerce tracking correct 1Z12345E0205271688 --number 1Z5R89390357567127")]
    [InlineData("stock threshold --help", "./commerce stock threshold LAMP-7 5")]
    [InlineData("carrier list --help", "./commerce carrier list")]
    [InlineData("carrier serviceability --help", "./commerce carrier serviceability 110001")]
    [InlineData("carrier serviceability upload --help", "./commerce carrier serviceability upload dhl list.csv")]
    [InlineData("carrier rates upload --help", "./commerce carrier rates upload ups brazil-2025 docs/samples/rate-card.json")]
    [InlineData("carrier rules --help", "./commerce carrier rules --goal fastest --never usps ups/ground")]
    [InlineData("carrier performance --help", "./commerce carrier performance --by service zone --since 2026-01-01")]
    [InlineData("postal load --help", "./commerce postal load geonames ./geonames")]
    [InlineData("rates quote --help", "./commerce rates quote --from BR:01310-100 --to BR:20040-002 --weight 1.2kg --size 30x20x10 --explain")]
    [InlineData("redrive --help", "./commerce redrive notifications.orders")]
    [InlineData("return request --help", "./commerce return request ORD-7K3M9QX-T2F8CRW --line 1=2:Faulty")]
    [InlineData("return receive --help", "./commerce return receive ORD-7K3M9QX-T2F8CRW-R1")]
    [InlineData("label get --help", "./commerce label get 1Z879E930346834440 --pdf label.pdf")]
    [InlineData("label batch --help", "./commerce label batch --order ORD-7K3M9QX-T2F8CRW --pdf labels.pdf --a4")]
    [InlineData("label customs --help", "./commerce label customs 1Z879E930346834440 --file customs.json")]
    [InlineData("manifest close --help", "./commerce manifest close --store main --carrier ups")]
    [InlineData("manifest get --help", "./commerce manifest get 0193f0c1a2b34c5d8e9f0a1b2c3d4e5f --pdf manifest.pdf")]
    [InlineData("manifest list --help", "./commerce manifest list --store main --carrier ups")]
    [InlineData("delivery reschedule --help", "./commerce delivery reschedule 1Z879E930346834440 --day 2026-12-24 --from 09:00 --until 12:00")]
    [InlineData("delivery redirect --help", "./commerce delivery redirect 1Z879E930346834440 --neighbour \"Silva, no. 12\"")]
    [InlineData("delivery proof --help", "./commerce delivery proof 1Z879E930346834440")]
    public async Task Help_shows_an_example(string line, string example)
    {
        using var output = new StringWriter();
        Assert.Equal(Exit.Done, await Commands.Run(line.Split(' '), new InvocationConfiguration { Output = output, Error = output }));
        Assert.Contains("Example: " + example, output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_may_be_typed_is_named_and_nothing_else()
    {
        var output = new StringWriter();
        await Commands.Run(["return", "request", "--help"], new InvocationConfiguration { Output = output, Error = output });
        Assert.Contains("--outcome <Refund|StoreCredit|Exchange>", output.ToString(), StringComparison.Ordinal);
        foreach (var command in Below(Commands.Root()))
            Assert.DoesNotContain("Unspecified", string.Join('|', command.Options.Select(option => option.HelpName)), StringComparison.Ordinal);

        static IEnumerable<System.CommandLine.Command> Below(System.CommandLine.Command command) => command.Subcommands.SelectMany(Below).Prepend(command);
    }

    [Theory]
    [InlineData("ORD-7K3M9QX-T2F8CRW-R1", "orders/ORD-7K3M9QX-T2F8CRW/returns/1")]
    [InlineData("ord 7k3m9qx t2f8crw r12", "orders/ord 7k3m9qx t2f8crw/returns/12")]
    [InlineData("orders/ORD-7K3M9QX-T2F8CRW/returns/3", "orders/ORD-7K3M9QX-T2F8CRW/returns/3")]
    public void A_returns_number_is_understood_as_it_is_said(string said, string name) => Assert.Equal(name, Returns.ReturnCommands.NameOf(said));

    [Theory]
    [InlineData("ORD-7K3M9QX-T2F8CRW")]
    [InlineData("R1")]
    [InlineData("ORD-7K3M9QX-T2F8CRW-R")]
    public void What_is_no_returns_number_is_refused(string said) => Assert.Throws<Api.UsageException>(() => Returns.ReturnCommands.NameOf(said));
}
